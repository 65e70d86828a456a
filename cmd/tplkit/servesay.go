package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// announce says on standard error where the tree is served and who may read what.
func (c *serveCmd) announce(s *session, srv *daemon.Server, policy *acl.Policy) {
	if s.Quiet {
		return
	}
	for _, a := range srv.Addrs() {
		fmt.Fprintf(s.stderr, "serving %s on %s\n", quote(c.Root), whereText(a))
	}
	var t table
	for _, z := range policy.Zones {
		who := whoText(z.Allow)
		if c.Config == "" && z.Allow.IsEmpty() {
			who += " (--allow-" + z.Name + " CIDR lets some in)"
		}
		t.row("  "+z.Name, who)
	}
	p := &printer{w: s.stderr}
	t.print(p)
	if a := srv.AdminAddr(); a != "" {
		fmt.Fprintf(s.stderr, "metrics and health on %s\n", a)
	}
}

// whereText is an address that can be opened in a browser on this machine.
func whereText(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	ap, err := netip.ParseAddrPort(u.Host)
	if err != nil || !ap.Addr().IsUnspecified() {
		return address
	}
	return u.Scheme + "://" + net.JoinHostPort("localhost", u.Port()) + " and every other address of this machine"
}

// whoText names a set of clients, the first few prefixes of a long one.
func whoText(s acl.Set) string {
	switch {
	case s.IsEveryone():
		return "everyone"
	case s.IsEmpty():
		return "nobody"
	}
	const most = 4
	all := s.Prefixes()
	var some []string
	for _, p := range all[:min(len(all), most)] {
		some = append(some, p.String())
	}
	text := strings.Join(some, " ")
	if len(all) > most {
		text += fmt.Sprintf(" and %d more", len(all)-most)
	}
	return text
}

// lockedWriter keeps lines of several goroutines apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}
