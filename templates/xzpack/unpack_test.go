package xzpack_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestUnpack(t *testing.T) {
	const block = 64 << 10
	for name, content := range map[string][]byte{
		"empty": nil, "byte": {1}, "zero": {0}, "mixed": image(1, 5*block+1), "zeros": make([]byte, 9*block+5),
		"zeros at the end": append(image(2, block), make([]byte, 3*block)...),
	} {
		t.Run(name, func(t *testing.T) {
			r := open(t, pack(t, content, xzpack.PackOptions{BlockSize: block}))
			for _, jobs := range []int{0, 1, 5} {
				f := file(t, noise(9, 7*block+3)) // what was there must go
				var copied bytes.Buffer
				var last xzpack.Progress
				err := r.Unpack(context.Background(), f, xzpack.UnpackOptions{Jobs: jobs, Content: &copied, Progress: func(p xzpack.Progress) { last = p }})
				require.NoError(t, err)
				got, err := os.ReadFile(f.Name())
				require.NoError(t, err)
				require.True(t, bytes.Equal(content, got))
				require.True(t, bytes.Equal(content, copied.Bytes()))
				require.Equal(t, int64(len(content)), last.Done)
				require.Equal(t, int64(len(content)), last.Total)
			}
		})
	}
}

func TestCopyTellsOfZeros(t *testing.T) {
	const block = 64 << 10
	content := make([]byte, 10*block)
	copy(content[2*block+100:], "data")
	r := open(t, pack(t, content, xzpack.PackOptions{BlockSize: block}))
	var dst, sum zeroCounter
	require.NoError(t, r.Copy(context.Background(), &dst, xzpack.UnpackOptions{Content: &sum}))
	require.True(t, bytes.Equal(content, dst.Bytes()))
	require.True(t, bytes.Equal(content, sum.Bytes()))
	require.Equal(t, int64(len(content)-4096), dst.zeros, "all but one page")
	require.Equal(t, int64(9*block), sum.zeros, "whole blocks")
	var n zeroCounter
	written, err := r.WriteTo(&n)
	require.NoError(t, err)
	require.Equal(t, int64(len(content)), written)
	require.Equal(t, dst.zeros, n.zeros)
}

func TestUnpackErrors(t *testing.T) {
	r := open(t, pack(t, image(1, 100_000), xzpack.PackOptions{BlockSize: 8192}))
	ctx := context.Background()
	t.Run("pipe", func(t *testing.T) {
		pr, pw, err := os.Pipe()
		require.NoError(t, err)
		defer pr.Close()
		defer pw.Close()
		require.ErrorContains(t, r.Unpack(ctx, pw, xzpack.UnpackOptions{}), "expected a regular file, found mode p")
	})
	t.Run("read-only", func(t *testing.T) {
		f := file(t, []byte("old"))
		ro, err := os.Open(f.Name())
		require.NoError(t, err)
		defer ro.Close()
		require.Error(t, r.Unpack(ctx, ro, xzpack.UnpackOptions{}))
	})
	t.Run("closed", func(t *testing.T) {
		f := file(t, nil)
		require.NoError(t, f.Close())
		require.ErrorIs(t, r.Unpack(ctx, f, xzpack.UnpackOptions{}), os.ErrClosed)
	})
	t.Run("jobs", func(t *testing.T) {
		require.ErrorContains(t, r.Unpack(ctx, file(t, nil), xzpack.UnpackOptions{Jobs: -2}), "jobs: expected 0")
	})
	t.Run("content", func(t *testing.T) {
		require.ErrorIs(t, r.Unpack(ctx, file(t, nil), xzpack.UnpackOptions{Content: &full{room: 10_000}}), errDisk)
	})
	t.Run("writer", func(t *testing.T) {
		require.ErrorIs(t, r.Copy(ctx, &full{room: 10_000}, xzpack.UnpackOptions{}), errDisk)
		zeros := open(t, pack(t, make([]byte, 100_000), xzpack.PackOptions{}))
		n, err := zeros.WriteTo(&full{room: 70_000})
		require.ErrorIs(t, err, errDisk)
		require.LessOrEqual(t, n, int64(70_000))
		require.ErrorIs(t, zeros.Copy(ctx, io.Discard, xzpack.UnpackOptions{Content: &full{room: 10_000}}), errDisk)
	})
}

func TestCancelling(t *testing.T) {
	cause := errors.New("the operator pressed Ctrl-C")
	content := image(1, 600_000)
	packed := pack(t, content, xzpack.PackOptions{BlockSize: 64 << 10})
	for name, call := range map[string]func(ctx context.Context, stop func(xzpack.Progress)) error{
		"Pack": func(ctx context.Context, stop func(xzpack.Progress)) error {
			_, err := xzpack.Pack(ctx, io.Discard, bytes.NewReader(content), int64(len(content)), xzpack.PackOptions{BlockSize: 64 << 10, Progress: stop})
			return err
		},
		"PackReader": func(ctx context.Context, stop func(xzpack.Progress)) error {
			_, err := xzpack.PackReader(ctx, io.Discard, bytes.NewReader(content), xzpack.PackOptions{BlockSize: 64 << 10, Progress: stop, Content: io.Discard})
			return err
		},
		"Unpack": func(ctx context.Context, stop func(xzpack.Progress)) error {
			return open(t, packed).Unpack(ctx, file(t, nil), xzpack.UnpackOptions{Progress: stop})
		},
		"Copy": func(ctx context.Context, stop func(xzpack.Progress)) error {
			return open(t, packed).Copy(ctx, io.Discard, xzpack.UnpackOptions{Progress: stop})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			err := call(ctx, func(xzpack.Progress) { cancel(cause) })
			require.ErrorIs(t, err, cause, "in the middle")
			err = call(ctx, nil)
			require.ErrorIs(t, err, cause, "before it begins")
		})
	}
}
