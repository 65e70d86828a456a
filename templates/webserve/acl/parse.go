package acl

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The words of the policy file.
const (
	denied         = "denied"
	trustedProxies = "trusted-proxies"
	proxyProtocol  = "proxy-protocol"
	zoneWord       = "zone"
	allow          = "allow"
	deny           = "deny"
	include        = "include"
	all            = "all"
)

// What a policy may be made of, so that a wrong file costs no memory.
const (
	maxFile     = 1 << 20 // bytes
	maxIncludes = 64
	maxPrefixes = 1_000_000
)

// ParseError is a fault in a policy file or in a file that it includes.
type ParseError struct {
	File string
	Line int // counted from 1; 0 means the file as a whole
	Err  error
}

// Error is "FILE:LINE: fault".
func (e *ParseError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

// Unwrap gives the fault without its place.
func (e *ParseError) Unwrap() error { return e.Err }

// ParseFile reads a policy file as [Parse] does. The paths of include files are
// relative to its directory.
func ParseFile(path string) (_ *Policy, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r := newReader(path, func(name string) (string, io.ReadCloser, error) {
		if !filepath.IsAbs(name) {
			name = filepath.Join(filepath.Dir(path), filepath.FromSlash(name))
		}
		f, err := os.Open(name)
		if err != nil {
			return name, nil, err // not f, which would be an interface that is not nil
		}
		return name, f, nil
	})
	return r.read(f)
}

// Parse reads a policy. Name is what errors and explanations call the file, and
// open opens the files that it includes; with a nil open none may be included.
//
// The file consists of lines of words between blanks. "#" begins a comment
// anywhere; nothing is quoted; indentation is for the eye.
//
//	denied 404                       # the status of refusals; or 403, the default
//	trusted-proxies 10.0.0.1         # believed about the client's address
//	proxy-protocol 10.0.0.3          # must begin with a PROXY header
//	zone repo
//	    allow all
//	zone kubevirt
//	    allow 192.0.2.0/24 2001:db8::/32
//	    include kubevirt.subnets     # a prefix a line, and comments: allowed, too
//	    deny 192.0.2.7               # wins over allow, whatever the order
//
// Prefixes are as [ParsePrefix] has them. A zone that is not named is denied,
// one without allow is denied to everybody, and a zone stands in one place only.
// A file has at most 1 MiB; a policy at most 64 includes, which include nothing
// themselves, and 1,000,000 prefixes. Errors about the content are of type
// [*ParseError].
func Parse(name string, r io.Reader, open func(name string) (io.ReadCloser, error)) (*Policy, error) {
	return newReader(name, func(name string) (string, io.ReadCloser, error) {
		if open == nil {
			return name, nil, errors.New("includes are not possible here; write the prefixes in the file itself")
		}
		f, err := open(name)
		return name, f, err
	}).read(r)
}

// reader reads one policy.
type reader struct {
	name string
	open func(name string) (path string, f io.ReadCloser, err error)

	policy             *Policy
	zone               *zoneLines // the zone that the lines belong to; nil before the first
	zones              []*zoneLines
	zoneAt             map[string]int // the lines of the zones by their names
	proxies, protocols []netip.Prefix
	deniedAt           int // the line of denied; 0 before it
	includes, prefixes int
}

// zoneLines is a zone as it is being read.
type zoneLines struct {
	name  string
	rules []Rule
}

func newReader(name string, open func(string) (string, io.ReadCloser, error)) *reader {
	return &reader{
		name: name, open: open, zoneAt: map[string]int{},
		policy: &Policy{Denied: http.StatusForbidden, Files: []string{name}},
	}
}

func (r *reader) read(f io.Reader) (*Policy, error) {
	if err := eachLine(r.name, f, r.line); err != nil {
		return nil, err
	}
	p := r.policy
	p.TrustedProxies, p.ProxyProtocol = NewSet(r.proxies...), NewSet(r.protocols...)
	slices.SortFunc(r.zones, func(a, b *zoneLines) int { return strings.Compare(a.name, b.name) })
	for _, z := range r.zones {
		p.Zones = append(p.Zones, Zone{Name: z.name, Allow: allowed(z.rules), Rules: z.rules})
	}
	if err := p.Check(); err != nil {
		return nil, &ParseError{File: r.name, Err: err}
	}
	return p, nil
}

// allowed is what rules allow: deny wins, whatever the order.
func allowed(rules []Rule) Set {
	var yes, no []netip.Prefix
	for _, r := range rules {
		list := &yes
		if r.Deny {
			list = &no
		}
		if r.All {
			*list = append(*list, everyIPv4, everyIPv6)
		} else {
			*list = append(*list, r.Prefix)
		}
	}
	return NewSet(yes...).Minus(NewSet(no...))
}

// line takes one line of the policy file.
func (r *reader) line(l line) error {
	if len(l.words) == 0 {
		return nil
	}
	word, args := l.words[0], l.words[1:]
	switch word {
	case denied:
		return r.denied(l.number, args)
	case trustedProxies:
		return r.peers(&r.proxies, word, args)
	case proxyProtocol:
		return r.peers(&r.protocols, word, args)
	case zoneWord:
		return r.begin(l.number, args)
	case allow, deny:
		return r.rules(l, word == deny, args)
	case include:
		return r.include(args)
	}
	return fmt.Errorf("%s is not known; a line begins with one of %s", quote(word),
		strings.Join([]string{denied, trustedProxies, proxyProtocol, zoneWord, allow, deny, include}, ", "))
}

func (r *reader) denied(number int, args []string) error {
	if r.deniedAt != 0 {
		return fmt.Errorf("%s stands in line %d already", denied, r.deniedAt)
	}
	r.deniedAt = number
	switch strings.Join(args, " ") {
	case "403":
		r.policy.Denied = http.StatusForbidden
	case "404":
		r.policy.Denied = http.StatusNotFound
	default:
		return fmt.Errorf("%s takes 403 or 404, not %s", denied, quote(strings.Join(args, " ")))
	}
	return nil
}

// peers reads the prefixes of proxies.
func (r *reader) peers(to *[]netip.Prefix, word string, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s without an address; leave the line out if there is none", word)
	}
	for _, a := range args {
		p, err := r.prefix(a)
		if err != nil {
			return err
		}
		*to = append(*to, p)
	}
	return nil
}

