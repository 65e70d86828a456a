package xzpack_test

import (
	"bytes"
	"context"
	"io"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestBothSidesInOnePass(t *testing.T) {
	one := pack(t, append(image(1, 50_000), make([]byte, 30_000)...), xzpack.PackOptions{BlockSize: 8192})
	two := pack(t, []byte("second"), xzpack.PackOptions{})
	empty := pack(t, nil, xzpack.PackOptions{})
	for name, file := range map[string][]byte{
		"one stream": one, "empty": empty, "padding": append(bytes.Clone(one), make([]byte, 200_000)...),
		"streams": bytes.Join([][]byte{empty, one, make([]byte, 8), two, empty}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			var content, packed bytes.Buffer
			opt := xzpack.UnpackOptions{Content: &content, Packed: &packed}
			require.NoError(t, open(t, file).Copy(context.Background(), io.Discard, opt))
			require.True(t, bytes.Equal(contentOf(t, file), content.Bytes()))
			require.True(t, bytes.Equal(file, packed.Bytes()))
		})
	}
	t.Run("writer fails", func(t *testing.T) {
		for _, room := range []int{0, 20, 5000, len(one) - 20} {
			err := open(t, one).Copy(context.Background(), io.Discard, xzpack.UnpackOptions{Packed: &full{room: room}})
			require.ErrorIs(t, err, errDisk, "%d bytes taken", room)
		}
	})
	t.Run("source fails", func(t *testing.T) {
		src := &failing{one, int64(len(one))}
		r, err := xzpack.Open(src, int64(len(one)), xzpack.OpenOptions{})
		require.NoError(t, err)
		src.good -= 20
		require.ErrorIs(t, r.Copy(context.Background(), io.Discard, xzpack.UnpackOptions{Packed: io.Discard}), errDisk)
	})
}

// readsCounted counts reads.
type readsCounted struct {
	*bytes.Reader
	reads atomic.Int64
}

func (r *readsCounted) ReadAt(p []byte, off int64) (int, error) {
	r.reads.Add(1)
	return r.Reader.ReadAt(p, off)
}

func TestLazyHeaders(t *testing.T) {
	content := image(1, 400_000)
	file := pack(t, content, xzpack.PackOptions{BlockSize: 4096})
	src := &readsCounted{Reader: bytes.NewReader(file)}
	r, err := xzpack.Open(src, int64(len(file)), xzpack.OpenOptions{LazyHeaders: true})
	require.NoError(t, err)
	require.Greater(t, r.NumBlocks(), 90)
	require.LessOrEqual(t, src.reads.Load(), int64(6))
	blocks := r.Blocks()
	require.True(t, blocks[0].HasSize)
	require.Equal(t, xzpack.Block{Stream: 1, Offset: blocks[1].Offset, TotalSize: blocks[1].TotalSize, ContentOffset: 4096, Size: 4096, Check: "crc64"}, blocks[1])
	var got bytes.Buffer
	_, err = r.WriteTo(&got)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, got.Bytes()))

	bad := bytes.Clone(file)
	bad[blocks[50].Offset+3] ^= 1
	_, err = xzpack.Open(bytes.NewReader(bad), int64(len(bad)), xzpack.OpenOptions{})
	require.ErrorContains(t, err, "block 51 at offset")
	r, err = xzpack.Open(bytes.NewReader(bad), int64(len(bad)), xzpack.OpenOptions{LazyHeaders: true})
	require.NoError(t, err)
	_, err = r.ReadAt(make([]byte, 10), 49*4096)
	require.NoError(t, err)
	_, err = r.ReadAt(make([]byte, 10), 50*4096)
	require.ErrorContains(t, err, "block 51 at offset")
	require.ErrorContains(t, err, "block header: crc32 mismatch")
}
