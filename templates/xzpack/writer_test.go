package xzpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestWriterWritesWhatPackDoes(t *testing.T) {
	const block = 8 << 10
	for _, content := range [][]byte{nil, {1}, image(1, block-1), image(1, block), image(1, block+1), image(2, 20*block+77), make([]byte, 5*block+3)} {
		want := pack(t, content, xzpack.PackOptions{BlockSize: block})
		for _, step := range []int{1000, block, 3*block + 1, len(content) + 1} {
			for _, jobs := range []int{1, 2, 5} {
				var file, sum bytes.Buffer
				var last xzpack.Progress
				w, err := xzpack.NewWriterOptions(t.Context(), &file, xzpack.PackOptions{
					BlockSize: block, Jobs: jobs, Content: &sum, Progress: func(p xzpack.Progress) { last = p },
				})
				require.NoError(t, err)
				for rest := content; len(rest) > 0; {
					n, err := w.Write(rest[:min(step, len(rest))])
					require.NoError(t, err)
					require.Equal(t, min(step, len(rest)), n)
					rest = rest[n:]
				}
				require.NoError(t, w.Close())
				require.NoError(t, w.Close())
				require.True(t, bytes.Equal(want, file.Bytes()), "%d bytes, %d at a time, %d jobs", len(content), step, jobs)
				require.True(t, bytes.Equal(content, sum.Bytes()))
				require.Equal(t, int64(len(content)), last.Done)
				require.Equal(t, int64(len(want)), w.Packed().PackedSize)
				require.Equal(t, int64(len(content)), w.Packed().Size)
				_, err = w.Write([]byte("more"))
				require.ErrorIs(t, err, os.ErrClosed)
			}
		}
	}
}

func TestNewWriter(t *testing.T) {
	content := image(1, 300_000)
	var file bytes.Buffer
	w, err := xzpack.NewWriter(&file)
	require.NoError(t, err)
	_, err = io.Copy(w, bytes.NewReader(content))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.True(t, bytes.Equal(content, independent(t, file.Bytes())))
	require.True(t, bytes.Equal(pack(t, content, xzpack.PackOptions{}), file.Bytes()))

	_, err = xzpack.NewWriter(&full{room: 11})
	require.ErrorIs(t, err, errDisk)
	_, err = xzpack.NewWriterOptions(t.Context(), io.Discard, xzpack.PackOptions{BlockSize: 1})
	require.ErrorContains(t, err, "block size")
}

func TestWriterErrorsStay(t *testing.T) {
	before := runtime.NumGoroutine()
	content := image(1, 200_000)
	for _, opt := range []xzpack.PackOptions{{BlockSize: 8192, Jobs: 3}, {BlockSize: 8192, Jobs: 3, Content: &full{room: 50_000}}} {
		dst := io.Writer(&full{room: 20_000})
		if opt.Content != nil {
			dst = io.Discard
		}
		w, err := xzpack.NewWriterOptions(t.Context(), dst, opt)
		require.NoError(t, err)
		n, err := w.Write(content)
		require.ErrorIs(t, err, errDisk)
		require.Less(t, n, len(content))
		n, err = w.Write([]byte("x"))
		require.ErrorIs(t, err, errDisk)
		require.Zero(t, n)
		require.ErrorIs(t, w.Close(), errDisk)
		require.ErrorIs(t, w.Close(), errDisk)
		_, err = w.Write([]byte("x"))
		require.ErrorIs(t, err, errDisk)
	}
	w, err := xzpack.NewWriterOptions(t.Context(), &full{room: 5000}, xzpack.PackOptions{})
	require.NoError(t, err)
	_, err = w.Write(content)
	require.NoError(t, err)
	require.ErrorIs(t, w.Close(), errDisk)
	xzpack.NoMoreGoroutines(t, before)
}

func TestWriterIsCancelled(t *testing.T) {
	before := runtime.NumGoroutine()
	cause := errors.New("the operator pressed Ctrl-C")
	for _, n := range []int{0, 100, 100_000} {
		ctx, cancel := context.WithCancelCause(t.Context())
		w, err := xzpack.NewWriterOptions(ctx, io.Discard, xzpack.PackOptions{BlockSize: 8192})
		require.NoError(t, err)
		_, err = w.Write(image(1, n))
		require.NoError(t, err)
		cancel(cause)
		require.ErrorIs(t, w.Close(), cause, "%d bytes", n)
		require.ErrorIs(t, w.Close(), cause)
		_, err = xzpack.NewWriterOptions(ctx, io.Discard, xzpack.PackOptions{})
		require.ErrorIs(t, err, cause)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	w, err := xzpack.NewWriterOptions(ctx, io.Discard, xzpack.PackOptions{BlockSize: 8192})
	require.NoError(t, err)
	cancel(cause)
	_, err = w.Write(image(1, 100_000))
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, w.Close(), cause)
	xzpack.NoMoreGoroutines(t, before)
}

func TestAbandonedWriterLeaksNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	collected := make(chan struct{})
	func() {
		w, err := xzpack.NewWriterOptions(context.Background(), io.Discard, xzpack.PackOptions{BlockSize: 8192, Jobs: 3})
		require.NoError(t, err)
		_, err = w.Write(image(1, 100_000))
		require.NoError(t, err)
		runtime.AddCleanup(w, func(struct{}) { close(collected) }, struct{}{})
	}()
	xzpack.NoMoreGoroutines(t, before)
	for end := time.Now().Add(10 * time.Second); ; {
		runtime.GC()
		select {
		case <-collected:
			return
		case <-time.After(time.Millisecond):
			require.True(t, time.Now().Before(end), "an abandoned Writer is held by something")
		}
	}
}

func TestShortStreamsAreCheap(t *testing.T) {
	var file bytes.Buffer
	grown := heap(func(sample func()) {
		w, err := xzpack.NewWriterOptions(t.Context(), &file, xzpack.PackOptions{Jobs: 1})
		require.NoError(t, err)
		_, err = w.Write([]byte("a few bytes"))
		require.NoError(t, err)
		sample()
		require.NoError(t, w.Close())
	})
	require.Less(t, grown, uint64(8<<20))
}
