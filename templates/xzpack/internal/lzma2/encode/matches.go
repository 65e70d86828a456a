package encode

// matches are what can be coded at a position beside literals and repeated distances.
type matches struct {
	words []uint32 // as in the store, lengths and distances growing; at most the last one is longer than nice
	len   uint32   // of the last one, up to model.MaxMatch if it is nice or longer
	dist  uint32   // of the last one, counted from 0
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
	found := e.store.get(p)
	near := unset
	if len(found) > 0 {
		near = found[0] & distMask
	}
	two, three, four := e.short.find(text, p)
	n := 0
	out := &e.words
	if two != unset && two != three {
		if d := p - two - 1; d < near {
			out[0] = 1<<moreShift | 2<<lenShift | d
			n = 1
		}
	}
	if three != unset {
		if d := p - three - 1; d < near {
			out[n] = 1<<moreShift | 3<<lenShift | d
			n++
		}
	}
	if four != unset {
		if d := p - four - 1; d < near {
			if n > 0 && out[n-1]&distMask == d {
				n--
			}
			out[n] = 1<<moreShift | 4<<lenShift | d
			n++
		}
	}
	m.words = found
	if n > 0 {
		m.words = out[:n+copy(out[n:], found)]
	}
	if len(m.words) > 0 {
		last := m.words[len(m.words)-1]
		m.len, m.dist = min(last>>lenShift&lenMask, limit), last&distMask
		if m.len >= nice {
			m.len = matchLen(text, p-m.dist-1, p, m.len, limit)
		}
	}
	return m
}
