package encode

// match says that the text up to end is the same as dist+1 bytes earlier, from some position on.
type match struct {
	end  uint32
	word uint32 // more<<31 | open<<30 | dist, where open tells that it was only looked for up to a limit, and may be longer
}

const openMark = 1 << 30

// running are the matches that go on at a position: those that begin there, as the store tells, and those that began
// earlier. Both their ends and their distances grow, so each is the nearest one for some lengths.
type running struct {
	next uint32 // positions before it have been added
	list []match
	room [64]match // what list lies in
}

// runLeast is the least length that is worth knowing: the shorter ones are found by the short table.
const runLeast = 5

// goBack makes p the next position that is asked for, which may lie before others that were.
func (r *running) goBack(p uint32) {
	r.list = r.room[:0]
	r.next = p - min(p, maxNice)
}

// at returns the matches at p, of up to limit bytes, of which nice are enough. It asks s for those that begin at the
// positions up to p. What it returns is valid until the next call.
func (r *running) at(text []byte, s *matchStore, p, nice, limit uint32) []match {
	var room [maxKeep]uint32
	for {
		q := s.first(r.next, p)
		if q > p {
			r.next = p + 1
			break
		}
		for _, w := range s.words(q, &room) {
			m := match{q + w>>lenShift&lenMask, w & (1<<moreShift | distMask)}
			if w>>lenShift&lenMask >= nice {
				m.word |= openMark
			}
			r.add(m)
		}
		r.next = q + 1
	}
	for len(r.list) > 0 && r.list[0].end < p+runLeast {
		r.list = r.list[1:]
	}
	for i := len(r.list) - 1; i >= 0; i-- {
		m := r.list[i]
		if m.word&openMark == 0 || m.end >= p+nice {
			continue
		}
		m.end = p + matchLen(text, p-m.word&distMask-1, p, m.end-p, limit)
		if m.end < p+limit {
			m.word = m.word&distMask | 1<<moreShift
		}
		r.list = append(r.list[:i], r.list[i+1:]...)
		r.add(m)
	}
	return r.list
}

// add puts m into the list, and takes out those that are neither longer nor nearer. Of too many it forgets the shortest.
func (r *running) add(m match) {
	list, dist := r.list, m.word&distMask
	i := len(list)
	for i > 0 && list[i-1].end >= m.end {
		i--
	}
	if i < len(list) && list[i].word&distMask <= dist {
		return
	}
	to := i
	if to < len(list) && list[to].end == m.end {
		to++
	}
	for i > 0 && list[i-1].word&distMask >= dist {
		i--
	}
	if i < to { // into the place of those
		list[i] = m
		r.list = append(list[:i+1], list[to:]...)
		return
	}
	if len(list) == cap(list) {
		r.list = r.room[:copy(r.room[:], list[max(0, len(list)-len(r.room)/2):])]
		i -= len(list) - len(r.list)
		if i < 0 {
			return
		}
	}
	r.list = append(r.list, m)
	copy(r.list[i+1:], r.list[i:])
	r.list[i] = m
}
