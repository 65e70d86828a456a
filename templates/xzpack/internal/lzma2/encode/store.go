package encode

import (
	"encoding/binary"
	"math/bits"
)

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
// match comes to lie does not depend on that. When the parser comes to a bay, an index of its records is made.
//
// This is the larger part of an encoder's memory, so it is packed as far as the parser can still read it at once.
type matchStore struct {
	pages   []byte // of pageSize each
	shelves [numParts]shelf

	// An index of two bays, one with an even and one with an odd number.
	loaded [2]int                  // which; -1 if none
	marks  [2][baySize / 64]uint64 // a bit for each position that has a record
	index  [2][baySize]uint32      // where in pages it is
}

// A bay is a range of positions, as many as the header of a record can tell of.
const (
	bayBits = 14
	baySize = 1 << bayBits
	bayMask = baySize - 1
)

// shelf holds for each bay a chain of pages, on which the records of the bay's positions stand in the order in which they
// were found. A record is a header of two bytes, (number of words - 1)<<bayBits | position in the bay, and the words.
type shelf struct {
	pages  []byte // the store's
	used   int    // pages of the store before this one are in use, or belong to another shelf
	end    int    // the first page that belongs to the next shelf
	thin   int    // from this page on a position gets one match only
	chains []chain
}

// chain is the pages of a bay: the first and the last one. Each page ends with its fill and the number of the next.
type chain struct {
	first, last int32
	fill        uint32 // bytes in use on the last page
}

// A page is a kilobyte: on the last one of each of four thousand chains half is left empty.
const (
	pageBits = 10
	pageSize = 1 << pageBits
	pageMask = pageSize - 1
	pageRoom = pageSize - 6

	headerSize = 2
	wordSize   = 4
)

// reset empties the store for a text of n positions, of which count are searched.
func (s *matchStore) reset(n, count uint32, p *Params) {
	bays := int(n>>bayBits) + 1
	// As much as could be needed is allocated at once: what is not written takes no memory.
	size := int(count) * (headerSize + wordSize*min(p.Keep, maxKeep))
	room := min(p.StorePages/numParts, size/(pageRoom-wordSize*maxKeep)+bays)
	if len(s.pages)>>pageBits < room*numParts {
		s.pages = make([]byte, room*numParts<<pageBits)
	}
	for i := range s.shelves {
		h := &s.shelves[i]
		h.pages, h.used, h.end = s.pages, i*room, (i+1)*room
		h.thin = h.end - room>>2
		h.chains = resize(h.chains, bays)
		for k := range h.chains {
			h.chains[k] = chain{first: -1, last: -1, fill: pageRoom}
		}
	}
	s.loaded = [2]int{-1, -1}
}

// put stores the words for a position: at least one, and at most maxKeep.
func (s *shelf) put(pos uint32, words []uint32) {
	c := &s.chains[pos>>bayBits]
	if len(words) > 1 && s.used > s.thin {
		words = words[len(words)-1:]
	}
	size := headerSize + wordSize*uint32(len(words))
	if c.fill+size > pageRoom && !s.extend(c) {
		return
	}
	record := s.pages[uint32(c.last)<<pageBits|c.fill&pageMask:][:size]
	binary.LittleEndian.PutUint16(record, uint16(pos&bayMask|uint32(len(words)-1)<<bayBits))
	for i, w := range words {
		binary.LittleEndian.PutUint32(record[headerSize+wordSize*i:], w)
	}
	c.fill += size
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
		end := s.pages[int(c.last)<<pageBits+pageRoom:][:pageSize-pageRoom]
		binary.LittleEndian.PutUint16(end, uint16(c.fill))
		binary.LittleEndian.PutUint32(end[2:], uint32(next))
	}
	c.last, c.fill = next, 0
	return true
}

// load makes the index of a bay.
func (s *matchStore) load(bay uint32) {
	clear(s.marks[bay&1][:])
	s.loaded[bay&1] = int(bay)
	for i := range s.shelves {
		if c := &s.shelves[i].chains[bay]; c.last >= 0 {
			s.loadChain(bay&1, c)
		}
	}
}

// loadChain adds the records of a chain to an index.
func (s *matchStore) loadChain(which uint32, c *chain) {
	index, marks := &s.index[which], &s.marks[which]
	for at := c.first; ; {
		page := s.pages[int(at)<<pageBits:][:pageSize]
		fill := c.fill
		if at != c.last {
			fill = uint32(binary.LittleEndian.Uint16(page[pageRoom:]))
		}
		for i := uint32(0); i < fill; {
			header := uint32(binary.LittleEndian.Uint16(page[i&pageMask:]))
			p := header & bayMask
			index[p] = uint32(at)<<pageBits | i
			marks[p>>6] |= 1 << (p & 63)
			i += headerSize + wordSize + wordSize*(header>>bayBits)
		}
		if at == c.last {
			return
		}
		at = int32(binary.LittleEndian.Uint32(page[pageRoom+2:]))
	}
}

// first returns the first position with matches from from on, or one behind to if none up to there has any.
func (s *matchStore) first(from, to uint32) uint32 {
	for from <= to {
		bay := from >> bayBits
		if s.loaded[bay&1] != int(bay) {
			s.load(bay)
		}
		if w := s.marks[bay&1][from&bayMask>>6] >> (from & 63); w != 0 {
			return from + uint32(bits.TrailingZeros64(w))
		}
		from = (from | 63) + 1
	}
	return from
}

// begins tells whether there are matches for pos.
func (s *matchStore) begins(pos uint32) bool {
	bay := pos >> bayBits
	if s.loaded[bay&1] != int(bay) {
		s.load(bay)
	}
	return s.marks[bay&1][pos&bayMask>>6]>>(pos&63)&1 != 0
}

// words puts the words for a position that has any and that first has returned into room, short matches first.
func (s *matchStore) words(pos uint32, room *[maxKeep]uint32) []uint32 {
	record := s.pages[s.index[pos>>bayBits&1][pos&bayMask]:]
	words := room[:1+binary.LittleEndian.Uint16(record)>>bayBits]
	record = record[headerSize:][:wordSize*len(words)]
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(record[wordSize*i:])
	}
	return words
}
