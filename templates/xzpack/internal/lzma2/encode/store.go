package encode

import "math/bits"

// A word of the match store says that a match of len bytes begins at dist+1 bytes back:
//
//	more<<31 | len<<24 | dist
//
// where more tells that the two bytes behind the first that differs agree again.
const (
	distMask  = 1<<24 - 1
	lenShift  = 24
	lenMask   = 1<<7 - 1
	moreShift = 31
)

// matchStore keeps the matches that are found in the order of the trees until the parser wants them in the order of the
// text. For each segment of positions it holds a chain of pages, on which the records of the segment's positions stand
// in the order in which they were found. A record is a header, number of words<<16 | position in the segment, and the
// words. When the parser comes to a segment, an index of its records is made.
type matchStore struct {
	pages  []uint32 // of pageSize words each
	used   int      // pages in use
	chains []chain
	budget int // pages that may be in use before fewer matches are kept

	// An index of two segments, one with an even and one with an odd number.
	loaded [2]int                  // which; -1 if none
	marks  [2][segSize / 64]uint64 // a bit for each position that has a record
	index  [2][segSize]uint32      // where in pages it is
}

// chain is the pages of a segment: the first and the last one. Each page ends with the number of the next.
type chain struct {
	first, last int32
	fill        uint32 // words in use on the last page
}

const (
	pageBits = 11
	pageSize = 1 << pageBits
	pageRoom = pageSize - 2 // the rest is for the end mark and the number of the next page
)

// reset empties the store for a text of n positions.
func (s *matchStore) reset(n uint32, p *Params) {
	s.budget = p.StorePages
	s.chains = resize(s.chains, int(n>>segBits)+1)
	for i := range s.chains {
		s.chains[i] = chain{first: -1, last: -1, fill: pageRoom}
	}
	s.used = 0
	// As much as could be needed is allocated at once: what is not written takes no memory.
	words := int(n) * (1 + min(p.Keep, maxKeep))
	if pages := min(s.budget, words/(pageRoom-maxKeep)+len(s.chains)); len(s.pages)>>pageBits < pages {
		s.pages = make([]uint32, pages<<pageBits)
	}
	s.loaded = [2]int{-1, -1}
}

// put stores the words for a position. At most maxKeep are given.
func (s *matchStore) put(pos uint32, words []uint32) {
	c := &s.chains[pos>>segBits]
	if len(words) > 1 && s.used > s.budget-s.budget>>2 {
		words = words[len(words)-1:]
	}
	if c.fill+uint32(len(words))+1 > pageRoom && !s.extend(c) {
		return
	}
	page := s.pages[int(c.last)<<pageBits:][:pageSize]
	page[c.fill&(pageSize-1)] = pos&segMask | uint32(len(words))<<segBits
	copy(page[(c.fill+1)&(pageSize-1):], words)
	c.fill += 1 + uint32(len(words))
}

// extend appends a page to a chain. It reports false when there is no memory left for one; then the position has no
// matches.
func (s *matchStore) extend(c *chain) bool {
	if (s.used+1)<<pageBits > len(s.pages) {
		return false
	}
	next := int32(s.used)
	s.used++
	if c.last < 0 {
		c.first = next
	} else {
		page := s.pages[int(c.last)<<pageBits:][:pageSize]
		page[c.fill], page[pageSize-1] = 0, uint32(next)
	}
	c.last, c.fill = next, 0
	return true
}

// load makes the index of a segment.
func (s *matchStore) load(segment uint32) {
	index, marks := &s.index[segment&1], &s.marks[segment&1]
	clear(marks[:])
	s.loaded[segment&1] = int(segment)
	c := &s.chains[segment]
	s.pages[int(c.last)<<pageBits|int(c.fill)] = 0
	for at := c.first; ; at = int32(s.pages[int(at)<<pageBits+pageSize-1]) {
		page := s.pages[int(at)<<pageBits:][:pageSize]
		for i := uint32(0); i < pageSize && page[i] != 0; i += 1 + page[i]>>segBits {
			p := page[i] & segMask
			index[p] = uint32(at)<<pageBits | i
			marks[p>>6] |= 1 << (p & 63)
		}
		if at == c.last {
			return
		}
	}
}

// first returns the first position with matches from from on, or one behind to if none up to there has any.
func (s *matchStore) first(from, to uint32) uint32 {
	for from <= to {
		segment := from >> segBits
		if s.loaded[segment&1] != int(segment) {
			if s.chains[segment].last < 0 {
				from = (from | segMask) + 1
				continue
			}
			s.load(segment)
		}
		if w := s.marks[segment&1][from&segMask>>6] >> (from & 63); w != 0 {
			return from + uint32(bits.TrailingZeros64(w))
		}
		from = (from | 63) + 1
	}
	return from
}

// words returns the words for a position that has any and that first has returned, short matches first.
func (s *matchStore) words(pos uint32) []uint32 {
	r := s.pages[s.index[pos>>segBits&1][pos&segMask]:]
	return r[1 : 1+r[0]>>segBits]
}
