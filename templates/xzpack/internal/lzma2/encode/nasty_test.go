//go:build unix

package encode_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
)

// nasty are texts that are hard on match finders and parsers, by name.
func nasty(n int) map[string]func() []byte {
	m := map[string]func() []byte{
		"zeros":                    func() []byte { return make([]byte, n) },
		"ff":                       func() []byte { return cycle(n, []byte{0xff}) },
		"fibonacci":                func() []byte { return fibonacci(n) },
		"de Bruijn":                func() []byte { return deBruijn(n, bits.Len(uint(n))) },
		"inodes, 1 byte":           func() []byte { return newSource(1).records(n, 256, 100) },
		"inodes, 10 bytes":         func() []byte { return newSource(1).records(n, 256, 4, 5, 8, 9, 40, 41, 44, 45, 100, 101) },
		"1 of 5":                   func() []byte { return newSource(1).records(n, 5, 4) },
		"1 of 8":                   func() []byte { return newSource(1).records(n, 8, 7) },
		"4 of 8":                   func() []byte { return newSource(1).records(n, 8, 4, 5, 6, 7) },
		"12 of 16":                 func() []byte { return newSource(1).records(n, 16, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15) },
		"1 of 20":                  func() []byte { return newSource(1).records(n, 20, 7) },
		"1 of 40":                  func() []byte { return newSource(1).records(n, 40, 7) },
		"1 of 70":                  func() []byte { return newSource(1).records(n, 70, 7) },
		"counters down":            func() []byte { return counters(n, binary.LittleEndian, ^uint32(0)) },
		"big-endian counters down": func() []byte { return counters(n, binary.BigEndian, ^uint32(0)) },
		"counters by 7":            func() []byte { return counters(n, binary.LittleEndian, 7) },
		"deflated":                 func() []byte { return newSource(2).deflated(n) },
		"noise":                    func() []byte { return newSource(2).noise(n) },
	}
	for _, k := range []int{3, 7, 60, 64, 97, 255, 270, 300, 4096} {
		m[fmt.Sprintf("period %d", k)] = func() []byte { return newSource(1).periodic(n, k) }
	}
	for _, few := range []string{"ab", "abcd", "aaaaaaab", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "0123456789abcdef"} {
		m["symbols "+few[len(few)-min(8, len(few)):]+fmt.Sprint(len(few))] = func() []byte { return newSource(3).symbols(n, few) }
	}
	for _, size := range []int{4 << 10, 32 << 10, 64 << 10} {
		m[fmt.Sprintf("alternating %d", size)] = func() []byte { s := newSource(4); return alternating(size, s.noise(n), s.prose(n)) }
	}
	for _, l := range []int{20, 70, 140, 300, 5000, 100_000} {
		m[fmt.Sprintf("copies up to %d", l)] = func() []byte { return newSource(5).copies(n, l) }
	}
	for _, l := range []int{30, 60, 100, 250, 1000} {
		m[fmt.Sprintf("almost %d", l)] = func() []byte { return newSource(5).almost(n, l) }
		m[fmt.Sprintf("relatives %d", l)] = func() []byte { return newSource(5).relatives(n, l) }
	}
	return m
}

// cpu is the time that the process has used, in seconds: that is not impressed by what else runs on the machine.
func cpu() float64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// TestNasty: texts that are hard to compress do not take much longer than a dense one, and never more than [lzma2.Bound].
func TestNasty(t *testing.T) {
	notRaced(t)
	n := *nastySize << 20
	if n == 0 {
		n = 70_000
	}
	texts := nasty(n)
	names := slices.Sorted(maps.Keys(texts))
	for _, level := range levels {
		enc := level.encoder()
		timed := func(text []byte) (float64, int) {
			start := cpu()
			packed, err := enc.Encode(bg, nil, text, false)
			took := cpu() - start
			require.NoError(t, err)
			requireDecodes(t, text, packed)
			return took, len(packed)
		}
		dense, size := timed(newSource(9).prose(n))
		t.Logf("%-9s %-30s %9d bytes %6.2f s", level.name, "prose", size, dense)
		for _, name := range names {
			t.Run(level.name+"/"+name, func(t *testing.T) {
				text := texts[name]()
				took, size := timed(text)
				t.Logf("%-9s %-30s %9d bytes %6.2f s, %4.1f times prose", level.name, name, size, took, took/dense)
				require.LessOrEqual(t, size, lzma2.Bound(n))
				if *nastySize > 0 {
					require.LessOrEqual(t, took, 3*dense)
				}
			})
		}
	}
}

// TestPartInRanges: where half of a block's positions have one hash, a part is sorted in ranges. What is encoded does not
// depend on the threads then either.
func TestPartInRanges(t *testing.T) {
	notRaced(t)
	text := newSource(12).symbols(encode.MaxSection, "aaaaaaab")
	one, two := encode.New(encode.Fast), encode.New(encode.Fast)
	two.SetThreads(2)
	packed := proven(t, one, text)
	require.Less(t, len(packed), len(text)/10, "%d bytes", len(packed))
	require.True(t, bytes.Equal(packed, encoded(t, two, text)))
}
