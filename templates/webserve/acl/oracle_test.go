package acl_test

import (
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

var pairs = flag.Int("pairs", 1_000_000, "compare so many (set, address) pairs with the oracle")

// The oracle knows addresses as whole numbers and prefixes as masks over them.
// It shares nothing with the package: neither ranges nor netip's arithmetic.

type bigAddr struct {
	width int // 32 or 128
	n     *big.Int
}

type bigPrefix struct {
	width, bits int
	mask, net   *big.Int
}

func randomBits(rnd *rand.Rand, width int) *big.Int {
	n := new(big.Int)
	for range width / 32 {
		n.Lsh(n, 32).Or(n, big.NewInt(int64(rnd.Uint32())))
	}
	return n
}

func randomPrefix(rnd *rand.Rand, width, bits int) bigPrefix {
	return prefixOf(bigAddr{width, randomBits(rnd, width)}, bits)
}

func prefixOf(a bigAddr, bits int) bigPrefix {
	one := big.NewInt(1)
	mask := new(big.Int).Lsh(one, uint(bits))
	mask.Sub(mask, one).Lsh(mask, uint(a.width-bits))
	return bigPrefix{a.width, bits, mask, new(big.Int).And(a.n, mask)}
}

func (p bigPrefix) contains(a bigAddr, scratch *big.Int) bool {
	return a.width == p.width && scratch.And(a.n, p.mask).Cmp(p.net) == 0
}

// edges are the first and the last address.
func (p bigPrefix) edges() (first, end bigAddr) {
	size := new(big.Int).Lsh(big.NewInt(1), uint(p.width-p.bits))
	n := new(big.Int).Add(p.net, size)
	return bigAddr{p.width, p.net}, bigAddr{p.width, n.Sub(n, big.NewInt(1))}
}

// step is the address beside a; there may be none.
func (a bigAddr) step(by int64) (bigAddr, bool) {
	n := new(big.Int).Add(a.n, big.NewInt(by))
	return bigAddr{a.width, n}, n.Sign() >= 0 && n.BitLen() <= a.width
}

func (a bigAddr) netip() netip.Addr {
	b := make([]byte, a.width/8)
	got, ok := netip.AddrFromSlice(a.n.FillBytes(b))
	if !ok {
		panic("an address of a width that there is not")
	}
	return got
}

// inSomeForm is the address as it may come from a socket.
func (a bigAddr) inSomeForm(rnd *rand.Rand) netip.Addr {
	got := a.netip()
	if a.width == 32 && rnd.IntN(2) == 0 {
		got = netip.AddrFrom16(got.As16())
	}
	if got.Is6() && rnd.IntN(3) == 0 {
		got = got.WithZone("eth0")
	}
	return got
}

func (p bigPrefix) netip() netip.Prefix {
	return netip.PrefixFrom(bigAddr{p.width, p.net}.netip(), p.bits)
}

func (p bigPrefix) String() string { return p.netip().String() }

// isMapped reports whether an IPv6 number is one of those that mean IPv4.
func (a bigAddr) isMapped() bool {
	return a.width == 128 && new(big.Int).Rsh(a.n, 32).Cmp(big.NewInt(0xffff)) == 0
}

// randomCase is allowed and denied prefixes with some addresses that are near
// them.
func randomCase(rnd *rand.Rand, addresses int) (yes, no []bigPrefix, near []bigAddr) {
	var known []bigPrefix
	for range 1 + rnd.IntN(8) {
		width := []int{32, 128}[rnd.IntN(2)]
		p := randomPrefix(rnd, width, rnd.IntN(width+1))
		if len(known) > 0 && rnd.IntN(2) == 0 { // in, around or beside another one
			q := known[rnd.IntN(len(known))]
			a, _ := q.edges()
			if by, ok := a.step(int64(rnd.IntN(5) - 2)); ok {
				a = by
			}
			p = prefixOf(a, rnd.IntN(q.width+1))
		}
		if p.width == 128 && p.bits >= 96 && (bigAddr{128, p.net}).isMapped() {
			continue // IPv4 in disguise, of which the oracle knows nothing
		}
		known = append(known, p)
		if rnd.IntN(3) == 0 {
			no = append(no, p)
		} else {
			yes = append(yes, p)
		}
	}
	for len(near) < addresses {
		width := []int{32, 128}[rnd.IntN(2)]
		a := bigAddr{width, randomBits(rnd, width)}
		if len(known) > 0 && rnd.IntN(4) > 0 {
			p := known[rnd.IntN(len(known))]
			a = edgeOrInside(rnd, p)
		}
		if !a.isMapped() {
			near = append(near, a)
		}
	}
	return yes, no, near
}

func edgeOrInside(rnd *rand.Rand, p bigPrefix) bigAddr {
	first, end := p.edges()
	switch rnd.IntN(5) {
	case 0:
		return first
	case 1:
		return end
	case 2:
		if a, ok := first.step(-1); ok {
			return a
		}
	case 3:
		if a, ok := end.step(1); ok {
			return a
		}
	}
	host := new(big.Int).AndNot(randomBits(rnd, p.width), p.mask)
	return bigAddr{p.width, host.Or(host, p.net)}
}

func anyContains(list []bigPrefix, a bigAddr, scratch *big.Int) bool {
	for _, p := range list {
		if p.contains(a, scratch) {
			return true
		}
	}
	return false
}

func TestSetsAgreeWithBigIntegers(t *testing.T) {
	const perSet = 50
	rnd := rand.New(rand.NewPCG(5, 6))
	scratch := new(big.Int)
	done, inside := 0, 0
	for done < *pairs {
		yes, no, near := randomCase(rnd, perSet)
		allow, deny := parsedSet(t, yes), parsedSet(t, no)
		both, either := allow.Minus(deny), allow.Union(deny)
		for _, a := range near {
			inYes, inNo := anyContains(yes, a, scratch), anyContains(no, a, scratch)
			addr := a.inSomeForm(rnd)
			if allow.Contains(addr) != inYes || deny.Contains(addr) != inNo ||
				both.Contains(addr) != (inYes && !inNo) || either.Contains(addr) != (inYes || inNo) {
				t.Fatalf("%v: allow %v: %v, deny %v: %v; %v, %v", addr, yes, inYes, no, inNo, texts(both), texts(either))
			}
			if inYes && !inNo {
				inside++
			}
			done++
		}
		requireShortest(t, both)
	}
	require.Greater(t, inside, done/10, "the addresses are nearly all outside")
	require.Less(t, inside, done*9/10, "the addresses are nearly all inside")
}

// parsedSet makes the set by the text of its prefixes.
func parsedSet(t *testing.T, list []bigPrefix) acl.Set {
	var parsed []netip.Prefix
	for _, p := range list {
		got, err := acl.ParsePrefix(fmt.Sprint(p))
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, got)
	}
	return acl.NewSet(parsed...)
}

// requireShortest: the prefixes make the set, are in order and apart, and no two
// of them could be one.
func requireShortest(t *testing.T, s acl.Set) {
	list := s.Prefixes()
	if !acl.NewSet(list...).Equal(s) {
		t.Fatalf("%v make another set", list)
	}
	for i, p := range list {
		if p != p.Masked() {
			t.Fatalf("%v has host bits", p)
		}
		if i == 0 {
			continue
		}
		q := list[i-1]
		if q.Overlaps(p) || q.Addr().Compare(p.Addr()) >= 0 {
			t.Fatalf("%v before %v", q, p)
		}
		if q.Bits() == p.Bits() && q.Bits() > 0 && q.Addr().BitLen() == p.Addr().BitLen() {
			if parent := netip.PrefixFrom(q.Addr(), q.Bits()-1).Masked(); parent.Contains(p.Addr()) {
				t.Fatalf("%v and %v are %v", q, p, parent)
			}
		}
	}
}
