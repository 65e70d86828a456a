package acl_test

import (
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

func prefixes(t testing.TB, list ...string) []netip.Prefix {
	t.Helper()
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		require.NoError(t, err)
		out = append(out, p)
	}
	return out
}

func set(t testing.TB, list ...string) acl.Set {
	t.Helper()
	return acl.NewSet(prefixes(t, list...)...)
}

func texts(s acl.Set) []string {
	var out []string
	for _, p := range s.Prefixes() {
		out = append(out, p.String())
	}
	return out
}

func TestPrefixesAreTheShortestList(t *testing.T) {
	for _, tc := range []struct {
		name     string
		in, want []string
	}{
		{"nothing", nil, nil},
		{"one", []string{"192.0.2.0/24"}, []string{"192.0.2.0/24"}},
		{"in order, IPv4 first", []string{"2001:db8::/32", "::/128", "192.0.2.0/24", "10.0.0.0/8"}, []string{"10.0.0.0/8", "192.0.2.0/24", "::/128", "2001:db8::/32"}},
		{"neighbours join", []string{"192.0.2.128/25", "192.0.2.0/25"}, []string{"192.0.2.0/24"}},
		{"neighbours of different parents do not", []string{"192.0.3.0/24", "192.0.4.0/24"}, []string{"192.0.3.0/24", "192.0.4.0/24"}},
		{"one in the other", []string{"10.0.0.0/8", "10.1.0.0/16", "10.0.0.0/8"}, []string{"10.0.0.0/8"}},
		{"halves of everything", []string{"0.0.0.0/1", "128.0.0.0/1"}, []string{"0.0.0.0/0"}},
		{"the families do not touch", []string{"255.255.255.255/32", "::/128"}, []string{"255.255.255.255/32", "::/128"}},
		{"the ends of IPv6", []string{"::/1", "8000::/1"}, []string{"::/0"}},
		{"host bits", []string{"10.1.2.3/8", "2001:db8::1/32"}, []string{"10.0.0.0/8", "2001:db8::/32"}},
		{"mapped", []string{"::ffff:10.0.0.0/104", "::ffff:192.0.2.1/128"}, []string{"10.0.0.0/8", "192.0.2.1/32"}},
		{"all that is mapped", []string{"::ffff:0:0/96"}, []string{"0.0.0.0/0"}},
		{"a range over several", []string{"10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/30", "10.0.0.8/32"}, []string{"10.0.0.1/32", "10.0.0.2/31", "10.0.0.4/30", "10.0.0.8/32"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, texts(set(t, tc.in...)))
		})
	}
	require.Nil(t, acl.NewSet(netip.Prefix{}, netip.PrefixFrom(netip.MustParseAddr("10.0.0.0"), 33)).Prefixes())
}

func TestSetAlgebra(t *testing.T) {
	a := set(t, "10.0.0.0/24", "2001:db8::/64")
	require.Equal(t, []string{"10.0.0.0/24", "192.0.2.0/24", "2001:db8::/64"}, texts(a.Union(set(t, "192.0.2.0/24", "10.0.0.7/32"))))
	require.True(t, a.Union(acl.Set{}).Equal(a))
	require.True(t, acl.Set{}.Union(a).Equal(a))

	for _, tc := range []struct {
		name        string
		from, minus []string
		want        []string
	}{
		{"nothing", []string{"10.0.0.0/24"}, nil, []string{"10.0.0.0/24"}},
		{"from nothing", nil, []string{"10.0.0.0/24"}, nil},
		{"itself", []string{"10.0.0.0/24", "::/0"}, []string{"10.0.0.0/24", "::/0"}, nil},
		{"more", []string{"10.0.0.0/24"}, []string{"10.0.0.0/8"}, nil},
		{"the first", []string{"10.0.0.0/30"}, []string{"10.0.0.0/32"}, []string{"10.0.0.1/32", "10.0.0.2/31"}},
		{"the last", []string{"10.0.0.0/30"}, []string{"10.0.0.3/32"}, []string{"10.0.0.0/31", "10.0.0.2/32"}},
		{"two inside", []string{"10.0.0.0/29"}, []string{"10.0.0.2/32", "10.0.0.5/32"}, []string{"10.0.0.0/31", "10.0.0.3/32", "10.0.0.4/32", "10.0.0.6/31"}},
		{"one cut through several", []string{"10.0.0.0/32", "10.0.0.2/32", "10.0.0.4/31"}, []string{"10.0.0.0/30", "10.0.0.4/32"}, []string{"10.0.0.5/32"}},
		{"the ends of the families", []string{"0.0.0.0/0", "::/0"}, []string{"128.0.0.0/1", "::/1"}, []string{"0.0.0.0/1", "8000::/1"}},
		{"the other family", []string{"10.0.0.0/8"}, []string{"::/0"}, []string{"10.0.0.0/8"}},
		{"beside", []string{"10.0.1.0/24"}, []string{"10.0.0.0/24", "10.0.2.0/24"}, []string{"10.0.1.0/24"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			from, minus := set(t, tc.from...), set(t, tc.minus...)
			got := from.Minus(minus)
			require.Equal(t, tc.want, texts(got))
			require.True(t, got.Equal(set(t, tc.want...)))
			require.Equal(t, texts(set(t, tc.from...)), texts(from), "a set is immutable")
			require.Equal(t, texts(set(t, tc.minus...)), texts(minus))
		})
	}
}

