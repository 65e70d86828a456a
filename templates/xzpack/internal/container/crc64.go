package container

import (
	"encoding/binary"
	"hash/crc64"
)

// crc64Hash computes the CRC64 of .xz. hash/crc64 takes eight bytes at a time; this one takes sixteen, which is twice as
// fast: the eight look-ups of one half do not wait for those of the other, and decompressing is fast enough to notice.
type crc64Hash struct{ sum uint64 }

// crc64Tables[k] holds what each value of a byte with k bytes behind it adds to the sum.
var crc64Tables = func() (t [16][256]uint64) {
	first := crc64.MakeTable(crc64.ECMA)
	t[0] = *first
	for k := 1; k < len(t); k++ {
		for i, v := range t[k-1] {
			t[k][i] = v>>8 ^ first[byte(v)]
		}
	}
	return t
}()

// Write never fails.
func (h *crc64Hash) Write(p []byte) (int, error) {
	n := len(p)
	t := &crc64Tables
	sum := ^h.sum
	for ; len(p) >= 16; p = p[16:] {
		a, b := sum^binary.LittleEndian.Uint64(p), binary.LittleEndian.Uint64(p[8:])
		sum = t[7][byte(b)] ^ t[6][byte(b>>8)] ^ t[5][byte(b>>16)] ^ t[4][byte(b>>24)]
		sum ^= t[3][byte(b>>32)] ^ t[2][byte(b>>40)] ^ t[1][byte(b>>48)] ^ t[0][b>>56]
		sum ^= t[15][byte(a)] ^ t[14][byte(a>>8)] ^ t[13][byte(a>>16)] ^ t[12][byte(a>>24)]
		sum ^= t[11][byte(a>>32)] ^ t[10][byte(a>>40)] ^ t[9][byte(a>>48)] ^ t[8][a>>56]
	}
	for _, c := range p {
		sum = t[0][byte(sum)^c] ^ sum>>8
	}
	h.sum = ^sum
	return n, nil
}

// Sum appends the sum, big-endian as hashes of the standard library do.
func (h *crc64Hash) Sum(dst []byte) []byte { return binary.BigEndian.AppendUint64(dst, h.sum) }

// Reset begins anew.
func (h *crc64Hash) Reset() { h.sum = 0 }

// Size is the length of the sum in bytes.
func (h *crc64Hash) Size() int { return crc64.Size }

// BlockSize is how many bytes are best written at a time.
func (h *crc64Hash) BlockSize() int { return 16 }
