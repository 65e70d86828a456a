package decode

import (
	"encoding/binary"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// coder is the range decoder. Invariant: code < rng.
type coder struct {
	rng, code uint32
	at        uint32 // of the next byte of input
}

func (c coder) norm(in *input) coder {
	r, k, a := c.rng<<8, c.code<<8|uint32(in[c.at&uint32(inputMask)]), c.at+1
	if c.rng < model.TopValue {
		c.rng, c.code, c.at = r, k, a
	}
	return c
}

// bit decodes a bit by jumping: for bits that are mostly the same.
func (c coder) bit(in *input, p *uint16) (coder, uint32) {
	c = c.norm(in)
	v := uint32(*p)
	bound := c.rng >> model.ProbBits * v
	if c.code < bound {
		c.rng = bound
		*p = uint16(v + (1<<model.ProbBits-v)>>model.MoveBits)
		return c, 0
	}
	c.rng -= bound
	c.code -= bound
	*p = uint16(v - v>>model.MoveBits)
	return c, 1
}

// flat decodes a bit without a jump: mask is all ones for a 0, zero for a 1.
func (c coder) flat(in *input, p *uint16) (coder, uint32) {
	c = c.norm(in)
	v := uint32(*p)
	bound := c.rng >> model.ProbBits * v
	t := uint64(c.code) - uint64(bound)
	mask := uint32(int64(t) >> 63)
	c.rng = c.rng - bound + mask&(2*bound-c.rng)
	c.code = uint32(t) + mask&bound
	*p = uint16(int32(v) + (31+int32(mask&2017)-int32(v))>>model.MoveBits)
	return c, mask
}

func (c coder) tree(in *input, p []uint16, n int) (coder, uint32) {
	s := uint32(1)
	for range n {
		var mask uint32
		c, mask = c.flat(in, &p[s])
		s = s<<1 + 1 + mask
	}
	return c, s - 1<<n
}

func (c coder) reverse(in *input, p []uint16, n int) (coder, uint32) {
	s, v := uint32(1), uint32(0)
	for i := range n {
		var mask uint32
		c, mask = c.flat(in, &p[s])
		s = s<<1 + 1 + mask
		v |= (1 + mask) << i
	}
	return c, v
}

func (c coder) direct(in *input, n uint32) (coder, uint32) {
	v := uint32(0)
	for range n {
		c = c.norm(in)
		c.rng >>= 1
		mask := uint32(int64(uint64(c.code)-uint64(c.rng)) >> 63)
		c.code = c.code - c.rng + mask&c.rng
		v = v<<1 + 1 + mask
	}
	return c, v
}

func (c coder) length(in *input, l *model.Length, ps uint32) (coder, uint32) {
	c, b := c.bit(in, &l.Choice)
	if b == 0 {
		c, b = c.tree(in, l.Low[ps&15][:], 3)
		return c, b + 2
	}
	c, b = c.bit(in, &l.Choice2)
	if b == 0 {
		c, b = c.tree(in, l.Mid[ps&15][:], 3)
		return c, b + 10
	}
	c, b = c.tree(in, l.High[:], 8)
	return c, b + 18
}

func (c coder) distance(in *input, m *model.Model, ln uint32) (coder, uint32) {
	c, slot := c.tree(in, m.DistSlot[min(ln-model.MinMatch, model.LenStates-1)][:], 6)
	if slot < model.StartPosModel {
		return c, slot
	}
	n := slot>>1 - 1
	dist := (2 | slot&1) << n
	var v uint32
	if slot < model.EndPosModel {
		c, v = c.reverse(in, m.DistLow[dist-slot:], int(n))
		return c, dist + v
	}
	c, v = c.direct(in, n-model.AlignBits)
	dist += v << model.AlignBits
	c, v = c.reverse(in, m.Align[:], model.AlignBits)
	return c, dist + v
}

// lzma decodes an LZMA chunk whose content goes to w.buf[w.pos:end]. On an error it tells how much of data was read.
func (d *Decoder) lzma(w *window, end int, data []byte) (int, error) {
	if len(data) < 5 {
		return len(data), errOverrun
	}
	if data[0] != 0 {
		return 0, errFirstByte
	}
	n := copy(d.in[:], data)
	clear(d.in[n : n+64])
	in := &d.in
	m := &d.m
	state, reps := d.state, d.reps
	c := coder{rng: 1<<32 - 1, code: binary.BigEndian.Uint32(data[1:]), at: 5}
	if c.code == c.rng {
		return 1, errCode
	}
	buf, pos := w.buf[:end], w.pos
	fail := func(err error) (int, error) {
		w.pos = pos
		return min(int(c.at), n), err
	}
	prev := byte(0)
	if pos > w.low {
		prev = buf[pos-1]
	}
	for pos < end {
		if int(c.at) > n {
			return fail(errOverrun)
		}
		at := uint32(pos - w.origin)
		ps := at & d.pbMask
		var b, ln uint32
		c, b = c.bit(in, &m.IsMatch[(state<<4|ps)&255])
		if b == 0 {
			lit := (*[0x300]uint16)(m.Literal[((at&d.lpMask)<<d.lc+uint32(prev)>>(8-d.lc))*0x300:])
			s := uint32(1)
			if state < model.LitStates {
				for range 8 {
					c, b = c.flat(in, &lit[s&255])
					s = s<<1 + 1 + b
				}
			} else {
				x := uint32(buf[pos-int(reps[0])-1])
				offs := uint32(0x100)
				for range 8 {
					x <<= 1
					mb := x & offs
					c, b = c.flat(in, &lit[offs+mb+s])
					s = s<<1 + 1 + b
					offs &= mb ^ b
				}
			}
			prev = byte(s)
			buf[pos] = prev
			pos++
			state = uint32(model.AfterLiteral[state&15])
			continue
		}
		c, b = c.bit(in, &m.IsRep[state&15])
		if b == 0 {
			c, ln = c.length(in, &m.MatchLen, ps)
			c, b = c.distance(in, m, ln)
			reps[0], reps[1], reps[2], reps[3] = b, reps[0], reps[1], reps[2]
			state = uint32(model.AfterMatch[state&15])
		} else {
			c, b = c.bit(in, &m.IsRepG0[state&15])
			if b == 0 {
				c, b = c.bit(in, &m.IsRep0Long[(state<<4|ps)&255])
				if b == 0 {
					ln = 1
					state = uint32(model.AfterShortRep[state&15])
				}
			} else {
				c, b = c.bit(in, &m.IsRepG1[state&15])
				if b == 0 {
					reps[0], reps[1] = reps[1], reps[0]
				} else {
					c, b = c.bit(in, &m.IsRepG2[state&15])
					if b == 0 {
						reps[0], reps[1], reps[2] = reps[2], reps[0], reps[1]
					} else {
						reps[0], reps[1], reps[2], reps[3] = reps[3], reps[0], reps[1], reps[2]
					}
				}
			}
			if ln == 0 {
				c, ln = c.length(in, &m.RepLen, ps)
				state = uint32(model.AfterRep[state&15])
			}
		}
		if int64(reps[0]) >= int64(min(pos-w.low, w.dict)) {
			if reps[0] == 1<<32-1 {
				return fail(errEndMarker)
			}
			return fail(errDistance)
		}
		if int(ln) > end-pos {
			return fail(errLength)
		}
		repeat(buf[:pos+int(ln)], pos, int(reps[0])+1)
		pos += int(ln)
		prev = buf[pos-1]
	}
	c = c.norm(in)
	switch {
	case int(c.at) > n:
		return fail(errOverrun)
	case c.code != 0:
		return fail(errNotZero)
	case int(c.at) < n:
		return fail(errUnused)
	}
	w.pos, d.state, d.reps = pos, state, reps
	return n, nil
}

// repeat fills buf from pos on with what lies dist bytes before, byte by byte.
func repeat(buf []byte, pos, dist int) {
	for done := pos; done < len(buf); {
		done += copy(buf[done:], buf[pos-dist:done])
	}
}
