package frontend

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// ImportOptions say how a configuration is read. The zero value works.
type ImportOptions struct {
	// Format is HTTPD or Nginx. "" means that it is seen from the text.
	Format Format

	// Root is the absolute path of the served tree, whose directories are the
	// zones. "" means what the file says by DocumentRoot or root, else
	// [DefaultRoot].
	Root string
}

// maxFile is how large a configuration may be, in bytes: more than Export writes
// for the million prefixes that a policy can hold.
const maxFile = 128 << 20

// knownZones are the zones that a rule for the whole tree is meant for, beside
// those that are named.
var knownZones = []string{"bundles", "kubevirt", "repo", "yum"}

// Import reads the access rules of a configuration. Name is what errors call the
// file. The directories at the top of the root become the zones; where a rule is
// for the whole tree it holds for bundles, kubevirt, repo and yum. A zone that the
// file says nothing about is not in the policy, and so is denied. An nginx server
// says something about everything: without allow and deny it allows.
//
// Of httpd it knows
//
//   - <Directory> and <Location> of the root, of what is above it and of zones; one
//     <VirtualHost>;
//   - Require ip, Require all granted, Require all denied, Require not ip,
//     <RequireAny>, <RequireAll>, AuthMerging;
//   - Order, Allow from, Deny from, as they were in 2.2, but not in one file with
//     Require;
//   - RemoteIPHeader X-Forwarded-For, RemoteIPInternalProxy;
//
// and of nginx
//
//   - one server, in http or by itself, or locations by themselves;
//   - location with a prefix, with or without ^~, for / and for zones;
//   - allow and deny, of which the first that matches counts;
//   - set_real_ip_from with real_ip_header X-Forwarded-For and real_ip_recursive on;
//
// and of both whatever [Export] writes, and directives that change nothing about
// who may read which file: names, addresses to listen on, certificates, logs,
// timeouts, content types, listings. tplkit follows no symbolic link and serves no
// index.html, whatever Options, disable_symlinks and the like say.
//
// Everything else is an error of type [*acl.ParseError], which names the line; so
// are includes, patterns, rules for parts of a zone, and prefixes that
// [acl.ParsePrefix] refuses, for which it says what to write instead.
func Import(name string, r io.Reader, opt ImportOptions) (*acl.Policy, error) {
	if opt.Root != "" {
		if err := checkRoot(opt.Root); err != nil {
			return nil, err
		}
	}
	text, err := readConfig(name, r)
	if err != nil {
		return nil, err
	}
	f := opt.Format
	if f == "" {
		f = guess(text)
	}
	var p *acl.Policy
	switch f {
	case HTTPD:
		p, err = importHTTPD(name, text, opt.Root)
	case Nginx:
		p, err = importNginx(name, text, opt.Root)
	case Caddy:
		return nil, fmt.Errorf("format %s cannot be imported; only %s and %s can", Caddy, HTTPD, Nginx)
	default:
		return nil, unknownFormat(f)
	}
	if err != nil {
		return nil, err
	}
	slices.SortFunc(p.Zones, func(a, b acl.Zone) int { return strings.Compare(a.Name, b.Name) })
	p.Files = []string{name}
	if err := p.Check(); err != nil {
		return nil, &acl.ParseError{File: name, Err: err}
	}
	return p, nil
}

// readConfig reads a file and refuses what an editor would not show.
func readConfig(name string, r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return "", &acl.ParseError{File: name, Err: err}
	case len(text) > maxFile:
		return "", &acl.ParseError{File: name, Err: fmt.Errorf("larger than %d bytes", maxFile)}
	}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimRight(line, "\r\n")
		if !utf8.Valid(line) {
			return "", errorAt(name, number, "%s is not UTF-8", quote(string(line)))
		}
		for _, c := range string(line) {
			if c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
				return "", errorAt(name, number, "%s holds the invisible character %U", quote(string(line)), c)
			}
		}
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n"), nil
}

func errorAt(file string, line int, format string, args ...any) error {
	return &acl.ParseError{File: file, Line: line, Err: fmt.Errorf(format, args...)}
}

// guess tells the language: httpd has sections in angle brackets, nginx ends
// everything with ";" or braces.
func guess(text string) Format {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", line[0] == '#':
		case line[0] == '<':
			return HTTPD
		default:
			line, _, _ = strings.Cut(line, "#")
			line = strings.TrimSpace(line)
			if strings.HasSuffix(line, ";") || strings.HasSuffix(line, "{") || strings.HasSuffix(line, "}") && !strings.Contains(line, "${") {
				return Nginx
			}
		}
	}
	return HTTPD
}

// directive is one directive of either language.
type directive struct {
	name  string   // in lower case for httpd, as it is for nginx
	args  []string // without quotes
	line  int
	block bool // it has a body, which may be empty
	body  []directive
}

// is reports whether the arguments are these.
func (d *directive) is(args ...string) bool { return slices.Equal(d.args, args) }

// show is the directive for a message.
func (d *directive) show() string {
	return quote(strings.Join(append([]string{d.name}, d.args...), " "))
}

// reader is what both importers know of the file that they read.
type reader struct {
	name string
	root string // "" until it is known

	proxies     []netip.Prefix // that are trusted
	proxyAt     int            // a line that speaks of them
	fromProxies []netip.Prefix // that are denied as a client
	fromAt      int
}

func (r *reader) err(d *directive, format string, args ...any) error {
	return errorAt(r.name, d.line, format, args...)
}

// unknown is the error for what is not in the subset.
func (r *reader) unknown(d *directive) error {
	return r.err(d, "%s is not known here, and could bear on who may read what or on what is served; take it out of the file if it does not", d.show())
}

// prefix reads a prefix.
func (r *reader) prefix(d *directive, s string) (netip.Prefix, error) {
	p, err := acl.ParsePrefix(s)
	if err != nil {
		return p, &acl.ParseError{File: r.name, Line: d.line, Err: err}
	}
	return p, nil
}

// prefixes reads several.
func (r *reader) prefixes(d *directive, words []string) ([]netip.Prefix, error) {
	if len(words) == 0 {
		return nil, r.err(d, "%s without an address", d.show())
	}
	out := make([]netip.Prefix, len(words))
	for i, s := range words {
		p, err := r.prefix(d, s)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

// setRoot takes what the file says of the root.
func (r *reader) setRoot(d *directive) error {
	if len(d.args) != 1 {
		return r.err(d, "%s: expected one path", d.show())
	}
	root := strings.TrimRight(d.args[0], "/")
	if err := checkRoot(root); err != nil {
		return &acl.ParseError{File: r.name, Line: d.line, Err: err}
	}
	if r.root != "" && r.root != root {
		return r.err(d, "%s: the root is %s; only one tree can be imported", d.show(), quote(r.root))
	}
	r.root = root
	return nil
}

// trusted is the set of the proxies, once the file is read.
func (r *reader) trusted() (acl.Set, error) {
	s := acl.NewSet(r.proxies...)
	if r.fromAt != 0 && !s.Equal(acl.NewSet(r.fromProxies...)) {
		return s, errorAt(r.name, r.fromAt, "the clients that are denied here are not the trusted proxies")
	}
	return s, nil
}

func intersection(s, t acl.Set) acl.Set { return s.Minus(s.Minus(t)) }
