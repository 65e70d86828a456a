package acl

import (
	"fmt"
	"net/netip"
	"strings"
)

// Change is one difference between two policies: of a zone, of the proxies or
// of the status of refusals.
type Change struct {
	// What is "zone", "trusted-proxies", "proxy-protocol" or "denied".
	What string
	// Zone is the name of the zone, if What is "zone".
	Zone string
	// Added and Removed say that only one of the policies names the zone.
	Added, Removed bool
	// Gained and Lost are the prefixes that only the new and only the old policy
	// hold, as the shortest lists.
	Gained, Lost []netip.Prefix
	// Old and New are the statuses, if What is "denied".
	Old, New int
}

// Diff lists what differs for clients and proxies, however the policies are
// written: the status, the proxies, then the zones by name. Without a
// difference it is nil. A nil policy names no zones.
func Diff(old, new *Policy) []Change {
	if old == nil {
		old = &Policy{}
	}
	if new == nil {
		new = &Policy{}
	}
	var out []Change
	if a, b := old.status(), new.status(); a != b {
		out = append(out, Change{What: denied, Old: a, New: b})
	}
	add := func(c Change, a, b Set) {
		c.Gained, c.Lost = b.Minus(a).Prefixes(), a.Minus(b).Prefixes()
		if c.Added || c.Removed || c.Gained != nil || c.Lost != nil {
			out = append(out, c)
		}
	}
	add(Change{What: trustedProxies}, old.TrustedProxies, new.TrustedProxies)
	add(Change{What: proxyProtocol}, old.ProxyProtocol, new.ProxyProtocol)
	for a, b := old.Zones, new.Zones; len(a) > 0 || len(b) > 0; {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Name < b[0].Name:
			add(Change{What: zoneWord, Zone: a[0].Name, Removed: true}, a[0].Allow, Set{})
			a = a[1:]
		case len(a) == 0 || b[0].Name < a[0].Name:
			add(Change{What: zoneWord, Zone: b[0].Name, Added: true}, Set{}, b[0].Allow)
			b = b[1:]
		default:
			add(Change{What: zoneWord, Zone: a[0].Name}, a[0].Allow, b[0].Allow)
			a, b = a[1:], b[1:]
		}
	}
	return out
}

// String tells the change in lines, without a newline at the end: what has
// changed, then "+" and a prefix for each that was gained, "-" for each that was
// lost.
func (c Change) String() string {
	var b strings.Builder
	b.WriteString(c.What)
	switch {
	case c.What == denied:
		fmt.Fprintf(&b, " %d, was %d", c.New, c.Old)
	case c.Added:
		fmt.Fprintf(&b, " %s: new", c.Zone)
	case c.Removed:
		fmt.Fprintf(&b, " %s: gone", c.Zone)
	case c.Zone != "":
		fmt.Fprintf(&b, " %s", c.Zone)
	}
	for _, p := range c.Gained {
		fmt.Fprintf(&b, "\n  + %s", p)
	}
	for _, p := range c.Lost {
		fmt.Fprintf(&b, "\n  - %s", p)
	}
	return b.String()
}
