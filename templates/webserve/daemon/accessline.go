package daemon

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
)

// The formats of an access log. Nothing in a line is a control byte or beyond ASCII, whatever a client sends.
const (
	// LogCombined is Apache's combined format, with more behind it:
	//
	//	192.0.2.7 - - [02/Jan/2006:15:04:05 +0000] "GET /repo/el8.xz HTTP/1.1" 206 1048576 "-" "curl/8.0" peer=192.0.2.7 zone=repo decision=allowed sent=206 ms=12.3 range="bytes=0-"
	//
	// Bytes that are not printable are \xHH. A request whose client went away has the status 499, as nginx
	// says it, and the one that was sent behind sent=; cut= tells that it was the server that gave up.
	LogCombined = "combined"
	// LogJSON is a JSON object a line, with the keys time, client, peer, via, method, target, proto, host,
	// status, sent, bytes, range, referer, agent, zone, decision, ms, hung_up, cut, tls and error; those that do
	// not apply are missing. Bytes that are not UTF-8 are U+FFFD.
	LogJSON = "json"
)

// statusHungUp is nginx's for a client that has closed the connection.
const statusHungUp = 499

// What a client sends is cut to so many bytes.
const (
	longTarget = 2048
	longHeader = 512
)

// entry is what both formats say of a request.
type entry struct {
	client, peer, via, decision, cut string
	status                           int
	ms                               string
}

func newEntry(e *webserve.Event) entry {
	n := entry{client: address(e.Client), peer: address(e.Peer), decision: e.Refused, status: e.Status}
	if n.decision == "" {
		n.decision = "allowed"
	}
	if e.HungUp {
		n.status = statusHungUp
	}
	n.ms = strconv.FormatFloat(float64(e.Duration.Microseconds())/1000, 'f', -1, 64)
	if c := connOf(e.Request); c != nil {
		n.cut = cutReason(c.cut.Load()).String()
		if c.client != c.peer {
			n.via = address(addrOf(c.peer))
		}
	}
	return n
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

func appendCombined(b []byte, e *webserve.Event) []byte {
	n, r := newEntry(e), e.Request
	quoted := func(key, s string, most int) {
		b = append(b, key...)
		b = append(b, '"')
		b = appendHex(b, s, most)
		b = append(b, '"')
	}
	word := func(key, s string) {
		if s != "" {
			b = append(b, key...)
			b = appendHex(b, s, longHeader)
		}
	}
	b = append(b, n.client...)
	b = append(b, " - - ["...)
	b = append(b, logTime.text(e.Time)...)
	b = append(b, `] "`...)
	b = appendHex(b, r.Method, longHeader)
	b = append(b, ' ')
	b = appendHex(b, r.RequestURI, longTarget)
	b = append(b, ' ')
	b = appendHex(b, r.Proto, longHeader)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(n.status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, e.Bytes, 10)
	quoted(" ", orDash(r.Referer()), longHeader)
	quoted(" ", orDash(r.UserAgent()), longHeader)
	word(" peer=", n.peer)
	word(" via=", n.via)
	word(" zone=", orDash(e.Zone))
	if n.decision == "allowed" {
		b = append(b, " decision=allowed"...)
	} else {
		quoted(" decision=", n.decision, longHeader)
	}
	word(" sent=", strconv.Itoa(e.Status))
	word(" ms=", n.ms)
	word(" cut=", n.cut)
	if rng := r.Header.Get("Range"); rng != "" {
		quoted(" range=", rng, longHeader)
	}
	if e.Err != nil {
		quoted(" error=", e.Err.Error(), longHeader)
	}
	return append(b, '\n')
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// appendHex appends printable ASCII as it is, and the rest, quotes and backslashes as \xHH.
func appendHex(b []byte, s string, most int) []byte {
	const digits = "0123456789ABCDEF"
	for i := range min(len(s), most) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			b = append(b, '\\', 'x', digits[c>>4], digits[c&15])
		} else {
			b = append(b, c)
		}
	}
	if len(s) > most {
		b = append(b, "..."...)
	}
	return b
}

func appendJSON(b []byte, e *webserve.Event) []byte {
	n, r := newEntry(e), e.Request
	b = append(b, `{"time":"`...)
	b = e.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	text := func(key, s string, most int) {
		if s == "" {
			return
		}
		b = append(b, `,"`...)
		b = append(b, key...)
		b = append(b, `":`...)
		b = appendString(b, s, most)
	}
	raw := func(key, s string) {
		b = append(b, `,"`...)
		b = append(b, key...)
		b = append(b, `":`...)
		b = append(b, s...)
	}
	text("client", n.client, longHeader)
	text("peer", n.peer, longHeader)
	text("via", n.via, longHeader)
	text("method", r.Method, longHeader)
	text("target", r.RequestURI, longTarget)
	text("proto", r.Proto, longHeader)
	text("host", r.Host, longHeader)
	raw("status", strconv.Itoa(n.status))
	raw("sent", strconv.Itoa(e.Status))
	raw("bytes", strconv.FormatInt(e.Bytes, 10))
	text("range", r.Header.Get("Range"), longHeader)
	text("referer", r.Referer(), longHeader)
	text("agent", r.UserAgent(), longHeader)
	text("zone", e.Zone, longHeader)
	text("decision", n.decision, longHeader)
	raw("ms", n.ms)
	if e.HungUp {
		raw("hung_up", "true")
	}
	text("cut", n.cut, longHeader)
	text("tls", tlsVersion(r), longHeader)
	if e.Err != nil {
		text("error", e.Err.Error(), longHeader)
	}
	return append(b, "}\n"...)
}

func tlsVersion(r *http.Request) string {
	if r.TLS == nil {
		return ""
	}
	return tls.VersionName(r.TLS.Version)
}

// appendString appends a JSON string in ASCII. encoding/json would let the control characters of U+0080 and
// above through, which a terminal obeys as well.
func appendString(b []byte, s string, most int) []byte {
	dots := len(s) > most
	s = s[:min(len(s), most)]
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ' && r < 0x7f:
			b = append(b, byte(r))
		case r > 0xffff:
			r -= 0x10000
			b = appendEscape(b, 0xd800+r>>10)
			b = appendEscape(b, 0xdc00+r&0x3ff)
		default: // utf8.RuneError, too
			b = appendEscape(b, r)
		}
	}
	if dots {
		b = append(b, "..."...)
	}
	return append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	b = append(b, `\u`...)
	for shift := 12; shift >= 0; shift -= 4 {
		b = append(b, digits[r>>shift&15])
	}
	return b
}
