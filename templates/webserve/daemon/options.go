package daemon

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// Options say how a server runs. The zero value serves plain HTTP on port 8080 of every address.
type Options struct {
	// Listen are the addresses, "host:port" or ":port", with http:// or https:// in front where one server has
	// both; without, they are https where there is a certificate. None means the sockets that systemd passes,
	// and ":8080" where it passes none. Systemd's sockets are served in any case, see Getenv.
	Listen []string

	// Admin is the address of a listener of its own with /metrics, /healthz and /readyz, which serves nothing
	// else and has no access control: it belongs on a private address. "" means none.
	Admin string

	// Getenv gives LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES and NOTIFY_SOCKET, by which systemd passes sockets
	// and hears of the service's state; os.Getenv is meant. A passed socket named "http", "https" or "admin"
	// is what it says. nil means that there is no systemd.
	Getenv func(string) string

	// CertFile and KeyFile are PEM files; both or neither.
	CertFile, KeyFile string

	// HTTP2 is offered to clients of https. By default it is not; the package comment says why.
	HTTP2 bool

	// IdleTimeout cuts a client that takes nothing for so long. 0 means a minute.
	IdleTimeout time.Duration
	// LeastRate is how many bytes a second a client must take, on average over an IdleTimeout. 0 means 1024,
	// negative means no such limit.
	LeastRate int64
	// HeaderTimeout is the time for a request's header, for a request's body and for a TLS handshake.
	// 0 means 10 s.
	HeaderTimeout time.Duration
	// ProxyTimeout is the time for a PROXY header. 0 means 5 s.
	ProxyTimeout time.Duration
	// KeepAlive is how long a connection is kept between two requests. 0 means 2 minutes.
	KeepAlive time.Duration
	// MaxConns bounds the open connections. 0 means 8192, or fewer where the process may not have that many
	// descriptors; negative means no limit.
	MaxConns int
	// MaxConnsPerClient bounds those of one IPv4 address or one IPv6 /64. 0 means 256, negative means no limit.
	MaxConnsPerClient int
	// Grace is how long [Server.Run] waits for transfers to finish. 0 means a minute, negative means not at all.
	Grace time.Duration

	// Policy tells of the peers that speak for others: those that must begin with a PROXY header, and those
	// that are not counted as clients. It is called for every connection. nil means that there are none.
	Policy func() *acl.Policy
	// Reload is called by [Server.Reload] when the certificate has been read and before it is used: it reads
	// the policy and puts it in force, or changes nothing and returns an error. nil means nothing to do.
	Reload func() error
	// Ready is asked by /readyz; an error means 503. nil means that a server that runs is ready.
	Ready func() error

	// Metrics are shown by the admin listener. Give the ones whose Observe the handler calls. nil means new ones.
	Metrics *Metrics
	// AccessLog is counted in the metrics. Writing to it is the handler's, closing it the caller's. May be nil.
	AccessLog *AccessLog

	// Notice is told what happens beside requests, one sentence each: certificates, shutdown. nil: nobody looks.
	Notice func(string)
	// Errors gets the complaints of net/http, a line each, as those of failed handshakes. nil means that they
	// are dropped.
	Errors io.Writer
}

const (
	maxHeaderBytes = 32 << 10
	// certificateLook is how often the files of a certificate are looked at.
	certificateLook = 10 * time.Second
)

// withDefaults checks the options and fills in what zero stands for.
func (o Options) withDefaults() (Options, error) {
	if (o.CertFile == "") != (o.KeyFile == "") {
		return o, errors.New("a certificate and its key: expected both or neither")
	}
	if o.HTTP2 && o.CertFile == "" {
		return o, errors.New("HTTP/2: needs a certificate and its key")
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		std   time.Duration
	}{
		{"idle timeout", &o.IdleTimeout, time.Minute},
		{"header timeout", &o.HeaderTimeout, 10 * time.Second},
		{"PROXY header timeout", &o.ProxyTimeout, 5 * time.Second},
		{"keep-alive time", &o.KeepAlive, 2 * time.Minute},
	} {
		if *d.value < 0 {
			return o, fmt.Errorf("%s %v: expected more than 0", d.name, *d.value)
		}
		if *d.value == 0 {
			*d.value = d.std
		}
	}
	if o.Grace == 0 {
		o.Grace = time.Minute
	}
	o.Grace = max(o.Grace, 0)
	if o.LeastRate == 0 {
		o.LeastRate = 1024
	}
	if o.MaxConns == 0 {
		o.MaxConns = defaultConns(maxFiles())
	}
	if o.MaxConnsPerClient == 0 {
		o.MaxConnsPerClient = 256
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.Errors == nil {
		o.Errors = io.Discard
	}
	if o.Metrics == nil {
		o.Metrics = new(Metrics)
	}
	return o, nil
}

// defaultConns leaves each connection a descriptor for its file, and some for the rest of the process.
func defaultConns(files int, known bool) int {
	const most, rest = 8192, 128
	if !known {
		return most
	}
	return max(min(most, (files-rest)/2), 1)
}

// pace is what a client must take in an idle time.
func (o Options) pace() paceLimits {
	l := paceLimits{idle: o.IdleTimeout}
	if o.LeastRate > 0 {
		l.least = int64(float64(o.LeastRate) * o.IdleTimeout.Seconds())
	}
	return l
}

// proxies is what the policy says of a peer.
func (o Options) proxies(peer netip.Addr) (header, trusted bool) {
	if o.Policy == nil {
		return false, false
	}
	p := o.Policy()
	if p == nil {
		return false, false
	}
	return p.ProxyProtocol.Contains(peer), p.TrustedProxies.Contains(peer)
}
