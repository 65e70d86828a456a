package xzpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// openHolding opens a file whose reader holds blocks of so many bytes at most.
func openHolding(t testing.TB, file []byte, most int64) *xzpack.ReaderAt {
	t.Helper()
	r, err := xzpack.Open(bytes.NewReader(file), int64(len(file)), xzpack.OpenOptions{Limits: xzpack.Limits{Block: most}})
	require.NoError(t, err)
	return r
}

// largeBlocks are files with a block of 3 MiB that openHolding is not to hold, and their contents.
func largeBlocks(t testing.TB) (content []byte, files map[string][]byte) {
	t.Helper()
	content = append(append(image(1, 1<<20), make([]byte, 1<<20)...), image(2, 1<<20)...)
	small := []byte("some more")
	files = make(map[string][]byte)
	for name, sizes := range map[string]bool{"sizes": true, "no sizes": false} {
		files[name] = forged{check: container.CheckCRC64, blocks: []forgedBlock{
			{content: small, sizes: true}, {content: content, sizes: sizes, dict: 4 << 20}, {content: small, sizes: sizes},
		}}.bytes(t)
	}
	files["streams"] = append(append(bytes.Clone(files["sizes"]), make([]byte, 8)...), files["no sizes"]...)
	content = append(append(bytes.Clone(small), content...), small...)
	return content, files
}

func TestLargeBlocks(t *testing.T) {
	content, files := largeBlocks(t)
	for name, packed := range files {
		want := content
		if name == "streams" {
			want = append(bytes.Clone(content), content...)
		}
		for _, jobs := range []int{0, 1, 3} {
			r := openHolding(t, packed, 1<<20)
			f := file(t, noise(9, 7<<20)) // what was there must go
			var content, side zeroCounter
			var last xzpack.Progress
			reports := 0
			opt := xzpack.UnpackOptions{Jobs: jobs, Content: &content, Packed: &side, Progress: func(p xzpack.Progress) {
				require.Greater(t, p.Done, last.Done)
				last = p
				reports++
			}}
			require.NoError(t, r.Unpack(context.Background(), f, opt), name)
			got, err := os.ReadFile(f.Name())
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), name)
			require.True(t, bytes.Equal(want, content.Bytes()), name)
			require.True(t, bytes.Equal(packed, side.Bytes()), name)
			require.Equal(t, xzpack.Progress{Done: int64(len(want)), Total: int64(len(want))}, last)
			require.GreaterOrEqual(t, reports, 3)

			var copied zeroCounter
			n, err := r.WriteTo(&copied)
			require.NoError(t, err)
			require.Equal(t, int64(len(want)), n)
			require.True(t, bytes.Equal(want, copied.Bytes()), name)
			require.Greater(t, copied.zeros, int64(1<<20-8192), "zeros are told of")
		}
	}
}

// TestLargeBlocksAtRandom: what can be held is read at random as ever, what cannot is refused.
func TestLargeBlocksAtRandom(t *testing.T) {
	content, files := largeBlocks(t)
	r := openHolding(t, files["no sizes"], 1<<20)
	p := make([]byte, 9)
	for _, at := range []int64{0, int64(len(content)) - 9} {
		_, err := r.ReadAt(p, at)
		require.NoError(t, err)
		require.Equal(t, "some more", string(p))
	}
	n, err := r.ReadAt(p, 5)
	require.Equal(t, 4, n)
	require.ErrorIs(t, err, xzpack.ErrLimit)
	require.ErrorContains(t, err, "block 2 at offset")
	require.ErrorContains(t, err, "read at random: uncompressed size of 3145728 is over the limit of 1048576")
}

