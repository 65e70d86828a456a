package encode

import (
	"encoding/binary"
	"math/bits"
)

// Pad is how many zeros follow the text, so that what reads ahead needs no bounds of its own: the trees compare up to
// maxNice bytes, eight at a time, and the matches that they find are cut to the text later.
const Pad = maxNice + 33

func le16(b []byte, i uint32) uint16 { return binary.LittleEndian.Uint16(b[i : i+2 : i+2]) }
func le32(b []byte, i uint32) uint32 { return binary.LittleEndian.Uint32(b[i : i+4 : i+4]) }
func le64(b []byte, i uint32) uint64 { return binary.LittleEndian.Uint64(b[i : i+8 : i+8]) }

// matchLen is the number of bytes, up to limit, in which the text at p is the same as at q, which is less than p. The
// first l of them are known to be.
func matchLen(text []byte, q, p, l, limit uint32) uint32 {
	for l < limit {
		if x := le64(text, q+l) ^ le64(text, p+l); x != 0 {
			return min(limit, l+uint32(bits.TrailingZeros64(x)>>3))
		}
		l += 8
	}
	return limit
}

// matchBack is the number of bytes, up to limit, in which the text before p is the same as before q.
func matchBack(text []byte, q, p, limit uint32) uint32 {
	l := uint32(0)
	for l < limit && text[q-l-1] == text[p-l-1] {
		l++
	}
	return l
}
