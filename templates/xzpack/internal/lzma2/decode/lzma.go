package decode

import (
	"encoding/binary"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// lzma decodes an LZMA chunk whose content goes to w.buf[w.pos:end]. On an error it tells how much of data was read.
func (d *Decoder) lzma(w *window, end int, data []byte) (int, error) {
	if len(data) < 5 {
		return len(data), errOverrun
	}
	if data[0] != 0 {
		return 0, errFirstByte
	}
	c := coder{rng: 1<<32 - 1, code: uint64(binary.BigEndian.Uint32(data[1:])), at: 5}
	if c.code == c.rng {
		return 1, errCode
	}
	n := uint64(copy(d.in[:], data))
	c, err := d.symbols(w, end, c, n)
	c = c.norm(&d.in)
	switch {
	case c.at > n:
		return int(n), errOverrun
	case err != nil:
		return int(c.at), err
	case c.code != 0:
		return int(n), errNotZero
	case c.at < n:
		return int(c.at), errUnused
	}
	return int(n), nil
}

// symbols decodes until there is content up to w.buf[end], of data that ends at n in d.in. It looks for the end of the
// data only before each symbol: what is decoded of bytes behind it goes no further than into d and w. What lies in w.buf
// behind end may be overwritten.
func (d *Decoder) symbols(w *window, end int, c coder, n uint64) (coder, error) {
	m, in := &d.m, &d.in
	buf, pos, low, dict := w.buf, w.pos, w.low, w.dict
	state, r0, r1, r2, r3 := d.state, d.reps[0], d.reps[1], d.reps[2], d.reps[3]
	last := uint32(0) // the byte before pos
	if pos > low {
		last = uint32(buf[pos-1])
	}
	for pos < end {
		if c.at > n {
			w.pos = pos
			return c, errOverrun
		}
		at := uint32(pos - w.origin)
		ps := at & d.pbMask
		var b, ln uint32
		c, b = c.bit(in, &m.IsMatch[(state<<4|ps)&255])
		if b == 0 {
			// The lowest lp bits of the position, and below them the highest lc bits of the last byte.
			context := (at&d.lpMask<<8 + last) << (d.lc & 7) >> 8 & (1<<model.MaxLCLP - 1)
			p := (*[0x300]uint16)(m.Literal[context*0x300:])
			if state < model.LitStates {
				c, last = c.tree8(in, (*[256]uint16)(p[:]))
			} else {
				c, last = c.matched(in, p, buf[pos-int(r0)-1])
			}
			buf[pos] = byte(last)
			pos++
			state = uint32(model.AfterLiteral[state&15])
			continue
		}

		c, b = c.bit(in, &m.IsRep[state&15])
		if b == 0 {
			r1, r2, r3 = r0, r1, r2
			c, ln = c.length(in, &m.MatchLen, ps)
			c, r0 = c.distance(in, m, ln)
			state = uint32(model.AfterMatch[state&15])
		} else {
			c, b = c.bit(in, &m.IsRepG0[state&15])
			if b == 0 {
				c, ln = c.bit(in, &m.IsRep0Long[(state<<4|ps)&255])
			} else {
				c, b = c.bit(in, &m.IsRepG1[state&15])
				if b == 0 {
					r0, r1 = r1, r0
				} else {
					c, b = c.bit(in, &m.IsRepG2[state&15])
					if b == 0 {
						r0, r1, r2 = r2, r0, r1
					} else {
						r0, r1, r2, r3 = r3, r0, r1, r2
					}
				}
				ln = 1
			}
			if ln == 0 {
				ln = 1
				state = uint32(model.AfterShortRep[state&15])
			} else {
				c, ln = c.length(in, &m.RepLen, ps)
				state = uint32(model.AfterRep[state&15])
			}
		}
		next := pos + int(ln)
		if int64(r0) >= int64(min(pos-low, dict)) || next > end {
			w.pos = pos
			return c, matchError(r0, next > end)
		}
		repeat(buf, pos, next, int(r0)+1)
		pos = next
		last = uint32(buf[pos-1])
	}
	w.pos = pos
	d.state, d.reps = state, [4]uint32{r0, r1, r2, r3}
	return c, nil
}

// matchError tells what is wrong with a match.
func matchError(dist uint32, long bool) error {
	switch {
	case dist == 1<<32-1:
		return errEndMarker
	case long:
		return errLength
	}
	return errDistance
}