func TestLargeBlockErrors(t *testing.T) {
	_, files := largeBlocks(t)
	good := files["no sizes"]
	bad := bytes.Clone(good)
	last := openHolding(t, good, 1<<20).Blocks()[2]
	bad[last.Offset-1] ^= 1 // in the check of the large block
	unpack := func(ctx context.Context, packed []byte, opt xzpack.UnpackOptions) error {
		return openHolding(t, packed, 1<<20).Unpack(ctx, file(t, nil), opt)
	}
	bg := context.Background()
	before := runtime.NumGoroutine()
	t.Run("damage", func(t *testing.T) {
		var fe *xzpack.FormatError
		require.ErrorAs(t, unpack(bg, bad, xzpack.UnpackOptions{}), &fe)
		require.Equal(t, 2, fe.Block)
		require.Equal(t, openHolding(t, good, 1<<20).Blocks()[1].Offset, fe.Offset)
	})
	t.Run("source", func(t *testing.T) {
		src := &failing{good, int64(len(good))}
		r, err := xzpack.Open(src, int64(len(good)), xzpack.OpenOptions{Limits: xzpack.Limits{Block: 1}})
		require.NoError(t, err)
		src.good = int64(len(good)) / 2
		require.ErrorIs(t, r.Copy(bg, io.Discard, xzpack.UnpackOptions{}), errDisk)
		src.good, src.p = int64(len(good)), good[:len(good)/2]
		require.ErrorIs(t, r.Copy(bg, io.Discard, xzpack.UnpackOptions{}), io.ErrUnexpectedEOF, "it has become shorter")
	})
	t.Run("writers", func(t *testing.T) {
		require.ErrorIs(t, unpack(bg, good, xzpack.UnpackOptions{Content: &full{room: 2 << 20}}), errDisk)
		require.ErrorIs(t, unpack(bg, good, xzpack.UnpackOptions{Packed: &full{room: 1 << 19}}), errDisk)
		require.ErrorIs(t, openHolding(t, good, 1).Copy(bg, &full{room: 2 << 20}, xzpack.UnpackOptions{}), errDisk)
	})
	t.Run("jobs", func(t *testing.T) {
		require.ErrorContains(t, unpack(bg, good, xzpack.UnpackOptions{Jobs: -2}), "jobs: expected 0")
	})
	t.Run("cancelled", func(t *testing.T) {
		cause := errors.New("the operator pressed Ctrl-C")
		ctx, cancel := context.WithCancelCause(bg)
		done := int64(0)
		err := unpack(ctx, good, xzpack.UnpackOptions{Progress: func(p xzpack.Progress) { done = p.Done; cancel(cause) }})
		require.ErrorIs(t, err, cause, "in the middle")
		require.Less(t, done, int64(3<<20))
		require.ErrorIs(t, unpack(ctx, good, xzpack.UnpackOptions{}), cause, "before it begins")
	})
	xzpack.NoMoreGoroutines(t, before)
}

// TestRatioOfLargeBlocks: a block that may be of any size may still not claim what it cannot hold.
func TestRatioOfLargeBlocks(t *testing.T) {
	claim := forged{index: []container.Record{{Unpadded: 40, Size: 1 << 40}}}.bytes(t)
	_, err := xzpack.Open(bytes.NewReader(claim), int64(len(claim)), xzpack.OpenOptions{})
	require.ErrorIs(t, err, xzpack.ErrLimit)
	require.ErrorContains(t, err, "compression ratio of")
}

func TestNumStreams(t *testing.T) {
	empty, one := pack(t, nil, xzpack.PackOptions{}), pack(t, image(1, 9000), xzpack.PackOptions{BlockSize: 4096})
	require.Equal(t, 1, open(t, empty).NumStreams())
	require.Empty(t, open(t, empty).Blocks())
	r := open(t, bytes.Join([][]byte{empty, one, make([]byte, 4), empty, one}, nil))
	require.Equal(t, 4, r.NumStreams())
	var in []int
	for _, b := range r.Blocks() {
		in = append(in, b.Stream)
	}
	require.Equal(t, []int{2, 2, 2, 4, 4, 4}, in)
}
