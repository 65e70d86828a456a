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
// text. Each part of the sorted text has a shelf of its own, so that parts can be searched beside each other; where a
// match comes to lie does not depend on that. When the parser comes to a segment, an index of its records is made.
type matchStore struct {
	pages   []uint32 // of pageSize words each
	shelves []shelf

	// An index of two segments, one with an even and one with an odd number.
	loaded [2]int                  // which; -1 if none
	marks  [2][segSize / 64]uint64 // a bit for each position that has a record
	index  [2][segSize]uint32      // where in pages it is
}

// shelf holds for each segment of positions a chain of pages, on which the records of the segment's positions stand in the
// order in which they were found. A record is a header, number of words<<16 | position in the segment, and the words.
type shelf struct {
	pages  []uint32 // the store's
	used   int      // pages of the store before this one are in use, or belong to another shelf
	end    int      // the first page that belongs to the next shelf
	thin   int      // from this page on a position gets one match only
	chains []chain
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

// reset empties the store for a text of n positions, of which count are searched.
func (s *matchStore) reset(n, count uint32, p *Params) {
	segments := int(n>>segBits) + 1
	parts := 1 << p.PartBits
	// As much as could be needed is allocated at once: what is not written takes no memory.
	words := int(count) * (1 + min(p.Keep, maxKeep))
	room := min(p.StorePages>>p.PartBits, words/(pageRoom-maxKeep)+segments)
	if len(s.pages)>>pageBits < room*parts {
		s.pages = make([]uint32, room*parts<<pageBits)
	}
	if len(s.shelves) < parts {
		s.shelves = make([]shelf, parts)
	}
	s.shelves = s.shelves[:parts]
	for i := range s.shelves {
		h := &s.shelves[i]
		h.pages, h.used, h.end = s.pages, i*room, (i+1)*room
		h.thin = h.end - room>>2
		h.chains = resize(h.chains, segments)
		for k := range h.chains {
			h.chains[k] = chain{first: -1, last: -1, fill: pageRoom}
		}
	}
	s.loaded = [2]int{-1, -1}
}

// put stores the words for a position. At most maxKeep are given.
func (s *shelf) put(pos uint32, words []uint32) {
	c := &s.chains[pos>>segBits]
	if len(words) > 1 && s.used > s.thin {
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

// extend appends a page to a chain. It reports false when there is none left; then the position has no matches.
func (s *shelf) extend(c *chain) bool {
	if s.used == s.end {
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
	clear(s.marks[segment&1][:])
	s.loaded[segment&1] = int(segment)
	for i := range s.shelves {
		if c := &s.shelves[i].chains[segment]; c.last >= 0 {
			s.loadChain(segment&1, c)
		}
	}
}

// loadChain adds the records of a chain to an index.
func (s *matchStore) loadChain(which uint32, c *chain) {
	index, marks := &s.index[which], &s.marks[which]
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
