package decode

import "math/bits"

// The trees hold the probabilities of numbers bit by bit: that of the first bit is at 1, and those of the bits that follow
// the one at s are at 2s and 2s+1. Both are loaded before it is known which one is needed, since a load takes longer than
// a bit. There is a function for each number of bits, because with the length of the array known none of the indexes needs
// a check.

// tree3 decodes a number of three bits, the first one first.
func (c coder) tree3(in *input, p *[8]uint16) (coder, uint32) {
	s, v := uint64(1), uint64(p[1])
	for s < 4 {
		next0, next := uint64(p[2*s]), uint64(p[2*s+1])
		c = c.norm(in)
		bound, mask := c.cut(v)
		p[s] = adapt(v, mask)
		if c.code < bound {
			next = next0
		}
		c = c.take(bound)
		s, v = 2*s+1+mask, next
	}
	c = c.norm(in)
	bound, mask := c.cut(v)
	p[s&7] = adapt(v, mask)
	return c.take(bound), uint32(2*s + 1 + mask - 8)
}

// tree4 is tree3 for four bits.
func (c coder) tree4(in *input, p *[16]uint16) (coder, uint32) {
	s, v := uint64(1), uint64(p[1])
	for s < 8 {
		next0, next := uint64(p[2*s]), uint64(p[2*s+1])
		c = c.norm(in)
		bound, mask := c.cut(v)
		p[s] = adapt(v, mask)
		if c.code < bound {
			next = next0
		}
		c = c.take(bound)
		s, v = 2*s+1+mask, next
	}
	c = c.norm(in)
	bound, mask := c.cut(v)
	p[s&15] = adapt(v, mask)
	return c.take(bound), uint32(2*s + 1 + mask - 16)
}

// tree6 is tree3 for six bits.
func (c coder) tree6(in *input, p *[64]uint16) (coder, uint32) {
	s, v := uint64(1), uint64(p[1])
	for s < 32 {
		next0, next := uint64(p[2*s]), uint64(p[2*s+1])
		c = c.norm(in)
		bound, mask := c.cut(v)
		p[s] = adapt(v, mask)
		if c.code < bound {
			next = next0
		}
		c = c.take(bound)
		s, v = 2*s+1+mask, next
	}
	c = c.norm(in)
	bound, mask := c.cut(v)
	p[s&63] = adapt(v, mask)
	return c.take(bound), uint32(2*s + 1 + mask - 64)
}

// tree8 is tree3 for eight bits.
func (c coder) tree8(in *input, p *[256]uint16) (coder, uint32) {
	s, v := uint64(1), uint64(p[1])
	for s < 128 {
		next0, next := uint64(p[2*s]), uint64(p[2*s+1])
		c = c.norm(in)
		bound, mask := c.cut(v)
		p[s] = adapt(v, mask)
		if c.code < bound {
			next = next0
		}
		c = c.take(bound)
		s, v = 2*s+1+mask, next
	}
	c = c.norm(in)
	bound, mask := c.cut(v)
	p[s&255] = adapt(v, mask)
	return c.take(bound), uint32(2*s + 1 + mask - 256)
}

// matched decodes a literal that differs from byte x, as far as can be told: as long as the bits are the same, they have
// probabilities of their own for either bit of x.
func (c coder) matched(in *input, p *[0x300]uint16, x byte) (coder, uint32) {
	s, same, rest := uint64(1), uint64(0x100), uint64(x)
	for s < 0x100 {
		rest <<= 1
		b := rest & same
		k := same + b + s
		c = c.norm(in)
		v := uint64(p[k])
		bound, mask := c.cut(v)
		p[k] = adapt(v, mask)
		c = c.take(bound)
		s = 2*s + 1 + mask
		same &= b ^ mask
	}
	return c, uint32(s - 0x100)
}

// low decodes a number of n bits, 1 to 5, the last one first. Its tree begins behind p[0].
func (c coder) low(in *input, p *[32]uint16, n uint32) (coder, uint32) {
	s := uint64(1)
	for range n {
		c = c.norm(in)
		v := uint64(p[s&31])
		bound, mask := c.cut(v)
		p[s&31] = adapt(v, mask)
		c = c.take(bound)
		s = 2*s + 1 + mask
	}
	return c, uint32(bits.Reverse8(uint8(s)) >> (8 - n))
}
