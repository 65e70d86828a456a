package frontend

import (
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// Format is the configuration language of a web server.
type Format string

// The web servers.
const (
	HTTPD Format = "httpd" // Apache httpd 2.4
	Nginx Format = "nginx"
	Caddy Format = "caddy" // Caddy 2, as a Caddyfile
)

// DefaultRoot is where the tree lies if nothing else is said.
const DefaultRoot = "/var/www/html"

// ExportOptions say what the configuration is for beside the policy. The zero
// value works.
type ExportOptions struct {
	// Root is the absolute path of the served tree. "" means [DefaultRoot].
	Root string

	// ServerName is the host name to answer to. "" means any.
	ServerName string

	// Listen is a port or an IP address with a port, as "80", "192.0.2.1:8080" or
	// "[::]:80". "" means port 80, and for httpd whatever it listens on already:
	// without ServerName and Listen there is no <VirtualHost> around the rules.
	Listen string

	// NoListing refuses to list directories. Listings by nginx and Caddy hold the
	// names of symbolic links, locks and temporary files, too, and the sizes of
	// what links point at, though neither is served by nginx; httpd leaves them
	// out.
	NoListing bool
}

// Export writes p as configuration, in one form whatever the policy was read
// from. For httpd and nginx it is a file for their directory conf.d, for Caddy a
// Caddyfile or a part of one. [Import] reads what is written for httpd and nginx
// back as an equal policy.
//
// Where the servers cannot do what tplkit does they do less. Names must be of
// ASCII; a trusted proxy that asks for itself is denied; so is, if proxies are
// trusted, whoever sends the header Forwarded, since X-Forwarded-For is the only
// one of the two that the servers know. The status of a refusal may differ from
// tplkit's, but with Denied 404 it is 404 for the whole zone. Two things
// they do more: Caddy follows symbolic links, which it has no means against, and
// what is written for it says so; and httpd takes every form that C's
// inet_aton does, as 010.1, in what a trusted proxy writes into X-Forwarded-For.
//
// It is an error if the policy fails [acl.Policy.Check] or asks for PROXY headers,
// which the servers know for whole ports only; if an option is not what it should
// be, or could not be written without being read as something else.
func Export(f Format, p *acl.Policy, opt ExportOptions) ([]byte, error) {
	if p == nil {
		return nil, errors.New("no policy to export")
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	if !p.ProxyProtocol.IsEmpty() {
		return nil, errors.New("the policy names proxy-protocol peers: other servers demand PROXY headers of everybody on a port or of nobody; take them out of the policy and set up a port for them by hand")
	}
	if opt.Root == "" {
		opt.Root = DefaultRoot
	}
	if err := checkExport(opt); err != nil {
		return nil, err
	}
	switch f {
	case HTTPD:
		return exportHTTPD(p, opt), nil
	case Nginx:
		return exportNginx(p, opt), nil
	case Caddy:
		return exportCaddy(p, opt), nil
	}
	return nil, unknownFormat(f)
}

func unknownFormat(f Format) error {
	return fmt.Errorf("format %s: must be one of %s, %s, %s", quote(string(f)), HTTPD, Nginx, Caddy)
}

func checkExport(opt ExportOptions) error {
	if err := checkRoot(opt.Root); err != nil {
		return err
	}
	for i := range len(opt.ServerName) {
		if c := opt.ServerName[i]; !isAlnum(c) && (i == 0 || c != '-' && c != '.') {
			return fmt.Errorf("server name %s: expected a host name as templates.example.org", quote(opt.ServerName))
		}
	}
	if opt.Listen == "" {
		return nil
	}
	if _, _, err := splitListen(opt.Listen); err != nil {
		return err
	}
	return nil
}

// checkRoot refuses a path that would have to be quoted differently for each
// server, or that some of them read as a pattern or a variable.
func checkRoot(root string) error {
	switch {
	case !path.IsAbs(root):
		return fmt.Errorf("root %s: expected an absolute path with slashes, as %s", quote(root), DefaultRoot)
	case path.Clean(root) != root || root == "/":
		return fmt.Errorf("root %s: expected the path of a directory in its shortest form, as %s", quote(root), DefaultRoot)
	case !utf8.ValidString(root):
		return fmt.Errorf("root %s: not UTF-8", quote(root))
	}
	for _, c := range root {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/._-+@=,", c) {
			return fmt.Errorf("root %s: %q means something in some server's configuration; use a path of letters, digits and any of / . _ - + @ = ,", quote(root), c)
		}
	}
	return nil
}

// splitListen parts an address to listen on; the address is invalid if there is
// a port only.
func splitListen(s string) (netip.Addr, uint16, error) {
	if n, err := strconv.ParseUint(s, 10, 16); err == nil && n > 0 && strconv.FormatUint(n, 10) == s {
		return netip.Addr{}, uint16(n), nil
	}
	ap, err := netip.ParseAddrPort(s)
	if err != nil || ap.Port() == 0 || ap.Addr().Zone() != "" || ap.Addr().Is4In6() {
		return netip.Addr{}, 0, fmt.Errorf("listen %s: expected a port or an IP address and a port, as 80, 192.0.2.1:8080 or [::]:80", quote(s))
	}
	return ap.Addr(), ap.Port(), nil
}

func isAlnum(c byte) bool {
	return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9'
}

// status is the HTTP status of a refusal.
func status(p *acl.Policy) int {
	if p.Denied == 0 {
		return 403
	}
	return p.Denied
}
