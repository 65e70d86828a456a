package container

import (
	"hash"
	"hash/crc64"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCRC64 compares with the standard library's, for every length around a step and in pieces.
func TestCRC64(t *testing.T) {
	rnd := rand.NewChaCha8([32]byte{1})
	p := make([]byte, 1000)
	_, _ = rnd.Read(p)
	ecma := crc64.MakeTable(crc64.ECMA)
	for n := range 70 {
		for cut := range n + 1 {
			ours, theirs := hash.Hash(new(crc64Hash)), crc64.New(ecma)
			ours.Write(p[:cut])
			ours.Write(p[cut:n])
			theirs.Write(p[:n])
			require.Equal(t, theirs.Sum([]byte("a")), ours.Sum([]byte("a")), "%d bytes in two writes, the first of %d", n, cut)
		}
	}
	h := CheckCRC64.New()
	n, err := h.Write(p)
	require.NoError(t, err)
	require.Equal(t, len(p), n)
	require.Equal(t, CheckCRC64.Size(), int64(h.h.Size()))
	h.h.Reset()
	require.Equal(t, make([]byte, 8), h.Append(nil))
	require.Positive(t, h.h.BlockSize())
}

func BenchmarkCRC64(b *testing.B) {
	p := make([]byte, 1<<20)
	for i := range p {
		p[i] = byte(i * i >> 3)
	}
	h := CheckCRC64.New()
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		h.Write(p)
	}
}
