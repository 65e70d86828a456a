package daemon

import (
	"net"
	"net/netip"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
)

// What the tests see of the inside.

const (
	ProxyV1Max  = proxyV1Max
	ProxyV2Max  = proxyV2Max
	ProxyV2Sig  = proxyV2Sig
	DefaultAddr = defaultListen
)

var ErrMore = errMore

// ParseProxy is parseProxy.
func ParseProxy(b []byte) (netip.AddrPort, int, error) {
	h, n, err := parseProxy(b)
	return h.Client, n, err
}

// WrapConn is a connection under a pace; cut hears why it was cut.
func WrapConn(tcp *net.TCPConn, idle time.Duration, least int64, cut func(string)) net.Conn {
	return newConn(tcp, paceLimits{idle, least}, func(r cutReason) { cut(r.String()) }, func() {})
}

// LookAtCertificate is what the watcher does each time.
func (s *Server) LookAtCertificate() { s.lookAtCertificate() }

// Combined and JSON are the lines of a log.
func Combined(e *webserve.Event) string { return string(appendCombined(nil, e)) }
func JSONLine(e *webserve.Event) string { return string(appendJSON(nil, e)) }

// Census is the count of connections.
type Census struct{ c census }

// NewCensus makes one.
func NewCensus(limit, each int) *Census { return &Census{census{max: limit, each: each}} }

func (c *Census) Enter() bool             { return c.c.enter() }
func (c *Census) Claim(a netip.Addr) bool { return c.c.claim(a) }
func (c *Census) Leave(a netip.Addr)      { c.c.leave(a) }
func (c *Census) Open() int               { return c.c.open() }
func (c *Census) Clients() int            { return len(c.c.of) }

// DefaultConns is defaultConns.
var DefaultConns = defaultConns

// Pace is what decides whether a client is cut.
type Pace struct{ p pace }

// NewPace makes one.
func NewPace(idle time.Duration, least int64) *Pace {
	return &Pace{pace{paceLimits: paceLimits{idle, least}}}
}

func (p *Pace) Begin(t time.Time)                     { p.p.begin(t) }
func (p *Pace) End(t time.Time)                       { p.p.end(t) }
func (p *Pace) Sent(n int64)                          { p.p.sent(n) }
func (p *Pace) Look(t time.Time, queued int64) string { return p.p.look(t, queued).String() }

// CloseGate breaks a listener behind the server's back.
func (s *Server) CloseGate(i int) { _ = s.gates[i].tcp.Close() }

// IsHeader is isHeader.
func IsHeader(s []byte) bool { return isHeader(s) }

// Follow is what a connection knows of its requests.
type Follow struct{ f follow }

func (f *Follow) Idle()           { f.f.idle() }
func (f *Follow) First() bool     { return f.f.first() }
func (f *Follow) Passed(s string) { f.f.passed([]byte(s)) }
func (f *Follow) Asked() string   { return string(f.f.asked) }

// SplitAnswer takes an answer apart and puts it together with another date; "" if it is not to be remembered.
func SplitAnswer(answer, date string) string {
	a := splitAnswer([]byte(answer))
	if a == nil {
		return ""
	}
	return string(a.before) + date + string(a.after) + string(a.body)
}

// Repeats is how many answers are remembered, and how many bytes they take.
func (s *Server) Repeats() (n, size int) {
	return s.rules.repeats.known.Size()
}

// Answering has a connection of WrapConn give an answer that net/http knows nothing of, until ended is called.
func Answering(c net.Conn) (ended func() (closing bool)) {
	e := &c.(*conn).ending
	if !e.begin() {
		panic("an answer is being given")
	}
	return e.end
}
