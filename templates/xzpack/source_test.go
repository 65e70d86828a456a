package xzpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// file makes a file with content.
func file(t testing.TB, content []byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "image"))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	_, err = f.Write(content)
	require.NoError(t, err)
	return f
}

// zeroCounter is a Content that is told of zeros.
type zeroCounter struct {
	bytes.Buffer
	zeros int64
}

func (z *zeroCounter) WriteZeros(n int64) error {
	z.zeros += n
	_, err := z.Write(make([]byte, n))
	return err
}

func TestPackFile(t *testing.T) {
	const block = 64 << 10
	f := file(t, nil)
	require.NoError(t, f.Truncate(40*block+99))
	want := make([]byte, 40*block+99)
	for _, at := range []int64{5, 10*block - 3, 20 * block, 40 * block} {
		p := noise(uint64(at), 99)
		copy(want[at:], p)
		_, err := f.WriteAt(p, at)
		require.NoError(t, err)
	}
	_, err := f.Seek(77, io.SeekStart)
	require.NoError(t, err)

	var out bytes.Buffer
	var content zeroCounter
	var last xzpack.Progress
	res, err := xzpack.Pack(context.Background(), &out, f, int64(len(want)), xzpack.PackOptions{
		BlockSize: block, Content: &content, Progress: func(p xzpack.Progress) {
			require.Greater(t, p.Done, last.Done)
			last = p
		},
	})
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, content.Bytes()))
	require.True(t, bytes.Equal(want, independent(t, out.Bytes())))
	require.Equal(t, xzpack.Packed{Size: int64(len(want)), PackedSize: int64(out.Len()), Blocks: 41, ZeroBlocks: 36}, res)
	require.Equal(t, int64(36*block), content.zeros)
	require.Equal(t, xzpack.Progress{Done: int64(len(want)), Total: int64(len(want))}, last)
	require.Equal(t, pack(t, want, xzpack.PackOptions{BlockSize: block}), out.Bytes(), "holes and zeros give the same file")
	off, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	require.Equal(t, int64(77), off)
}

func TestSourceChanges(t *testing.T) {
	const block = 8 << 10
	for _, tc := range []struct {
		name   string
		size   int64
		during func(f *os.File) error
		err    string
	}{
		{"shorter than told", 3*block + 1, nil, "expected 24577 bytes, it has 24576"},
		{"longer than told", 3*block - 1, nil, "expected 24575 bytes, it has 24576"},
		{"shrinks", 3 * block, func(f *os.File) error { return f.Truncate(block) }, "expected 24576 bytes, it "},
		{"grows", 3 * block, func(f *os.File) error { return f.Truncate(4 * block) }, "expected 24576 bytes, it has more"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := file(t, noise(1, 3*block))
			dst := writerFunc(func(p []byte) (int, error) { return len(p), nil })
			if tc.during != nil {
				first := true
				dst = func(p []byte) (int, error) {
					if first { // the stream header: nothing has been read yet
						first = false
						return len(p), nil
					}
					return len(p), tc.during(f)
				}
			}
			_, err := xzpack.Pack(context.Background(), dst, f, tc.size, xzpack.PackOptions{BlockSize: block, Jobs: 1})
			require.ErrorIs(t, err, xzpack.ErrChanged)
			require.ErrorContains(t, err, tc.err)
		})
	}
	t.Run("reader that ends early", func(t *testing.T) {
		_, err := xzpack.Pack(context.Background(), io.Discard, bytes.NewReader(noise(1, 100)), 101, xzpack.PackOptions{})
		require.ErrorIs(t, err, xzpack.ErrChanged)
		require.ErrorContains(t, err, "expected 101 bytes, it ends at 100")
	})
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestPackErrors(t *testing.T) {
	ctx := context.Background()
	src := bytes.NewReader(image(1, 50_000))
	for name, tc := range map[string]struct {
		size int64
		opt  xzpack.PackOptions
		err  string
	}{
		"size":        {-1, xzpack.PackOptions{}, "size: expected 0 or more, found -1"},
		"jobs":        {1, xzpack.PackOptions{Jobs: -1}, "jobs: expected 0 (all cores) or more, found -1"},
		"level":       {1, xzpack.PackOptions{Level: 9}, "level: expected best, balanced or fast, found 9"},
		"small block": {1, xzpack.PackOptions{BlockSize: 4095}, "block size: expected 4096 to 536870912 bytes, found 4095"},
		"large block": {1, xzpack.PackOptions{BlockSize: 513 << 20}, "block size"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := xzpack.Pack(ctx, io.Discard, src, tc.size, tc.opt)
			require.ErrorContains(t, err, tc.err)
			if tc.size > 0 {
				_, err = xzpack.PackReader(ctx, io.Discard, src, tc.opt)
				require.ErrorContains(t, err, tc.err)
			}
		})
	}
	opt := xzpack.PackOptions{BlockSize: 4096, Jobs: 3}
	size := src.Size()
	t.Run("destination", func(t *testing.T) {
		for _, room := range []int{0, 12, 20, 5000} {
			_, err := xzpack.Pack(ctx, &full{room: room}, src, size, opt)
			require.ErrorIs(t, err, errDisk, "room for %d bytes", room)
		}
		_, err := xzpack.Pack(ctx, writerFunc(func(p []byte) (int, error) { return len(p) / 2, nil }), src, size, opt)
		require.ErrorIs(t, err, io.ErrShortWrite)
	})
	t.Run("content", func(t *testing.T) {
		opt := opt
		for _, src := range []io.ReaderAt{src, bytes.NewReader(make([]byte, size))} {
			opt.Content = &full{room: 5000}
			_, err := xzpack.Pack(ctx, io.Discard, src, size, opt)
			require.ErrorIs(t, err, errDisk)
		}
		opt.Content = writerFunc(func([]byte) (int, error) { panic("no hash today") })
		_, err := xzpack.Pack(ctx, io.Discard, src, size, opt)
		require.ErrorContains(t, err, "panic: no hash today")
	})
	t.Run("source", func(t *testing.T) {
		_, err := xzpack.Pack(ctx, io.Discard, &failing{image(1, 50_000), 20_000}, size, opt)
		require.ErrorIs(t, err, errDisk)
		_, err = xzpack.PackReader(ctx, io.Discard, iotest.TimeoutReader(bytes.NewReader(image(1, 50_000))), opt)
		require.ErrorIs(t, err, iotest.ErrTimeout)
		closed := file(t, noise(1, 10))
		require.NoError(t, closed.Close())
		_, err = xzpack.Pack(ctx, io.Discard, closed, 10, opt)
		require.ErrorIs(t, err, os.ErrClosed)
	})
}

