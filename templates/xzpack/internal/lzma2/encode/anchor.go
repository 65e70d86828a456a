package encode

import "math/bits"

// An anchor is a position that is remembered, to find repeats by. Being chosen by content, anchors are the same in every
// copy, wherever it lies, so that only they need be looked up.
//
//   - Usually they are the positions whose next eight bytes have a hash that begins with zeros. Where no position is
//     chosen for long, as in a periodic text, one is taken nevertheless.
//   - Where the bytes are evenly distributed they are those of one value: these are found eight at a time, and there what is
//     compressed already is only looked over, so that nothing else costs as much.
const (
	anchorBits = 5 // one position of 32 is an anchor, one of 256 where bytes are evenly distributed
	anchorGap  = 256
	anchorByte = 0xa5 // any value but those that are frequent in formats
	flatStands = 256 >> anchorBits

	maxAnchorTableBits = 19

	anchorFactor = 0x9e3779b97f4a7c15
	anchorShift  = 64 - anchorBits - maxAnchorTableBits
	posBits      = MaxSection - 1
)

// nextAnchor returns the first anchor from p on, or end if none is before it. The position at must is one in any case,
// unless bytes are evenly distributed there.
func (t *terrain) nextAnchor(text []byte, p, end, must uint32) uint32 {
	for p < end {
		to := min(end, (p|segMask)+1)
		if t.flat[p>>segBits] {
			p = nextByte(text, p, to)
		} else {
			for p < to && le64(text, p)*anchorFactor>>(64-anchorBits) != 0 && p < must {
				p++
			}
		}
		if p < to {
			return p
		}
	}
	return end
}

// nextByte returns the first position from p on that has anchorByte, or to if none is before it.
func nextByte(text []byte, p, to uint32) uint32 {
	const ones = 0x0101010101010101
	for ; p < to; p += 8 {
		x := le64(text, p) ^ anchorByte*ones
		if zero := (x - ones) & ^x & (ones << 7); zero != 0 { // the lowest bit belongs to the first byte that is 0
			return min(to, p+uint32(bits.TrailingZeros64(zero))>>3)
		}
	}
	return to
}

// anchorTag is the bits of a hash behind those that choose the anchor's place, above those of a position.
func anchorTag(h uint64) uint32 { return uint32(h>>(anchorShift-8)) << 24 }

// anchorTableBits suits a text of n bytes: a table with room for every anchor.
func anchorTableBits(n uint32) int {
	return min(maxAnchorTableBits, max(8, bits.Len32(n>>anchorBits)))
}
