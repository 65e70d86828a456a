package xzpack_test

import (
	"bytes"
	"context"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestUnpackIsSparse(t *testing.T) {
	const block, page = 256 << 10, 4 << 10
	content := make([]byte, 40*block)
	copy(content[3*block+5*page:], noise(1, page))
	copy(content[9*block:], noise(2, 3*page))
	content[len(content)-1] = 1
	sizes := pack(t, content, xzpack.PackOptions{BlockSize: block})
	without := forged{blocks: []forgedBlock{{content: content[:30*block], dict: 4 << 20}, {content: content[30*block:], dict: 4 << 20}}}.bytes(t)
	for name, unpack := range map[string]func(f *os.File) error{
		"at random": func(f *os.File) error {
			return open(t, sizes).Unpack(context.Background(), f, xzpack.UnpackOptions{})
		},
		"written back": func(f *os.File) error {
			return open(t, sizes).Unpack(context.Background(), f, xzpack.UnpackOptions{WriteBack: true})
		},
		"stream":           func(f *os.File) error { return stream(t, bytes.NewReader(sizes), xzpack.ReaderOptions{}).Unpack(f) },
		"stream, no sizes": func(f *os.File) error { return stream(t, bytes.NewReader(without), xzpack.ReaderOptions{}).Unpack(f) },
	} {
		f := file(t, noise(9, 1000)) // what was there must go
		require.NoError(t, unpack(f), name)
		got, err := os.ReadFile(f.Name())
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, got), name)
		fi, err := f.Stat()
		require.NoError(t, err)
		allocated := fi.Sys().(*syscall.Stat_t).Blocks * 512
		require.LessOrEqual(t, allocated, int64(64<<10), "%s: 5 pages hold data", name)
		require.Positive(t, allocated)
	}
}

// TestHolesAreFree packs and unpacks 8 GiB of nothing.
func TestHolesAreFree(t *testing.T) {
	f := file(t, nil)
	const size, block = 8 << 30, 2 << 20
	if err := f.Truncate(size); err != nil {
		t.Skipf("no room for a hole of 8 GiB: %v", err)
	}
	_, err := f.WriteAt([]byte("in the middle of nowhere"), 5<<30)
	require.NoError(t, err)
	var packed bytes.Buffer
	res, err := xzpack.Pack(context.Background(), &packed, f, size, xzpack.PackOptions{Level: xzpack.Fast, BlockSize: block})
	require.NoError(t, err)
	require.Equal(t, size/block, res.Blocks)
	require.Equal(t, size/block-1, res.ZeroBlocks)
	out := file(t, nil)
	require.NoError(t, open(t, packed.Bytes()).Unpack(context.Background(), out, xzpack.UnpackOptions{}))
	fi, err := out.Stat()
	require.NoError(t, err)
	require.Equal(t, int64(size), fi.Size())
	require.LessOrEqual(t, fi.Sys().(*syscall.Stat_t).Blocks, int64(128))
	p := make([]byte, 6)
	_, err = out.ReadAt(p, 5<<30+7)
	require.NoError(t, err)
	require.Equal(t, "middle", string(p))
}

// TestCancellingIsPrompt stops a block that would take a quarter of a minute.
func TestCancellingIsPrompt(t *testing.T) {
	content := bytes.Repeat(noise(1, 8<<20), 8)
	before := runtime.NumGoroutine()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := xzpack.Pack(ctx, &bytes.Buffer{}, bytes.NewReader(content), int64(len(content)), xzpack.PackOptions{BlockSize: 64 << 20})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(start), 5*time.Second)
	xzpack.NoMoreGoroutines(t, before)
}
