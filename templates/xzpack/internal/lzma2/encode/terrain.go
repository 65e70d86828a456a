package encode

import "math"

// terrain is what a quick look over the text tells about it before anything is sorted: where not to search.
//
//   - Long repeats, and runs of one byte. All but their beginnings and ends are left out of the trees: the parser takes
//     a repeat as a whole, and what refers to it later finds the earlier copy instead.
//   - Segments that cannot be compressed, because their bytes are evenly distributed and occur neither earlier nor later.
//
// Repeats are found by anchors (anchor.go).
type terrain struct {
	active  []span   // what goes into the trees, in order
	repeats []repeat // in order, without overlaps
	raw     []bool   // by segment
	anchors []uint32 // tag<<24 | position, by hash: most that differ do so in their tags, without a look at the text
	flat    []bool   // by segment: bytes evenly distributed
	known   []uint32 // by segment: anchors that occur elsewhere
}

// span is a range of positions.
type span struct{ from, to uint32 }

// repeat is a range that occurs earlier, at a distance that counts from 0.
type repeat struct{ from, to, dist uint32 }

const (
	segBits = 16 // positions of a segment
	segSize = 1 << segBits
	segMask = segSize - 1

	// repeatTail is how much of the end of a repeat goes into the trees: from there other matches may go on.
	repeatTail = 16
	// flatEntropy is the entropy, in bits a byte, above which a segment may be raw. Of xz files it is 7.996 at the least,
	// of deflated ones 7.97 on the average.
	flatEntropy = 7.97
	// plenty is how many known anchors a segment must have to be worth compressing: that is a saving of some hundred bytes.
	plenty = 4
)

// survey looks over text, of which n bytes count. Repeats shorter than least are not told.
func (t *terrain) survey(text []byte, n, least uint32) {
	segments := int(n>>segBits) + 1
	t.active, t.repeats = t.active[:0], t.repeats[:0]
	t.raw, t.flat, t.known = resize(t.raw, segments), resize(t.flat, segments), resize(t.known, segments)
	t.anchors = resize(t.anchors, 1<<anchorTableBits(n))
	for s := range n >> segBits {
		t.flat[s] = entropy(text[s<<segBits:(s+1)<<segBits]) > flatEntropy
	}
	whole := n >> segBits
	if whole > 0 {
		t.flat[whole] = t.flat[whole-1] // what is left goes on like that: copies in it have the same anchors then
	}
	t.findRepeats(text, n, least)
	for s := range whole {
		t.raw[s] = t.flat[s] && t.known[s] < plenty
	}
	t.leaveOutRaw()
}

// resize returns a slice of n zeros, s if that is large enough.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		s = make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// findRepeats fills repeats, known and active.
func (t *terrain) findRepeats(text []byte, n, least uint32) {
	anchors, mask := t.anchors, uint64(len(t.anchors)-1)
	from := uint32(0) // where the current active span began
	skip := func(r repeat) {
		t.repeats = append(t.repeats, r)
		if r.from+1 > from {
			t.active = append(t.active, span{from, r.from + 1})
		}
		from = r.to - repeatTail
	}
	last := uint32(0) // anchor
	for p := uint32(0); p+8 <= n; p++ {
		if p = t.nextAnchor(text, p, n-7, last+anchorGap); p == n-7 {
			break
		}
		last = p
		v := le64(text, p)
		h := v * anchorFactor
		slot := &anchors[h>>anchorShift&mask]
		entry, tag := *slot, anchorTag(h)
		*slot = p | tag
		q := entry & posBits
		if entry^tag > posBits || q >= p || le64(text, q) != v {
			continue
		}
		end := p + matchLen(text, q, p, 8, n-p)
		back := matchBack(text, q, p, min(q, p-from))
		stands := uint32(1) // for so many anchors
		if t.flat[p>>segBits] {
			stands = flatStands
		}
		t.known[p>>segBits] += stands
		if end-p+back < least || p == 0 {
			t.known[q>>segBits] += stands
			continue
		}
		t.known[q>>segBits]++ // the copy gains by it, not the original
		skip(repeat{p - back, end, p - q - 1})
		// What lies within is remembered, too: the nearest copy is the best.
		if end > p+9 {
			for i := t.nextAnchor(text, p+1, end-8, unset); i < end-8; i = t.nextAnchor(text, i+1, end-8, unset) {
				h := le64(text, i) * anchorFactor
				anchors[h>>anchorShift&mask] = i | anchorTag(h)
			}
		}
		for s := p >> segBits; s <= (end-1)>>segBits; s++ {
			t.known[s] += uint32(min(end, (s+1)<<segBits)-max(p, s<<segBits)) >> anchorBits
		}
		p = end - 1
	}
	if from < n {
		t.active = append(t.active, span{from, n})
	}
}

// leaveOutRaw takes the raw segments out of the active spans.
func (t *terrain) leaveOutRaw() {
	kept := make([]span, 0, len(t.active))
	for _, a := range t.active {
		for a.from < a.to {
			end := min(a.to, (a.from|segMask)+1)
			if t.raw[a.from>>segBits] {
				a.from = end
				continue
			}
			if k := len(kept); k > 0 && kept[k-1].to == a.from {
				kept[k-1].to = end
			} else {
				kept = append(kept, span{a.from, end})
			}
			a.from = end
		}
	}
	t.active = kept
}

// entropy is that of the bytes of p, of which there are segSize, in bits a byte.
func entropy(p []byte) float64 {
	var count [4][256]uint32 // one counter would wait for itself where a byte is repeated
	for len(p) >= 4 {
		count[0][p[0]]++
		count[1][p[1]]++
		count[2][p[2]]++
		count[3][p[3]]++
		p = p[4:]
	}
	sum := 0.0
	for i := range 256 {
		sum += timesLog[count[0][i]+count[1][i]+count[2][i]+count[3][i]]
	}
	return segBits - sum/segSize
}

// timesLog holds x times the logarithm of x to the base of 2.
var timesLog = func() []float64 {
	t := make([]float64, segSize+1)
	for x := 1; x < len(t); x++ {
		t[x] = float64(x) * math.Log2(float64(x))
	}
	return t
}()
