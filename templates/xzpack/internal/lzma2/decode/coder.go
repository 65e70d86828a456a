package decode

import (
	"math/bits"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// input is the data of an LZMA chunk. A symbol is decoded without looking at the end of the data: it takes less than
// slack bytes, for which there is room behind the longest chunk. An index is cut off to the length of the array, so that
// none needs a check.
type input [1 << 17]byte

const (
	inputMask = uint64(len(input{}) - 1)
	slack     = 64
)

// coder is the range decoder. It is passed and returned by value, so that its fields stay in registers; they have 64
// bits so that none must be extended. Both range and code are below 1<<32, and code is below range.
//
// Whether a bit is 0 or 1 can mostly not be foretold, and a jump that is foretold wrong costs more than all the rest, so
// bits are decoded without jumps: where a condition stands below, the compiler makes conditional moves of it. That takes
// a body of nothing but assignments of what is there already.
type coder struct {
	rng, code uint64
	at        uint64 // of the next byte of input
}

// norm takes a byte of input if the range is too small to be divided.
func (c coder) norm(in *input) coder {
	r, k := c.rng<<8, c.code<<8|uint64(in[c.at&inputMask])
	_, less := bits.Sub64(c.rng, model.TopValue, 0)
	c.at += less
	if c.rng < model.TopValue {
		c.rng, c.code = r, k
	}
	return c
}

// cut divides the range for a bit that has probability v to be a 0. The mask is all ones if it is a 0, and zero if it is
// a 1.
func (c coder) cut(v uint64) (bound, mask uint64) {
	bound = c.rng >> model.ProbBits * v
	_, less := bits.Sub64(c.code, bound, 0)
	return bound, -less
}

// take goes on with the part of the range that code lies in.
func (c coder) take(bound uint64) coder {
	r, k := c.rng-bound, c.code-bound
	if c.code < bound {
		r, k = bound, c.code
	}
	return coder{r, k, c.at}
}

// adapt is probability v after a bit with the given mask. It is v + (1<<ProbBits-v)>>MoveBits after a 0 and
// v - v>>MoveBits after a 1, written as one.
func adapt(v, mask uint64) uint16 {
	const zero = 1<<model.ProbBits - (1<<model.MoveBits - 1)
	return uint16(int64(v) - (int64(v)-int64(mask&zero))>>model.MoveBits)
}

// bit decodes a bit that decides what comes next: there is a jump in any case, so it may as well be here.
func (c coder) bit(in *input, p *uint16) (coder, uint32) {
	c = c.norm(in)
	v := uint64(*p)
	bound := c.rng >> model.ProbBits * v
	if c.code < bound {
		c.rng = bound
		*p = adapt(v, ^uint64(0))
		return c, 0
	}
	c.rng -= bound
	c.code -= bound
	*p = adapt(v, 0)
	return c, 1
}

// direct decodes n bits that are 0 and 1 alike.
func (c coder) direct(in *input, n uint32) (coder, uint32) {
	v := uint64(0)
	for ; n > 0; n-- {
		c = c.norm(in)
		c.rng >>= 1
		k, less := bits.Sub64(c.code, c.rng, 0)
		if c.code < c.rng {
			k = c.code
		}
		c.code = k
		v = v<<1 + 1 - less
	}
	return c, uint32(v)
}