func TestEveryone(t *testing.T) {
	require.True(t, acl.Everyone().IsEveryone())
	require.False(t, acl.Everyone().IsEmpty())
	require.True(t, acl.Set{}.IsEmpty())
	require.False(t, set(t, "0.0.0.0/0").IsEveryone())
	require.False(t, set(t, "::/0").IsEveryone())
	for _, a := range []string{"0.0.0.0", "255.255.255.255", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:0.0.0.0", "fe80::1%eth0"} {
		require.True(t, acl.Everyone().Contains(netip.MustParseAddr(a)), a)
		require.False(t, acl.Set{}.Contains(netip.MustParseAddr(a)), a)
	}
	require.False(t, acl.Everyone().Contains(netip.Addr{}))
}

// What a dual-stack socket calls a client must be found, and nothing else.
func TestContainsInEveryForm(t *testing.T) {
	for _, tc := range []struct {
		set, addr string
		want      bool
	}{
		{"192.0.2.0/24", "::ffff:192.0.2.1", true},
		{"192.0.2.0/24", "::ffff:192.0.2.1%eth0", true},
		{"192.0.2.0/24", "::192.0.2.1", false},
		{"192.0.2.0/24", "64:ff9b::192.0.2.1", false},
		{"192.0.2.0/24", "2002:c000:201::", false},
		{"fe80::/10", "fe80::1%eth0", true},
		{"fe80::/10", "fec0::1%eth0", false},
		{"::/0", "::ffff:192.0.2.1", false},
		{"0.0.0.0/0", "::ffff:192.0.2.1", true},
		{"0.0.0.0/0", "::1", false},
		{"::/0", "127.0.0.1", false},
	} {
		require.Equal(t, tc.want, set(t, tc.set).Contains(netip.MustParseAddr(tc.addr)), "%s in %s", tc.addr, tc.set)
	}
}

// The four addresses at the edges of a prefix of every length.
func TestEdgesOfEveryLength(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for _, width := range []int{32, 128} {
		for bits := range width + 1 {
			for range 20 {
				p := randomPrefix(rnd, width, bits)
				s := acl.NewSet(p.netip())
				requireEdges(t, s, p)
				require.Equal(t, []string{p.netip().String()}, texts(s))
				// Cut out of everything, the edges are the other way round.
				rest := acl.Everyone().Minus(s)
				require.Equal(t, bits == 0, len(rest.Prefixes()) == 1)
				require.True(t, rest.Union(s).IsEveryone())
				require.False(t, rest.Contains(p.netip().Addr()))
				require.True(t, acl.Everyone().Minus(rest).Equal(s))
			}
		}
	}
}

// requireEdges looks at the first and last address of p and at those beside it.
func requireEdges(t *testing.T, s acl.Set, p bigPrefix) {
	t.Helper()
	first, end := p.edges()
	require.True(t, s.Contains(first.netip()), "%v", p)
	require.True(t, s.Contains(end.netip()), "%v", p)
	if before, ok := first.step(-1); ok {
		require.False(t, s.Contains(before.netip()), "%v", p)
	}
	if after, ok := end.step(1); ok {
		require.False(t, s.Contains(after.netip()), "%v", p)
	}
}

// Every other one of 65,536 networks, and all their edges.
func TestEdgesOfEvery24(t *testing.T) {
	var even []netip.Prefix
	for i := range 1 << 16 {
		if i%2 == 0 {
			even = append(even, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i)}), 24))
		}
	}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(even), func(i, j int) { even[i], even[j] = even[j], even[i] })
	s := acl.NewSet(even...)
	require.Len(t, s.Prefixes(), 1<<15)
	rest := set(t, "10.0.0.0/8").Minus(s)
	require.Len(t, rest.Prefixes(), 1<<15)
	for i := range 1 << 16 {
		for _, host := range []byte{0, 1, 127, 128, 254, 255} {
			a := netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), host})
			if s.Contains(a) != (i%2 == 0) || rest.Contains(a) == (i%2 == 0) {
				t.Fatal(a)
			}
		}
	}
	for _, a := range []string{"9.255.255.255", "11.0.0.0"} {
		require.False(t, s.Contains(netip.MustParseAddr(a)))
		require.False(t, rest.Contains(netip.MustParseAddr(a)))
	}
}

func TestLookingUpAllocatesNothing(t *testing.T) {
	s := set(t, "10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32")
	mapped, zoned := netip.MustParseAddr("::ffff:192.0.2.1"), netip.MustParseAddr("2001:db8::1%eth0")
	p := acl.Default(prefixes(t, "192.0.2.0/24")...)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		_ = s.Contains(mapped)
		_ = s.Contains(zoned)
		_ = p.Decide("kubevirt", mapped)
		_ = p.Decide("unknown", zoned)
	}))
}
