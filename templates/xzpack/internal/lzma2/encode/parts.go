package encode

import "math/bits"

// A text's positions are in one of so many parts, by the first bits of their hashes: two, for each of which [parts] has a
// field.
const (
	partBits = 2
	numParts = 1 << partBits
)

// hasher hashes so many bytes, 5 to 8. Matches of four bytes are found by the short table, which knows the nearest one.
type hasher struct{ bytes uint32 }

const hashFactor = 0x9e3779b97f4a7c15

func (h hasher) of(text []byte, p uint32) uint32 {
	return uint32(le64(text, p) << ((64 - 8*h.bytes) & 63) * hashFactor >> 32)
}

// parts tells which positions belong to which part, a bit for each position: chance decides, so bits that are gathered
// without a branch are cheaper than lists. The parts' numbers are told by high and low where active is set.
type parts struct {
	active, high, low []uint64
}

// choose hashes all active positions of text, which has n bytes.
func (s *parts) choose(text []byte, n uint32, active []span, hash hasher) {
	words := int(n>>6) + 1
	s.active, s.high, s.low = resize(s.active, words), resize(s.high, words), resize(s.low, words)
	n = max(n, 4) - 4 // the last bytes begin no match
	for _, a := range active {
		for p, to := a.from, min(a.to, n); p < to; {
			end := min(to, p|63+1)
			var high, low uint64
			for q := p; q < end; q++ {
				h := hash.of(text, q) >> (32 - partBits)
				high |= uint64(h>>1) << (q & 63)
				low |= uint64(h&1) << (q & 63)
			}
			s.active[p>>6] |= ^uint64(0) << (p & 63) & (^uint64(0) >> (63 - (end-1)&63)) // from p to end
			s.high[p>>6] |= high
			s.low[p>>6] |= low
			p = end
		}
	}
}

// part returns the positions of a part.
func (s *parts) part(number int) part {
	return part{s, uint64(number>>1) - 1, uint64(number&1) - 1}
}

// part is the positions of one part, 64 in a word.
type part struct {
	of              *parts
	notHigh, notLow uint64 // all ones where the bit is not to be set
}

func (c part) words() int { return len(c.of.active) }

func (c part) word(i int) uint64 {
	return c.of.active[i] & (c.of.high[i] ^ c.notHigh) & (c.of.low[i] ^ c.notLow)
}

// rangeEnd returns the end of the words from from on that have at most so many positions, at least one word.
func (c part) rangeEnd(from int, most uint32) int {
	n := uint32(0)
	for to := from; to < c.words(); to++ {
		n += uint32(bits.OnesCount64(c.word(to)))
		if n > most && to > from {
			return to
		}
	}
	return c.words()
}
