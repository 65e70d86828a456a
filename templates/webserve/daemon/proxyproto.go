package daemon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// The PROXY protocol, by HAProxy's doc/proxy-protocol.txt.
const (
	proxyV1Max = 107     // bytes of a line of version 1, with CRLF
	proxyV2Max = 4 << 10 // bytes of a header of version 2: the addresses and what a proxy adds to them
	proxyV2Sig = "\r\n\r\n\x00\r\nQUIT\n"
)

// errMore says that a header is not there as a whole yet.
var errMore = errors.New("the PROXY header is not complete")

// A proxyHeader is what a proxy says of a connection.
type proxyHeader struct {
	// Client is who connected to the proxy. Not valid where the proxy speaks for itself (LOCAL, as for its
	// health checks) or does not know (UNKNOWN): then the connection's own peer stands.
	Client netip.AddrPort
}

// parseProxy reads a header of either version:
//
//	PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n
//	PROXY TCP6 2001:db8::1 2001:db8::2 40000 80\r\n
//	PROXY UNKNOWN ...\r\n
//	signature, 0x20 or 0x21, family, length, addresses, more (version 2)
//
// n is its length; what is behind it is the client's. The error is errMore where b is the beginning of a header.
func parseProxy(b []byte) (h proxyHeader, n int, err error) {
	switch {
	case startsLike(b, proxyV2Sig):
		return parseProxyV2(b)
	case startsLike(b, "PROXY "):
		return parseProxyV1(b)
	}
	return h, 0, fmt.Errorf("expected a PROXY header, found %s", templates.Quote(string(b[:min(len(b), 16)])))
}

// startsLike says whether b begins with prefix, or is a beginning of it.
func startsLike(b []byte, prefix string) bool {
	n := min(len(b), len(prefix))
	return string(b[:n]) == prefix[:n]
}

func parseProxyV1(b []byte) (h proxyHeader, n int, err error) {
	line, _, whole := bytes.Cut(b[:min(len(b), proxyV1Max)], []byte("\r\n"))
	if !whole {
		if len(b) >= proxyV1Max {
			return h, 0, fmt.Errorf("PROXY line: no end within %d bytes", proxyV1Max)
		}
		return h, 0, errMore
	}
	n = len(line) + 2
	f := strings.Split(string(line), " ")
	if f[1] == "UNKNOWN" {
		return h, n, nil // what follows is to be ignored
	}
	bad := func(what string) (proxyHeader, int, error) {
		return proxyHeader{}, 0, fmt.Errorf("PROXY line %s: %s", templates.Quote(string(line)), what)
	}
	if f[1] != "TCP4" && f[1] != "TCP6" {
		return bad("expected TCP4, TCP6 or UNKNOWN")
	}
	if len(f) != 6 {
		return bad("expected two addresses and two ports")
	}
	var ends [2]netip.AddrPort
	for i := range ends {
		a, err := netip.ParseAddr(f[2+i])
		if err != nil || a.Zone() != "" || a.Is4() != (f[1] == "TCP4") {
			return bad("expected an address of " + f[1] + ", found " + templates.Quote(f[2+i]))
		}
		port, err := strconv.ParseUint(f[4+i], 10, 16)
		if err != nil || strconv.FormatUint(port, 10) != f[4+i] {
			return bad("expected a port, found " + templates.Quote(f[4+i]))
		}
		ends[i] = netip.AddrPortFrom(a.Unmap(), uint16(port))
	}
	return proxyHeader{Client: ends[0]}, n, nil
}

func parseProxyV2(b []byte) (h proxyHeader, n int, err error) {
	const fixed = len(proxyV2Sig) + 4
	if len(b) < fixed {
		return h, 0, errMore
	}
	command, family := b[12], b[13]
	length := int(binary.BigEndian.Uint16(b[14:16]))
	n = fixed + length
	switch {
	case command != 0x20 && command != 0x21:
		return h, 0, fmt.Errorf("PROXY header: version and command 0x%02x: expected 0x20 (LOCAL) or 0x21 (PROXY)", command)
	case n > proxyV2Max:
		return h, 0, fmt.Errorf("PROXY header: %d bytes: expected at most %d", n, proxyV2Max)
	case len(b) < n:
		return h, 0, errMore
	case command == 0x20:
		return h, n, nil
	}
	// Addresses, then ports; what is behind them are fields that say nothing of the address.
	body := b[fixed:n]
	var size int
	switch family {
	case 0x11:
		size = 4
	case 0x21:
		size = 16
	default:
		return h, 0, fmt.Errorf("PROXY header: family and protocol 0x%02x: expected 0x11 (TCP over IPv4) or 0x21 (TCP over IPv6)", family)
	}
	if len(body) < 2*size+4 {
		return h, 0, fmt.Errorf("PROXY header: %d bytes of addresses: expected %d", len(body), 2*size+4)
	}
	a, _ := netip.AddrFromSlice(body[:size])
	h.Client = netip.AddrPortFrom(a.Unmap(), binary.BigEndian.Uint16(body[2*size:]))
	return h, n, nil
}
