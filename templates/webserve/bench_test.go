package webserve_test

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// prefixes are n networks of which no two touch, and one that holds the loopback
// address.
func prefixes(n int) []netip.Prefix {
	list := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for i := range n - 1 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 0x80000000+uint32(i)*512)
		list = append(list, netip.PrefixFrom(netip.AddrFrom4(b), 24))
	}
	return list
}

// BenchmarkSmallFile sends a file of 4 KiB again and again over one connection,
// with a short and a long list of who may read it.
func BenchmarkSmallFile(b *testing.B) {
	root := newTree(b)
	write(b, root, "kubevirt/small", strings.Repeat("x", 4096))
	for _, c := range []struct {
		name string
		n    int
	}{{"prefixes=1", 1}, {"prefixes=100000", 100_000}} {
		b.Run(c.name, func(b *testing.B) {
			seen := 0
			h := newHandler(b, root, webserve.Options{Policy: acl.Default(prefixes(c.n)...), Observe: func(*webserve.Event) { seen++ }})
			s := start(b, h)
			client := s.Client()
			b.SetBytes(4096)
			b.ReportAllocs()
			for b.Loop() {
				res, err := client.Get(s.URL + "/kubevirt/small")
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, res.Body)
				_ = res.Body.Close()
				if err != nil || n != 4096 {
					b.Fatal(n, err)
				}
			}
		})
	}
}

// nowhere is a ResponseWriter that keeps nothing.
type nowhere struct{ h http.Header }

func (w nowhere) Header() http.Header         { return w.h }
func (w nowhere) WriteHeader(int)             {}
func (w nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (w nowhere) ReadFrom(r io.Reader) (int64, error) {
	return r.(*io.LimitedReader).N, nil // as if the kernel did it
}

// BenchmarkHandler is the handler alone, without a connection.
func BenchmarkHandler(b *testing.B) {
	root := newTree(b)
	write(b, root, "kubevirt/small", strings.Repeat("x", 4096))
	for _, c := range []struct {
		name string
		n    int
	}{{"prefixes=1", 1}, {"prefixes=100000", 100_000}} {
		b.Run(c.name, func(b *testing.B) {
			h := newHandler(b, root, webserve.Options{Policy: acl.Default(prefixes(c.n)...), Observe: func(*webserve.Event) {}})
			r := from("127.0.0.1", "GET", "/kubevirt/small")
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(nowhere{make(http.Header)}, r)
			}
		})
	}
}

func TestBenchmarkPrefixes(t *testing.T) {
	set := acl.NewSet(prefixes(100_000)...)
	require.Len(t, set.Prefixes(), 100_000)
	require.True(t, set.Contains(netip.MustParseAddr("127.0.0.1")))
}
