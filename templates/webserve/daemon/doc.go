// Package daemon runs the handler of package webserve, or any other, as a server: it has the sockets, the
// limits and the signs of life that a handler has not.
//
// [Open] takes the sockets (own ones or systemd's) and the certificate, so that what is wrong with them is an
// error before anybody is served; [Server.Run] serves until its context ends, and then lets transfers finish.
//
// # Limits against slow and greedy clients
//
// There is no limit on the time of a whole response: an image of 30 GB may take hours. Instead
//
//   - a connection whose client takes nothing for [Options.IdleTimeout] is cut, and so is one whose client
//     takes less than [Options.LeastRate] on average over such a time. On Linux it counts what the client's
//     kernel has acknowledged, not what our own has buffered; elsewhere what our kernel has taken. A stalled
//     client is found within 13/12 of the idle time, one that trickles within two and a bit;
//   - a request's header must be there within [Options.HeaderTimeout] and have at most 32 KiB, a TLS handshake
//     and a request's body have the same time, and a kept-alive connection may wait [Options.KeepAlive];
//   - connections are counted, in all and for each client: an IPv4 address or an IPv6 /64. What is too many is
//     closed at once. Peers that the policy trusts as proxies are not counted as clients.
//
// A client that has stopped holds 128 KiB in the kernel, on Linux, and some 50 KiB here, most of them a buffer of
// net/http's that is hardly touched: 33 KiB are resident. A program that is to hold thousands calls [LimitGarbage], as
// tplkit serve does: the garbage collector would let that double.
//
// The limits are in the connection, below net/http, and files still go out by sendfile(2). HTTP/2 is off unless
// asked for: there is no sendfile there, and all transfers of a client share one connection. Over HTTP/2 a
// stream must take 32 KiB in an idle time.
//
// # Small files
//
// Requests for small files that are the same bytes as two before are answered from memory, without net/http, if the
// handler is webserve's own and still agrees: it decides anew who may read, and looks whether the file is the same.
// They are in the log and the metrics as all others, and counted by tplkit_http_repeated_total besides. A handler
// around webserve's sees every request.
//
// # TLS
//
// TLS 1.2 or later. The pair is read again by [Server.Reload] and when a file has changed; where the new one is
// no good the old one stays. Nothing of a request is looked at before the handshake is done: Go's server takes
// no early data (0-RTT) over TCP, so a request cannot be replayed past an allow-list.
//
// # PROXY protocol
//
// Versions 1 and 2, of HAProxy's proxy-protocol.txt: required of the peers that the policy lists, which are
// closed where it does not come, and believed of nobody else, for whom such a header is a malformed request.
package daemon
