package xzpack_test

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func BenchmarkPack(b *testing.B) {
	for name, content := range map[string][]byte{"mixed": image(1, 2<<20), "noise": noise(1, 1<<20), "zeros": make([]byte, 64<<20)} {
		for _, level := range []xzpack.Level{xzpack.Best, xzpack.Balanced, xzpack.Fast} {
			b.Run(name+"/"+level.String(), func(b *testing.B) {
				b.SetBytes(int64(len(content)))
				for b.Loop() {
					res, err := xzpack.Pack(context.Background(), io.Discard, bytes.NewReader(content), int64(len(content)), xzpack.PackOptions{Level: level, BlockSize: 512 << 10})
					require.NoError(b, err)
					b.ReportMetric(float64(res.Size)/float64(res.PackedSize), "ratio")
				}
			})
		}
	}
}

func BenchmarkUnpack(b *testing.B) {
	for name, content := range map[string][]byte{"mixed": image(1, 4<<20), "noise": noise(1, 1<<20), "zeros": make([]byte, 64<<20)} {
		b.Run(name, func(b *testing.B) {
			packed := pack(b, content, xzpack.PackOptions{Level: xzpack.Fast, BlockSize: 512 << 10})
			b.SetBytes(int64(len(content)))
			for b.Loop() {
				_, err := open(b, packed).WriteTo(io.Discard)
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkReadAt(b *testing.B) {
	packed := pack(b, image(1, 4<<20), xzpack.PackOptions{Level: xzpack.Fast, BlockSize: 512 << 10})
	r := open(b, packed)
	p := make([]byte, 4096)
	b.SetBytes(int64(len(p)))
	for off := int64(0); b.Loop(); off = (off + 1<<20 + 4096) % (r.Size() - 4096) {
		_, err := r.ReadAt(p, off)
		require.NoError(b, err)
	}
}

func BenchmarkReader(b *testing.B) {
	mixed := image(1, 4<<20)
	for name, file := range map[string][]byte{
		"mixed": pack(b, mixed, xzpack.PackOptions{Level: xzpack.Fast, BlockSize: 512 << 10}), "no sizes": forged{blocks: []forgedBlock{{content: mixed}}}.bytes(b),
		"zeros": pack(b, make([]byte, 4<<20), xzpack.PackOptions{BlockSize: 512 << 10}),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(mixed)))
			for b.Loop() {
				r, err := xzpack.NewReader(bytes.NewReader(file))
				require.NoError(b, err)
				_, err = r.WriteTo(io.Discard)
				require.NoError(b, err)
			}
		})
	}
}
