package acl

import (
	"net/netip"
	"slices"
	"sort"
)

// Set is an immutable set of IPv4 and IPv6 addresses. The zero value is empty.
// An IPv4-mapped IPv6 address is the IPv4 address it carries; the IPv6 addresses
// ::ffff:0:0/96 themselves are of no consequence in a larger prefix.
type Set struct {
	// spans are in ascending order, IPv4 first, do not overlap and do not touch.
	// There is no other form for small or large sets: one form is looked up in
	// one way.
	spans []span
}

// span is the addresses from lo to hi, both included and of one family.
type span struct{ lo, hi netip.Addr }

// NewSet is the set of the addresses in any of the prefixes. Host bits do not
// count, a prefix of IPv4-mapped addresses is one of IPv4 addresses, and invalid
// prefixes are empty.
func NewSet(prefixes ...netip.Prefix) Set {
	spans := make([]span, 0, len(prefixes))
	for _, p := range prefixes {
		if p = normal(p); p.IsValid() {
			spans = append(spans, span{p.Addr(), last(p)})
		}
		// Nobody looks up IPv4-mapped addresses. So that sets of the same clients
		// have the same spans, they are in whenever the address before them is,
		// which makes for the shortest prefixes. No prefix holds but some of them,
		// and so no set that is made of such sets does.
		if p.Contains(mappedPrev) {
			spans = append(spans, mappedSpan)
		}
	}
	return Set{merge(spans)}
}

// Everyone is the set of all addresses.
func Everyone() Set { return NewSet(everyIPv4, everyIPv6) }

var (
	everyIPv4 = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	everyIPv6 = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
)

// Contains reports whether a is in the set, in whatever form it comes: mapped
// or not, with a zone or without. The zero Addr is in no set.
func (s Set) Contains(a netip.Addr) bool {
	a = normalAddr(a)
	if !a.IsValid() {
		return false
	}
	return holds(s.spans, a)
}

// holds finds a, which is valid and normal, in spans.
func holds(spans []span, a netip.Addr) bool {
	i := sort.Search(len(spans), func(i int) bool { return !spans[i].hi.Less(a) })
	return i < len(spans) && !a.Less(spans[i].lo)
}

// Union is the set of what is in s, in t or in both.
func (s Set) Union(t Set) Set {
	if s.IsEmpty() {
		return t
	}
	if t.IsEmpty() {
		return s
	}
	return Set{merge(slices.Concat(s.spans, t.spans))}
}

// Minus is the set of what is in s and not in t.
func (s Set) Minus(t Set) Set { return Set{cut(s.spans, t.spans)} }

// cut is what is left of spans without what is in cuts.
func cut(spans, cuts []span) []span {
	var out []span
	for _, rest := range spans {
		for len(cuts) > 0 && cuts[0].hi.Less(rest.lo) {
			cuts = cuts[1:]
		}
		// A cut may reach into the next span, so cuts is not moved on here.
		gone := false
		for _, c := range cuts {
			if rest.hi.Less(c.lo) {
				break
			}
			if rest.lo.Less(c.lo) {
				out = append(out, span{rest.lo, c.lo.Prev()})
			}
			if !c.hi.Less(rest.hi) {
				gone = true
				break
			}
			rest.lo = c.hi.Next()
		}
		if !gone {
			out = append(out, rest)
		}
	}
	return out
}

// Equal reports whether both sets hold the same addresses.
func (s Set) Equal(t Set) bool { return slices.Equal(s.spans, t.spans) }

// IsEmpty reports whether there is no address in the set.
func (s Set) IsEmpty() bool { return len(s.spans) == 0 }

// IsEveryone reports whether every address is in the set.
func (s Set) IsEveryone() bool { return s.Equal(Everyone()) }

// Prefixes is the shortest list of prefixes that make the set, in ascending
// order, IPv4 first. It is nil for an empty set.
func (s Set) Prefixes() []netip.Prefix {
	var out []netip.Prefix
	for _, r := range s.spans {
		for lo := r.lo; lo.IsValid() && !r.hi.Less(lo); {
			p := widest(lo, r.hi)
			if p == halfMapped { // whose other half nobody asks for: do not name it
				p = notMappedHalf
			}
			if !lo.Is4In6() { // whoever looks one up asks for the IPv4 address
				out = append(out, p)
			}
			lo = last(p).Next() // the zero Addr after the last of the family
		}
	}
	return out
}

// widest is the largest prefix that begins at lo and does not go beyond hi.
func widest(lo, hi netip.Addr) netip.Prefix {
	bits := sort.Search(lo.BitLen(), func(bits int) bool {
		p := netip.PrefixFrom(lo, bits)
		return p == p.Masked() && !hi.Less(last(p))
	})
	return netip.PrefixFrom(lo, bits)
}

// merge sorts spans and joins those that overlap or touch. It works in place.
func merge(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return a.lo.Compare(b.lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && joins(out[n-1], s) {
			if out[n-1].hi.Less(s.hi) {
				out[n-1].hi = s.hi
			}
			continue
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil
	}
	return slices.Clip(out)
}

// The IPv4-mapped addresses and the address before them; the one prefix of which
// they are half, and its other half, which is the same set of clients.
var (
	mappedSpan    = span{netip.MustParseAddr("::ffff:0:0"), netip.MustParseAddr("::ffff:ffff:ffff")}
	mappedPrev    = mappedSpan.lo.Prev()
	halfMapped    = netip.MustParsePrefix("::fffe:0:0/95")
	notMappedHalf = netip.MustParsePrefix("::fffe:0:0/96")
)

// joins reports whether b, which begins no earlier than a, overlaps a or
// follows it without a gap. Nothing follows the last address of a family.
func joins(a, b span) bool {
	return !a.hi.Less(b.lo) || a.hi.Next() == b.lo
}

// normalAddr is the form of a in which all addresses are compared.
func normalAddr(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

// normal is p without host bits, and as an IPv4 prefix if it is of mapped
// addresses only.
func normal(p netip.Prefix) netip.Prefix {
	if p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// last is the highest address in p.
func last(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := range b {
		switch host := (i+1)*8 - p.Bits(); {
		case host >= 8:
			b[i] = 0xff
		case host > 0:
			b[i] |= 1<<host - 1
		}
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