func (r *reader) begin(number int, args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("%s takes one name, there are %d; its rules stand in the lines below", zoneWord, len(args))
	}
	if err := CheckZoneName(args[0]); err != nil {
		return err
	}
	if at := r.zoneAt[args[0]]; at != 0 {
		return fmt.Errorf("%s %s stands in line %d already; put its rules there", zoneWord, args[0], at)
	}
	r.zoneAt[args[0]] = number
	r.zone = &zoneLines{name: args[0]}
	r.zones = append(r.zones, r.zone)
	return nil
}

func (r *reader) rules(l line, deny bool, args []string) error {
	if r.zone == nil {
		return fmt.Errorf("%s before any zone; which zone it belongs to must be said above", l.words[0])
	}
	if len(args) == 0 {
		return fmt.Errorf("%s without a prefix; write %s %s if everybody is meant", l.words[0], l.words[0], all)
	}
	for _, a := range args {
		rule := Rule{Deny: deny, All: a == all, File: r.name, Line: l.number, Comment: l.comment}
		if !rule.All {
			p, err := r.prefix(a)
			if err != nil {
				return err
			}
			rule.Prefix = p
		}
		r.zone.rules = append(r.zone.rules, rule)
	}
	return nil
}

// prefix reads one prefix and counts it.
func (r *reader) prefix(s string) (netip.Prefix, error) {
	if r.prefixes++; r.prefixes > maxPrefixes {
		return netip.Prefix{}, fmt.Errorf("more than %d prefixes; join neighbours to larger ones", maxPrefixes)
	}
	return ParsePrefix(s)
}
