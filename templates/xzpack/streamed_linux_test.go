package xzpack_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// TestLargeBlockMemory: what xz -9 packs as one block is unpacked in little more than the memory of its dictionary.
func TestLargeBlockMemory(t *testing.T) {
	if raced {
		t.Skip("the race detector takes more memory than we do")
	}
	const size, dict = 192 << 20, 64 << 20
	const chunk = 1 << 16
	path := filepath.Join(t.TempDir(), "image.xz")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	write := func(p []byte) {
		_, err := f.Write(p)
		require.NoError(t, err)
	}
	header := container.AppendBlockHeader(nil, container.BlockHeader{Packed: 1, Size: 1, Dict: dict})
	header = withCRC(2, 0, 0x21, 1, header[dictAt(header)], 0, 0, 0)
	write(container.AppendStreamHeader(nil, container.CheckNone))
	write(header)
	const packed = size/chunk*(chunk+3) + 1
	content := noise(1, chunk)
	for i := range size / chunk {
		write([]byte{byte(min(i+1, 2)), 0xff, 0xff})
		write(content)
	}
	write(make([]byte, container.Align(packed)-packed+1))
	index := container.AppendIndex(nil, []container.Record{{Unpadded: int64(len(header)) + packed, Size: size}})
	write(container.AppendStreamFooter(index, container.CheckNone, int64(len(index))))
	peak := peakOf(t, "TestUnpackForMemory", "XZPACK_MEMORY_OF="+path)
	t.Logf("%d MiB", peak)
	require.LessOrEqual(t, peak, 128)
}

// TestUnpackForMemory is the process that TestLargeBlockMemory looks at.
func TestUnpackForMemory(t *testing.T) {
	path := os.Getenv("XZPACK_MEMORY_OF")
	if path == "" {
		t.Skip("for TestLargeBlockMemory alone")
	}
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	info, err := f.Stat()
	require.NoError(t, err)
	r, err := xzpack.Open(f, info.Size(), xzpack.OpenOptions{})
	require.NoError(t, err)
	require.NoError(t, r.Copy(context.Background(), io.Discard, xzpack.UnpackOptions{Content: io.Discard}))
	tellPeak(t)
}
