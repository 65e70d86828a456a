package acl_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// scattered are n networks that do not touch, half of them IPv4.
func scattered(n int) []netip.Prefix {
	out := make([]netip.Prefix, 0, n)
	for i := range n / 2 {
		var a4 [4]byte
		binary.BigEndian.PutUint32(a4[:], uint32(i)<<10|1<<28)
		out = append(out, netip.PrefixFrom(netip.AddrFrom4(a4), 24))
		a6 := [16]byte{0x20, 0x01, 0x0d, 0xb8}
		binary.BigEndian.PutUint32(a6[4:], uint32(i)<<1)
		out = append(out, netip.PrefixFrom(netip.AddrFrom16(a6), 64))
	}
	return out
}

func BenchmarkContains(b *testing.B) {
	for _, n := range []int{10, 1000, 100_000} {
		list := scattered(n)
		s := acl.NewSet(list...)
		rnd := rand.New(rand.NewPCG(13, 14))
		addrs := make([]netip.Addr, 4096)
		for i := range addrs {
			addrs[i] = list[rnd.IntN(n)].Addr()
			if i%2 == 0 {
				addrs[i] = addrs[i].Prev()
			}
			if i%4 < 2 && addrs[i].Is4() {
				addrs[i] = netip.AddrFrom16(addrs[i].As16())
			}
		}
		b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				_ = s.Contains(addrs[i%len(addrs)])
				i++
			}
		})
	}
}

func BenchmarkNewSet(b *testing.B) {
	list := scattered(100_000)
	rand.New(rand.NewPCG(15, 16)).Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	b.ReportAllocs()
	for b.Loop() {
		_ = acl.NewSet(list...)
	}
}

func BenchmarkDecide(b *testing.B) {
	p := acl.Default(scattered(1000)...)
	a := netip.MustParseAddr("::ffff:192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		_ = p.Decide("kubevirt", a)
	}
}
