package xzpack_test

import (
	"bytes"
	"compress/flate"
	"flag"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

var fullMatrix = flag.Bool("matrix.full", false, "TestMatrix tries all that it can, which takes a quarter of an hour")

// prose is n bytes of words, of which some are much more frequent than others.
func prose(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 3))
	words := make([][]byte, 3000)
	for i := range words {
		for range 2 + rnd.IntN(9) {
			words[i] = append(words[i], "eeeettaaoinshrdlucmfwypvbgk"[rnd.IntN(27)])
		}
		words[i] = append(words[i], ' ')
	}
	p := make([]byte, 0, n+16)
	for len(p) < n {
		f := rnd.Float64()
		p = append(p, words[int(f*f*f*float64(len(words)))]...)
	}
	return p[:n]
}

// deflated is n bytes that somebody else has compressed.
func deflated(n int) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is right
	for seed := uint64(1); b.Len() < n; seed++ {
		w.Write(prose(seed, 100_000))
	}
	return b.Bytes()[:n]
}

// holey is n zeros but for some pages, of which few have to do with each other.
func holey(n int) []byte {
	p := make([]byte, n)
	rnd := rand.New(rand.NewPCG(1, 4))
	for at := 3000; at < n; at += 1 + rnd.IntN(200_000) {
		copy(p[at:min(n, at+rnd.IntN(9000))], image(uint64(at), 9000))
	}
	return p
}

// matrixKinds are contents of a length, each of which begins like a shorter one.
var matrixKinds = []struct {
	name    string
	easy    bool // quick to pack, whatever the size
	content func(n int) []byte
}{
	{"zeros", true, func(n int) []byte { return make([]byte, n) }},
	{"periodic", true, func(n int) []byte { return bytes.Repeat(noise(1, 1021), n/1021+1)[:n] }},
	{"holey", true, holey},
	{"noise", true, func(n int) []byte { return noise(1, n) }},
	{"compressed", true, deflated},
	{"text", false, func(n int) []byte { return prose(1, n) }},
	{"mixed", false, func(n int) []byte { return image(1, n) }},
}

var matrixLevels = []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast}

// around are sizes next to each boundary.
func around(boundaries ...int) (sizes []int) {
	for _, b := range boundaries {
		sizes = append(sizes, b-1, b, b+1)
	}
	return sizes
}

// matrixSizes are the sizes to try with a block size. What is counted somewhere: the bytes that a match is looked for
// with, the longest match, the least block, a segment and the greatest raw chunk, the greatest LZMA chunk, blocks.
func matrixSizes(block int) []int {
	sizes := append([]int{0, 1, 2, 3, 4, 5, 271, 272, 273, 274, 275}, around(4<<10, 64<<10, 2<<20, block, 2*block)...)
	slices.Sort(sizes)
	return slices.Compact(sizes)
}

// quickSizes are those of them that are tried each time. What is smaller than a block has been seen with smaller blocks.
func quickSizes(block int, easy bool) (sizes []int) {
	for _, n := range matrixSizes(block) {
		switch {
		case block == 4<<10 && n <= 64<<10+1:
		case block == 64<<10 && n >= block-1 && n <= 2*block+1:
		case block == 4<<20 && easy && n >= 2<<20-1 && n <= 2<<20+1:
		default:
			continue
		}
		sizes = append(sizes, n)
	}
	return sizes
}

// TestMatrix packs contents of all kinds and sizes, at all levels, in blocks of several sizes. The number of workers makes
// no difference to the file, and it is read alike by our two readers, by the other implementation, and by xz.
func TestMatrix(t *testing.T) {
	blocks := []int{4 << 10, 64 << 10, 4 << 20}
	if *fullMatrix {
		blocks = append(blocks, 1<<20, 16<<20)
	}
	for _, block := range blocks {
		for _, kind := range matrixKinds {
			for _, level := range matrixLevels {
				sizes := quickSizes(block, kind.easy)
				if *fullMatrix {
					sizes = matrixSizes(block)
				}
				if raced && (block > 4<<10 || kind.name != "mixed") {
					continue // the same happens whatever the content
				}
				if len(sizes) == 0 || block == 16<<20 && !kind.easy && level != xzpack.Fast {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d/%s", kind.name, block, level), func(t *testing.T) {
					t.Parallel()
					tryMatrix(t, kind.content, int64(block), level, sizes)
				})
			}
		}
	}
}

// endsAsItBegins has its only match at the greatest distance.
func endsAsItBegins(n int) []byte {
	const same = 1000
	p := noise(1, n)
	copy(p[n-same:], p[:same])
	return p
}

// TestBlocksOfAnySize: a block need not be as large as a dictionary can be. Its matches may go back to its beginning all
// the same.
func TestBlocksOfAnySize(t *testing.T) {
	for _, block := range []int{5000, 6145, 100_000, 5 << 20} {
		for _, level := range matrixLevels {
			file := pack(t, endsAsItBegins(block), xzpack.PackOptions{Level: level, BlockSize: int64(block)})
			b := open(t, file).Blocks()[0]
			require.GreaterOrEqual(t, b.Dict, int64(block))
			require.Less(t, b.Dict, int64(block)*3/2)
			require.Less(t, b.PackedSize, int64(block)-500, "%d bytes, %s: the match was not found", block, level)
			tryMatrix(t, endsAsItBegins, int64(block), level, []int{block})
		}
	}
}

// TestBlocksLargerThanTheDictionary: such a block is compressed in sections.
func TestBlocksLargerThanTheDictionary(t *testing.T) {
	if raced {
		t.Skip("slow, and no other than smaller blocks for the race detector")
	}
	const section = 16 << 20
	tryMatrix(t, holey, section+4<<20, xzpack.Fast, []int{section + 1, section + 4<<20 + 1})
	if *fullMatrix {
		tryMatrix(t, holey, 3*section+1, xzpack.Best, around(section, 2*section, 3*section+1))
	}
}

func tryMatrix(t *testing.T, content func(n int) []byte, block int64, level xzpack.Level, sizes []int) {
	whole := content(slices.Max(sizes))
	var all, allFiles []byte
	for _, n := range sizes {
		want := whole[:n]
		opt := xzpack.PackOptions{Level: level, BlockSize: block, Jobs: 1}
		file := pack(t, want, opt)
		opt.NoProof = true
		for _, opt.Jobs = range []int{2, 5} {
			require.True(t, bytes.Equal(file, pack(t, want, opt)), "%d bytes, %d workers: other bytes than with one", n, opt.Jobs)
		}
		require.True(t, bytes.Equal(want, contentOf(t, file)), "%d bytes", n)
		streamed, err := readStream(t, file, xzpack.Limits{})
		require.NoError(t, err, "%d bytes", n)
		require.True(t, bytes.Equal(want, streamed), "%d bytes, as a stream", n)
		require.True(t, bytes.Equal(want, independent(t, file)), "%d bytes, by the other implementation", n)
		all, allFiles = append(all, want...), append(allFiles, file...)
	}
	// Files behind each other are a file, so xz need be started only once.
	if xz := client(t, "xz", "xz-utils"); xz != "" {
		cmd := exec.Command(xz, "-dc")
		cmd.Stdin = bytes.NewReader(allFiles)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		got, err := cmd.Output()
		require.NoError(t, err, errs.String())
		require.True(t, bytes.Equal(all, got), "by xz")
	}
}
