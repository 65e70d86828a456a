package hashutil_test

import (
	"testing"

	"github.com/tplkit/tplkit/hashutil"
)

// sets are the digests that packing an image computes.
var sets = map[string][]hashutil.Algorithm{
	"sha1":             {hashutil.SHA1},
	"sha1+sha256":      {hashutil.SHA1, hashutil.SHA256},
	"sha1+sha256+512":  {hashutil.SHA1, hashutil.SHA256, hashutil.SHA512},
	"no digest at all": nil,
}

func BenchmarkHasherWrite(b *testing.B) {
	block := noise(1 << 20)
	for name, algs := range sets {
		b.Run(name, func(b *testing.B) {
			h := hashutil.NewHasher(algs...)
			b.SetBytes(int64(len(block)))
			b.ReportAllocs()
			for b.Loop() {
				_, _ = h.Write(block)
			}
		})
	}
}

func BenchmarkHasherZeros(b *testing.B) {
	const hole = 16 << 20
	for name, algs := range sets {
		b.Run(name, func(b *testing.B) {
			h := hashutil.NewHasher(algs...)
			b.SetBytes(hole)
			b.ReportAllocs()
			for b.Loop() {
				_ = h.WriteZeros(hole)
			}
		})
	}
}
