package xzpack_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestReadAtLikeAnyReader(t *testing.T) {
	const block = 4096
	for _, n := range []int{1, block - 1, block, block + 1, 3*block - 1, 3 * block, 3*block + 1} {
		content := image(1, n)
		r := open(t, pack(t, content, xzpack.PackOptions{BlockSize: block}))
		require.NoError(t, iotest.TestReader(io.NewSectionReader(r, 0, r.Size()), content), "%d bytes", n)
	}
}

func TestReadAtEdges(t *testing.T) {
	content := append(append([]byte("head"), make([]byte, 8192)...), "tail"...)
	packed := pack(t, content, xzpack.PackOptions{BlockSize: 4096})
	r := open(t, packed)
	require.Equal(t, int64(len(content)), r.Size())
	require.Equal(t, int64(len(packed)), r.PackedSize())
	require.Equal(t, 3, r.NumBlocks())
	for _, tc := range []struct {
		off  int64
		n    int
		want string
		err  error
	}{
		{0, 4, "head", nil},
		{8196, 4, "tail", nil},
		{8198, 4, "il", io.EOF},
		{8200, 1, "", io.EOF},
		{9999, 1, "", io.EOF},
		{8194, 3, "\x00\x00t", nil},
	} {
		p := make([]byte, tc.n)
		for i := range p {
			p[i] = 0xee
		}
		n, err := r.ReadAt(p, tc.off)
		require.Equal(t, tc.err, err, "%+v", tc)
		require.Equal(t, tc.want, string(p[:n]), "%+v", tc)
	}
	_, err := r.ReadAt(make([]byte, 1), -1)
	require.ErrorContains(t, err, "negative offset")
	_, err = open(t, pack(t, nil, xzpack.PackOptions{})).ReadAt(make([]byte, 1), 0)
	require.Equal(t, io.EOF, err)
}

func TestReadAtFromManyGoroutines(t *testing.T) {
	content := image(6, 100_000)
	packed := pack(t, content, xzpack.PackOptions{BlockSize: 8192})
	r, err := xzpack.Open(bytes.NewReader(packed), int64(len(packed)), xzpack.OpenOptions{Cache: 2})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for seed := range uint64(6) {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 0))
			for range 40 {
				off := rnd.IntN(len(content) - 1)
				p := make([]byte, min(1+rnd.IntN(20_000), len(content)-off))
				if _, err := r.ReadAt(p, int64(off)); err != nil || !bytes.Equal(p, content[off:off+len(p)]) {
					t.Errorf("%d bytes at %d: %v", len(p), off, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestIsXZ(t *testing.T) {
	require.True(t, xzpack.IsXZ(pack(t, nil, xzpack.PackOptions{})[:6]))
	require.False(t, xzpack.IsXZ([]byte("\xfd7zXZ")))
	require.False(t, xzpack.IsXZ([]byte("QFI\xfb\x00\x00")))
}
