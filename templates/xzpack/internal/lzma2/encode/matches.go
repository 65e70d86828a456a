package encode

import "math/bits"

// matches are what can be coded at a position beside literals and repeated distances.
type matches struct {
	list []match // lengths and distances growing
	len  uint32  // of the last one, up to model.MaxMatch if it is nice or longer
	dist uint32  // of the last one, counted from 0
}

// matchesAt finds the matches at p, which is not 0, for which limit bytes of text are left.
func (e *Encoder) matchesAt(p, limit uint32) (m matches) {
	text, nice := e.text, e.params.Nice
	if limit < 4 {
		return m
	}
	for len(e.repeats) > 0 && e.repeats[0].to <= p {
		e.repeats = e.repeats[1:]
	}
	if len(e.repeats) > 0 && e.repeats[0].from <= p && e.repeats[0].to-p >= nice {
		r := &e.repeats[0]
		return matches{len: min(limit, r.to-p), dist: r.dist}
	}
	list := e.running.at(text, &e.store, p, nice, limit)
	near := unset
	if len(list) > 0 {
		near = list[0].word & distMask
	}
	two, three, four := e.short.find(text, p)
	n := 0
	out := &e.room
	if two != unset && two != three {
		if d := p - two - 1; d < near {
			out[0] = match{p + 2, 1<<moreShift | d}
			n = 1
		}
	}
	if three != unset {
		if d := p - three - 1; d < near {
			out[n] = match{p + 3, 1<<moreShift | d}
			n++
		}
	}
	if four != unset {
		if d := p - four - 1; d < near {
			if n > 0 && out[n-1].word&distMask == d {
				n--
			}
			// Up to seven bytes: the trees may not know of the nearest match of so few, and more are not worth a loop.
			end := p + min(uint32(bits.TrailingZeros64(le64(text, four)^le64(text, p)|1<<56))>>3, limit)
			out[n] = match{end, 1<<moreShift | d}
			n++
			for len(list) > 0 && list[0].end <= end {
				list = list[1:]
			}
		}
	}
	m.list = list
	if n > 0 {
		m.list = out[:n+copy(out[n:], list)]
	}
	if len(m.list) > 0 {
		last := m.list[len(m.list)-1]
		m.len, m.dist = min(last.end-p, limit), last.word&distMask
		if m.len >= nice {
			m.len = matchLen(text, p-m.dist-1, p, m.len, limit)
		}
	}
	return m
}
