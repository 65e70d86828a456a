package daemon

import (
	"context"
	"fmt"
	"net"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// defaultListen is where a server listens that was told nothing.
const defaultListen = ":8080"

// A passed socket comes from systemd, with the name that FileDescriptorName= gives it.
type passed struct {
	name string
	tcp  *net.TCPListener
}

func closePassed(ps []passed) {
	for _, p := range ps {
		_ = p.tcp.Close()
	}
}

// sockets are the listening sockets of a server.
type sockets struct {
	plain, secure []*net.TCPListener
	admin         *net.TCPListener // nil: none
}

func (s *sockets) close() {
	for _, l := range append(append([]*net.TCPListener(nil), s.plain...), s.secure...) {
		_ = l.Close()
	}
	if s.admin != nil {
		_ = s.admin.Close()
	}
}

// openSockets takes systemd's sockets and opens those of the options.
func openSockets(ctx context.Context, opt Options) (_ *sockets, err error) {
	s := new(sockets)
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	passed, err := passedSockets(opt.Getenv)
	if err != nil {
		return nil, err
	}
	for i, p := range passed {
		if err := s.take(p, opt); err != nil {
			closePassed(passed[i:])
			return nil, err
		}
	}
	addresses := opt.Listen
	if len(addresses) == 0 && len(s.plain)+len(s.secure) == 0 {
		addresses = []string{defaultListen}
	}
	for _, a := range addresses {
		address, secure, err := splitAddress(a, opt.CertFile != "")
		if err != nil {
			return nil, err
		}
		tcp, err := listenTCP(ctx, address)
		if err != nil {
			return nil, err
		}
		s.add(tcp, secure)
	}
	if opt.Admin != "" {
		if s.admin != nil {
			return nil, fmt.Errorf("admin address %s: systemd passed a socket %q already: give one of the two", templates.Quote(opt.Admin), "admin")
		}
		if s.admin, err = listenTCP(ctx, opt.Admin); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *sockets) add(tcp *net.TCPListener, secure bool) {
	if secure {
		s.secure = append(s.secure, tcp)
	} else {
		s.plain = append(s.plain, tcp)
	}
}

// take sorts in a socket of systemd's. The names http, https and admin mean what they say; by any other name
// it is https where there is a certificate.
func (s *sockets) take(p passed, opt Options) error {
	switch p.name {
	case "admin":
		if s.admin != nil {
			return fmt.Errorf("systemd passed two sockets %q: expected one", p.name)
		}
		s.admin = p.tcp
	case "http":
		s.add(p.tcp, false)
	case "https":
		if opt.CertFile == "" {
			return fmt.Errorf("systemd passed a socket %q: it needs a certificate and its key", p.name)
		}
		s.add(p.tcp, true)
	default:
		s.add(p.tcp, opt.CertFile != "")
	}
	return nil
}

// splitAddress takes "host:port" with or without http:// or https:// in front. Without, it is https where there
// is a certificate.
func splitAddress(a string, certificate bool) (address string, secure bool, err error) {
	bad := func(want string) (string, bool, error) {
		return "", false, fmt.Errorf("listen address %s: %s", templates.Quote(a), want)
	}
	address, secure = a, certificate
	if rest, ok := strings.CutPrefix(a, "http://"); ok {
		address, secure = rest, false
	} else if rest, ok := strings.CutPrefix(a, "https://"); ok {
		if !certificate {
			return bad("needs a certificate and its key")
		}
		address, secure = rest, true
	}
	if _, _, err := net.SplitHostPort(address); err != nil {
		return bad("expected an address and a port, as :8080, 192.0.2.1:80 or https://[2001:db8::1]:443")
	}
	return address, secure, nil
}

func listenTCP(ctx context.Context, address string) (*net.TCPListener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, err // names the address
	}
	return ln.(*net.TCPListener), nil
}
