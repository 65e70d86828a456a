package encode

import "github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"

// chunkSlack is the room that must be left in a chunk before a symbol: the longest one, and the flush.
const chunkSlack = 96

// rangeCoder is the entropy coder of a chunk. Out has room for more than a chunk can hold, since the end of a chunk is
// looked for before each symbol.
type rangeCoder struct {
	low   uint64
	rng   uint32
	cache byte // the last byte that a carry can still change
	held  int  // bytes held back: cache and the 0xff that follow it
	n     int
	out   [model.MaxPacked + 2*chunkSlack]byte
}

func (r *rangeCoder) reset() { r.low, r.rng, r.cache, r.held, r.n = 0, 1<<32-1, 0, 1, 0 }

// size is the length of the chunk if it were flushed now.
func (r *rangeCoder) size() int { return r.n + r.held + 4 }

func (r *rangeCoder) flush() {
	for range 5 {
		r.shift()
	}
}

// shift moves the top byte of low out.
func (r *rangeCoder) shift() {
	if uint32(r.low) < 0xff000000 || r.low>>32 != 0 {
		carry := byte(r.low >> 32)
		for b := r.cache; r.held > 0; r.held-- {
			r.out[r.n] = b + carry
			r.n++
			b = 0xff
		}
		r.cache = byte(r.low >> 24)
	}
	r.held++
	r.low = uint64(uint32(r.low) << 8)
}

// bit codes b, which is 0 or 1. Which of the two it is nobody can foresee where the code is dense, so nothing branches on
// it.
func (r *rangeCoder) bit(p *uint16, b uint32) {
	v, ones := uint32(*p), -b
	bound := r.rng >> model.ProbBits * v
	r.low += uint64(bound & ones)
	rng := bound ^ (bound^(r.rng-bound))&ones
	*p = nextProb(v, ones)
	if rng < model.TopValue {
		rng <<= 8
		r.shift()
	}
	r.rng = rng
}

// nextProb is what the probability v of a 0 becomes with a bit, of which ones has 32: nearer to 1 by a part of the way, or
// as near to 0 as it gets.
func nextProb(v, ones uint32) uint16 {
	const all, none = 1 << model.ProbBits, 1<<model.MoveBits - 1
	aim := all ^ (all^none)&ones
	return uint16(v + uint32(int32(aim-v)>>model.MoveBits))
}

// direct codes the n lowest bits of v with even chances, the highest first.
func (r *rangeCoder) direct(v, n uint32) {
	for n > 0 {
		n--
		r.rng >>= 1
		r.low += uint64(r.rng & -(v >> n & 1))
		if r.rng < model.TopValue {
			r.rng <<= 8
			r.shift()
		}
	}
}

// tree codes the n lowest bits of v, which has no others, the highest first; n is up to 8.
func (r *rangeCoder) tree(p []uint16, v, n uint32) {
	low, rng := r.low, r.rng
	// The bits that have been coded, behind a 1, stand from bit 8 on: that is the number of the next one's probability.
	s, end := (1<<(n&31)|v)<<(8-n&31), uint32(1<<8)<<(n&31)
	for ; s < end; s <<= 1 {
		prob := &p[s>>8]
		v, ones := uint32(*prob), -(s >> 7 & 1)
		bound := rng >> model.ProbBits * v
		low += uint64(bound & ones)
		rng = bound ^ (bound^(rng-bound))&ones
		*prob = nextProb(v, ones)
		if rng < model.TopValue {
			rng <<= 8
			r.low = low
			r.shift()
			low = r.low
		}
	}
	r.low, r.rng = low, rng
}

// reverse codes the n lowest bits of v, the lowest first.
func (r *rangeCoder) reverse(p []uint16, v, n uint32) {
	m := uint32(1)
	for ; n > 0; n-- {
		b := v & 1
		v >>= 1
		r.bit(&p[m], b)
		m = m<<1 | b
	}
}

// length codes the length n of a match, at a position state.
func (r *rangeCoder) length(l *model.Length, posState, n uint32) {
	switch n -= model.MinMatch; {
	case n < 8:
		r.bit(&l.Choice, 0)
		r.tree(l.Low[posState&15][:], n, 3)
	case n < 16:
		r.bit(&l.Choice, 1)
		r.bit(&l.Choice2, 0)
		r.tree(l.Mid[posState&15][:], n-8, 3)
	default:
		r.bit(&l.Choice, 1)
		r.bit(&l.Choice2, 1)
		r.tree(l.High[:], n-16, 8)
	}
}
