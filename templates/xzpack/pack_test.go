package xzpack_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// image makes n bytes with some of everything that disk images have: text that compresses, zeros, noise.
func image(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 1))
	p := make([]byte, 0, n+8192)
	words := make([][]byte, 64)
	for i := range words {
		words[i] = make([]byte, 3+rnd.IntN(12))
		for j := range words[i] {
			words[i][j] = byte('a' + rnd.IntN(26))
		}
	}
	for len(p) < n {
		switch rnd.IntN(4) {
		case 0:
			p = append(p, make([]byte, 1+rnd.IntN(8192))...)
		case 1:
			for range 1 + rnd.IntN(4096) {
				p = append(p, byte(rnd.Uint32()))
			}
		default:
			for range rnd.IntN(400) {
				p = append(p, words[rnd.IntN(len(words))]...)
			}
		}
	}
	return p[:n]
}

func noise(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 2))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// pack packs content and returns the file.
func pack(t testing.TB, content []byte, opt xzpack.PackOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	res, err := xzpack.Pack(context.Background(), &out, bytes.NewReader(content), int64(len(content)), opt)
	require.NoError(t, err)
	require.Equal(t, int64(len(content)), res.Size)
	require.Equal(t, int64(out.Len()), res.PackedSize)
	return out.Bytes()
}

// independent decodes with the other implementation.
func independent(t testing.TB, file []byte) []byte {
	t.Helper()
	r, err := xz.NewReader(bytes.NewReader(file))
	require.NoError(t, err)
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	return content
}

func open(t testing.TB, file []byte) *xzpack.ReaderAt {
	t.Helper()
	r, err := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{})
	require.NoError(t, err)
	return r
}

// contentOf decodes with this package.
func contentOf(t testing.TB, file []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	n, err := open(t, file).WriteTo(&out)
	require.NoError(t, err)
	require.Equal(t, int64(out.Len()), n)
	return out.Bytes()
}

func TestPackRoundTrips(t *testing.T) {
	const block = 8 << 10
	kinds := map[string]func(n int) []byte{
		"mixed": func(n int) []byte { return image(7, n) },
		"noise": func(n int) []byte { return noise(7, n) },
		"zeros": func(n int) []byte { return make([]byte, n) },
		"holey": func(n int) []byte { p := image(3, n); clear(p[min(n, block):min(n, 3*block)]); return p },
	}
	sizes := []int{0, 1, 3, 4, block - 1, block, block + 1, 2*block - 1, 2 * block, 5*block + 77}
	for kind, content := range kinds {
		t.Run(kind, func(t *testing.T) {
			for _, n := range sizes {
				for _, level := range []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast} {
					want := content(n)
					var first []byte
					for _, jobs := range []int{1, 2, 7} {
						var sum bytes.Buffer
						file := pack(t, want, xzpack.PackOptions{Level: level, BlockSize: block, Jobs: jobs, Content: &sum})
						require.True(t, bytes.Equal(want, sum.Bytes()), "content beside packing, %d bytes", n)
						if first == nil {
							first = file
							require.True(t, bytes.Equal(want, independent(t, file)), "independent decoder, %d bytes", n)
							require.True(t, bytes.Equal(want, contentOf(t, file)), "%d bytes", n)
						}
						require.True(t, bytes.Equal(first, file), "%d bytes, %d jobs: the file depends on the workers", n, jobs)
					}
					var stream bytes.Buffer
					_, err := xzpack.PackReader(context.Background(), &stream, bytes.NewReader(want), xzpack.PackOptions{Level: level, BlockSize: block})
					require.NoError(t, err)
					require.True(t, bytes.Equal(first, stream.Bytes()), "%d bytes: the stream gives another file", n)
				}
			}
		})
	}
}
