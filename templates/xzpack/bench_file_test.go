package xzpack_test

import (
	"context"
	"flag"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

var benchFile = flag.String("xzpack.file", "", "image that BenchmarkFile packs and unpacks, on one core")

// BenchmarkFile packs and unpacks a real image. The profile that cmd/tplkit is built with is made of it; docs/XZ.md says
// how.
func BenchmarkFile(b *testing.B) {
	if *benchFile == "" {
		b.Skip("no -xzpack.file")
	}
	f, err := os.Open(*benchFile)
	require.NoError(b, err)
	defer f.Close()
	fi, err := f.Stat()
	require.NoError(b, err)
	for _, level := range []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast} {
		b.Run("pack/"+level.String(), func(b *testing.B) {
			b.SetBytes(fi.Size())
			for b.Loop() {
				_, err := xzpack.Pack(context.Background(), io.Discard, f, fi.Size(), xzpack.PackOptions{Level: level, Jobs: 1, NoProof: true})
				require.NoError(b, err)
			}
		})
	}
	packed := packFile(b, f, fi.Size())
	b.Run("unpack", func(b *testing.B) {
		b.SetBytes(fi.Size())
		for b.Loop() {
			require.NoError(b, open(b, packed).Copy(context.Background(), io.Discard, xzpack.UnpackOptions{Jobs: 1}))
		}
	})
}

func packFile(b *testing.B, f io.ReaderAt, size int64) []byte {
	b.Helper()
	content := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, size), content)
	require.NoError(b, err)
	return pack(b, content, xzpack.PackOptions{Level: xzpack.Fast})
}
