package acl

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Policy says which clients may read which zones. The zero value denies
// everything, as a nil *Policy does. A policy is not changed while it is in use:
// a new one takes its place.
type Policy struct {
	// Zones are sorted by name, each name once. A zone that is not here is
	// denied.
	Zones []Zone
	// TrustedProxies are the peers whose X-Forwarded-For and Forwarded headers
	// count. They must send one of them: see [Policy.Client].
	TrustedProxies Set
	// ProxyProtocol are the peers that must begin each connection with a PROXY
	// header. Other peers must not send one.
	ProxyProtocol Set
	// Denied is the HTTP status of a refusal: 403, which 0 means, too, or 404.
	Denied int
	// Files are the paths the policy was read from, the policy file first.
	Files []string
}

// Zone is one directory at the top of the served tree.
type Zone struct {
	// Name is the first element of the paths in the zone: see [CheckZoneName].
	Name string
	// Allow are the clients that may read the zone.
	Allow Set
	// Rules are what Allow was made of, for explanations alone. They may be nil.
	Rules []Rule
}

// Rule is one prefix of an allow or deny line, or of an include file.
type Rule struct {
	Deny    bool
	Prefix  netip.Prefix // invalid if All is set
	All     bool
	File    string // "" unless it was read from a file
	Line    int    // counted from 1; 0 unless it was read from a file
	Comment string // what follows the "#" on the line
}

// Default is the policy without a file: repo, bundles and yum are for
// everyone, kubevirt for the given prefixes alone, and so for nobody without
// any.
func Default(kubevirt ...netip.Prefix) *Policy {
	const comment = "the default"
	open := func(name string) Zone {
		return Zone{Name: name, Allow: Everyone(), Rules: []Rule{{All: true, Comment: comment}}}
	}
	closed := Zone{Name: "kubevirt", Allow: NewSet(kubevirt...)}
	for _, p := range kubevirt {
		closed.Rules = append(closed.Rules, Rule{Prefix: p})
	}
	return &Policy{Zones: []Zone{open("bundles"), closed, open("repo"), open("yum")}, Denied: http.StatusForbidden}
}

// The reasons of decisions. There are no others, so they can label a metric.
const (
	ReasonAllowed       = "allowed"
	ReasonNotListed     = "not in the allow-list"
	ReasonNoZone        = "no rule for the zone"
	ReasonUnknownClient = "client address unknown"
)

// Decision is the answer for one request.
type Decision struct {
	Allowed bool
	Reason  string // one of the constants Reason…
}

// Decide says whether client may read zone, which is the first element of a
// path as it is on disk, byte for byte. The client may come in any form:
// IPv4-mapped or with an IPv6 zone. The zero Addr stands for a client whose
// address is not known and is denied everywhere.
func (p *Policy) Decide(zone string, client netip.Addr) Decision {
	z := p.zone(zone)
	switch {
	case z == nil:
		return Decision{Reason: ReasonNoZone}
	case !client.IsValid():
		return Decision{Reason: ReasonUnknownClient}
	case !z.Allow.Contains(client):
		return Decision{Reason: ReasonNotListed}
	}
	return Decision{Allowed: true, Reason: ReasonAllowed}
}

// zone finds a zone by its name; nil means that there is none.
func (p *Policy) zone(name string) *Zone {
	if p == nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(p.Zones, name, func(z Zone, name string) int { return strings.Compare(z.Name, name) })
	if !ok {
		return nil
	}
	return &p.Zones[i]
}

// Check says what is wrong with a policy that was not read from a file: zone
// names that are not valid, not sorted or not unique, a status that is neither
// 403 nor 404, proxies that are everyone. [Parse] returns no policy that fails
// it.
func (p *Policy) Check() error {
	for i, z := range p.Zones {
		if err := CheckZoneName(z.Name); err != nil {
			return err
		}
		if i > 0 && p.Zones[i-1].Name >= z.Name {
			return fmt.Errorf("zone %s after zone %s: zones must be sorted by name and unique", quote(z.Name), quote(p.Zones[i-1].Name))
		}
	}
	if err := checkDenied(p.Denied); p.Denied != 0 && err != nil {
		return err
	}
	return errors.Join(checkPeers(trustedProxies, p.TrustedProxies), checkPeers(proxyProtocol, p.ProxyProtocol))
}

func checkDenied(status int) error {
	if status != http.StatusForbidden && status != http.StatusNotFound {
		return fmt.Errorf("%s %d: must be 403 or 404", denied, status)
	}
	return nil
}

// checkPeers refuses to believe everybody: any client could then choose its own
// address.
func checkPeers(what string, s Set) error {
	for _, p := range []netip.Prefix{everyIPv4, everyIPv6} {
		if NewSet(p).Minus(s).IsEmpty() {
			return fmt.Errorf("%s holds all of %s: every client could claim any address; name the proxies", what, p)
		}
	}
	return nil
}

// status is the HTTP status of a refusal.
func (p *Policy) status() int {
	if p.Denied == 0 {
		return http.StatusForbidden
	}
	return p.Denied
}

// longestZone is what the file systems in use take for a name.
const longestZone = 255

// CheckZoneName says what is wrong with the name of a zone. It is one element
// of a path, of the bytes a-z, 0-9, ".", "_" and "-", begins with a letter or
// digit and does not end with ".": a name that has one spelling only, in URLs
// and on disk.
func CheckZoneName(s string) error {
	const form = "a zone is named as repo or el9-x86_64: a-z, 0-9, \".\", \"_\", \"-\", beginning with a letter or digit, not ending with \".\""
	switch {
	case s == "":
		return errors.New("the name of the zone is empty; " + form)
	case len(s) > longestZone:
		return fmt.Errorf("the name of the zone %s has %d bytes; at most %d are possible", quote(s), len(s), longestZone)
	case strings.HasSuffix(s, "."):
		return fmt.Errorf("zone %s: %s", quote(s), form)
	}
	for i := range len(s) {
		c := s[i]
		inner := i > 0 && (c == '.' || c == '_' || c == '-')
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && !inner {
			return fmt.Errorf("zone %s: %s", quote(s), form)
		}
	}
	return nil
}
