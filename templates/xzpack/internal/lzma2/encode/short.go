package encode

// shortTable remembers the last positions of two and of three bytes, for the matches that are too short for the trees.
// An entry is the position and the bits of a hash that the index does not have. The hashes lose nothing, so an entry that
// agrees is a match without a look at the text.
type shortTable struct {
	two   [1 << twoBits]uint32   // position<<8 | rest of the hash
	three [1 << threeBits]uint32 // the same
	four  [1 << fourBits]uint32  // the same, of four bytes
	next  uint32                 // positions before it are remembered
}

const (
	twoBits    = 12
	threeBits  = 16
	fourBits   = 16
	fourFactor = 2654435761
	shortGap   = 64
	unset      = ^uint32(0)
)

func (s *shortTable) reset() {
	for i := range s.two {
		s.two[i] = unset
	}
	for i := range s.three {
		s.three[i] = unset
	}
	for i := range s.four {
		s.four[i] = unset
	}
	s.next = 0
}

// hashes are bijective on the first two and the first three bytes of v.
func shortHashes(v uint32) (two, three uint32) {
	return v & 0xffff * 0x9e3b & 0xffff, v & 0xffffff * 0x9e3779b1 & 0xffffff
}

// remember adds the positions before p that are not there yet; of many, which a long match has jumped over, the last.
func (s *shortTable) remember(text []byte, p uint32) {
	if p-s.next > shortGap {
		s.next = p - shortGap
	}
	for q := s.next; q < p; q++ {
		v := le32(text, q)
		two, three := shortHashes(v)
		four := v * fourFactor
		s.four[four>>(32-fourBits)] = q<<8 | four>>(24-fourBits)&255
		s.two[two>>4&(1<<twoBits-1)] = q<<8 | two&15
		s.three[three>>8&(1<<threeBits-1)] = q<<8 | three&255
	}
	s.next = p
}

// find remembers p and returns the nearest earlier positions of its next two and three bytes, or unset.
func (s *shortTable) find(text []byte, p uint32) (two, three, four uint32) {
	if s.next < p {
		s.remember(text, p)
	}
	v := le32(text, p)
	h2, h3 := shortHashes(v)
	h4 := v * fourFactor
	e4 := &s.four[h4>>(32-fourBits)]
	e2, e3 := &s.two[h2>>4&(1<<twoBits-1)], &s.three[h3>>8&(1<<threeBits-1)]
	two, three, four = unset, unset, unset
	if q := *e4; q&255 == h4>>(24-fourBits)&255 && q>>8 < p && le32(text, q>>8) == v {
		four = q >> 8
	}
	if q := *e2; q&255 == h2&15 && q>>8 < p {
		two = q >> 8
	}
	if q := *e3; q&255 == h3&255 && q>>8 < p {
		three = q >> 8
	}
	if s.next == p {
		*e2, *e3, *e4 = p<<8|h2&15, p<<8|h3&255, p<<8|h4>>(24-fourBits)&255
		s.next = p + 1
	}
	return two, three, four
}