// full is a writer with room for so many bytes.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errDisk
	}
	return len(p), nil
}

func TestPackReaderOfSlowReaders(t *testing.T) {
	want := image(5, 30_000)
	for name, r := range map[string]io.Reader{
		"one byte": iotest.OneByteReader(bytes.NewReader(want)),
		"half":     iotest.HalfReader(bytes.NewReader(want)),
		"data+EOF": iotest.DataErrReader(bytes.NewReader(want)),
	} {
		var out bytes.Buffer
		var last xzpack.Progress
		_, err := xzpack.PackReader(context.Background(), &out, r, xzpack.PackOptions{BlockSize: 4096, Progress: func(p xzpack.Progress) { last = p }})
		require.NoError(t, err, name)
		require.Equal(t, want, independent(t, out.Bytes()), name)
		require.Equal(t, xzpack.Progress{Done: 30_000, Total: -1}, last, name)
	}
}

func TestLevels(t *testing.T) {
	for _, level := range []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast} {
		text, err := level.MarshalText()
		require.NoError(t, err)
		var back xzpack.Level
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, level, back)
		require.Equal(t, string(text), level.String())
	}
	_, err := xzpack.ParseLevel("ultra")
	require.ErrorContains(t, err, `level "ultra": expected one of best, balanced, fast`)
	_, err = xzpack.Level(7).MarshalText()
	require.Error(t, err)
	require.Equal(t, "level(7)", xzpack.Level(7).String())
}

// TestLevelsDiffer: on a small text Balanced may be lucky beside Best, but not Fast.
func TestLevelsDiffer(t *testing.T) {
	content := image(9, 1<<20)
	sizes := make([]int, 3)
	for i, level := range []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast} {
		sizes[i] = len(pack(t, content, xzpack.PackOptions{Level: level}))
	}
	require.Less(t, sizes[0], sizes[2])
	require.Less(t, sizes[1], sizes[2])
	require.NotEqual(t, sizes[0], sizes[1])
}

// TestEveryLevelReachesAllOfABlock repeats noise as far away as a block allows.
func TestEveryLevelReachesAllOfABlock(t *testing.T) {
	again := noise(3, 20<<10)
	content := append(append(bytes.Clone(again), bytes.Repeat([]byte{1}, 15<<20)...), again...)
	for _, level := range []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast} {
		require.Less(t, len(pack(t, content, xzpack.PackOptions{Level: level})), len(again)*3/2)
	}
}

func TestErrorsInContext(t *testing.T) {
	err := error(&xzpack.FormatError{Block: 3, Offset: 99, Err: xzpack.ErrLimit})
	require.EqualError(t, err, "block 3 at offset 99: over the limit")
	require.ErrorIs(t, err, xzpack.ErrLimit)
	require.EqualError(t, &xzpack.FormatError{Offset: 7, Err: errors.New("bad")}, "at offset 7: bad")
}
