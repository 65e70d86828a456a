package encode

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// found is what the finder tells of a position: matches that grow.
type found struct{ len, dist uint32 }

// search finds the matches of all positions of text.
func search(t *testing.T, f *finder, text []byte, p Params) [][]found {
	t.Helper()
	n := uint32(len(text))
	var store matchStore
	require.NoError(t, f.find(context.Background(), padded(text), n, []span{{0, n}}, &p, &store, 1))
	all := make([][]found, n)
	for pos := range n {
		for _, w := range stored(&store, pos) {
			all[pos] = append(all[pos], found{w >> lenShift & lenMask, w & distMask})
			if w>>lenShift&lenMask < p.Nice {
				requireMore(t, text, pos, w)
			}
		}
	}
	return all
}

// requireMore: the mark that a match may go on is never missing where it should be.
func requireMore(t *testing.T, text []byte, p, w uint32) {
	t.Helper()
	next := p + w>>lenShift&lenMask + 1 // behind the byte that differs
	if d := w&distMask + 1; int(next)+2 <= len(text) && le16(text, next) == le16(text, next-d) {
		require.Equal(t, uint32(1), w>>moreShift, "position %d", p)
	}
}

// commonLen is how long the texts at q and p are the same, with zeros behind the text.
func commonLen(text []byte, q, p int, limit uint32) uint32 {
	at := func(i int) byte {
		if i < len(text) {
			return text[i]
		}
		return 0
	}
	l := uint32(0)
	for l < limit && at(q+int(l)) == at(p+int(l)) {
		l++
	}
	return l
}

// oracle is every match that is longer than all nearer ones, from a length of five on, up to the first one of nice.
func oracle(text []byte, p int, nice uint32) (all []found) {
	best := uint32(4)
	for q := p - 1; q >= 0 && best < nice; q-- {
		if l := commonLen(text, q, p, nice); l > best {
			best = l
			all = append(all, found{l, uint32(p - q - 1)})
		}
	}
	return all
}

// beginning are those of matches that begin at p, and those that are told again.
func beginning(text []byte, p int, matches []found) (all []found) {
	for _, m := range matches {
		q := p - int(m.dist) - 1
		if q == 0 || text[q-1] != text[p-1] || p&sampleMask == 0 && m.len >= sampleLeast {
			all = append(all, m)
		}
	}
	return all
}

// requireReal checks what must hold of matches however short the search was.
func requireReal(t *testing.T, text []byte, all [][]found, p Params) {
	t.Helper()
	for pos, matches := range all {
		require.LessOrEqual(t, len(matches), p.Keep)
		for i, m := range matches {
			require.GreaterOrEqual(t, m.len, uint32(5))
			require.LessOrEqual(t, m.len, p.Nice)
			require.Less(t, m.dist, uint32(pos))
			require.True(t, i == 0 || m.len > matches[i-1].len, "lengths grow")
			require.True(t, i == 0 || m.dist > matches[i-1].dist, "so do distances: a nearer one of the same length is better")
			require.Equal(t, m.len, commonLen(text, pos-int(m.dist)-1, pos, p.Nice), "position %d, distance %d", pos, m.dist)
		}
	}
}

// smallTexts are short texts in which there is much to find.
func smallTexts(n int) map[string][]byte {
	texts := map[string][]byte{
		"zeros": make([]byte, n), "ff": bytes.Repeat([]byte{0xff}, n), "noise": random(1, n), "zeros at the end": append(dense(1, n/2), make([]byte, n/2)...),
	}
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, symbols := range []int{1, 2, 3, 5, 16} {
		p := make([]byte, n)
		for i := range p {
			p[i] = "\x00\xff\x7f\x80abcdefghijkl"[rnd.IntN(symbols)]
		}
		texts[fmt.Sprint(symbols, " symbols")] = p
	}
	for _, period := range []int{2, 3, 5, 17, 40, 100} {
		p := bytes.Repeat(random(uint64(period), period), n/period+1)[:n]
		for range 6 {
			p[rnd.IntN(n)]++
		}
		texts[fmt.Sprint("nearly period ", period)] = p
	}
	return texts
}

// TestTreesFindAll: with no limits on the search all that is worth having is found, and told where it begins; of what is
// too much to keep, the longest.
func TestTreesFindAll(t *testing.T) {
	var f finder // one for all: nothing may be left of the text before
	for name, text := range smallTexts(1500) {
		for _, nice := range []uint32{keySize, keySize + 1, 40, 60} {
			p := Params{Nice: nice, Search: Search{Hash: 5, Depth: 1 << 20, Inside: nice, Keep: maxKeep}, TreeMax: 1 << 20, RangeLeast: 1 << 24, StorePages: 1 << 20}
			all := search(t, &f, text, p)
			requireReal(t, text, all, p)
			for pos := range len(text) - 4 {
				want := beginning(text, pos, oracle(text, pos, nice))
				want = want[max(0, len(want)-maxKeep):]
				if !slices.Equal(want, all[pos]) {
					require.Equal(t, want, all[pos], "%s, nice %d, position %d", name, nice, pos)
				}
			}
		}
	}
}

// TestTreesKeepTheLongest: limits lose matches, but none that are told are wrong; keeping fewer keeps the longest.
func TestTreesKeepTheLongest(t *testing.T) {
	for name, text := range smallTexts(1500) {
		base := Params{Nice: 48, Search: Search{Hash: 5, Depth: 20, Inside: 48, Keep: maxKeep}, TreeMax: 1 << 20, RangeLeast: 1 << 24, StorePages: 1 << 20}
		all := search(t, new(finder), text, base)
		requireReal(t, text, all, base)
		for keep := range maxKeep {
			p := base
			p.Keep = keep + 1
			kept := search(t, new(finder), text, p)
			for pos := range kept {
				want := all[pos][max(0, len(all[pos])-p.Keep):]
				require.True(t, slices.Equal(want, kept[pos]), "%s, keep %d, position %d", name, p.Keep, pos)
			}
		}
		for inside := uint32(keySize); inside < base.Nice; inside += 4 { // trees in which not all is in order
			p := base
			p.Inside = inside
			requireReal(t, text, search(t, new(finder), text, p), p)
		}
		for _, trees := range []int{2, 100, 1024, 1500} {
			p := base
			p.TreeMax = trees
			requireReal(t, text, search(t, new(finder), text, p), p)
		}
	}
}

// TestTreesOutOfOrder: where a position takes another's place that it agrees with in some bytes only, the order of the tree
// is right for so many bytes and no more. What is told must still be real.
func TestTreesOutOfOrder(t *testing.T) {
	for seed := range uint64(30) {
		rnd := rand.New(rand.NewPCG(seed, 4))
		var text []byte
		piece := random(seed, 80)
		for len(text) < 8000 { // each is like one before it, but for a byte somewhere behind what all begin with
			text = append(text, piece...)
			piece = bytes.Clone(text[rnd.IntN(len(text)/80)*80:][:80])
			piece[keySize+4+rnd.IntN(60-keySize)]++
			piece[79] = byte(rnd.IntN(6)) // one takes the place of those that have the same byte before them
		}
		for _, inside := range []uint32{keySize, 32, 40} {
			p := Params{Nice: maxNice, Search: Search{Hash: 6, Depth: 16, Inside: inside, Keep: maxKeep}, TreeMax: 1 << 20, RangeLeast: 1 << 24, StorePages: 1 << 20}
			requireReal(t, text, search(t, new(finder), text, p), p)
		}
	}
}

// TestTreesLookAtActiveSpansOnly: what is left out neither finds nor is found.
func TestTreesLookAtActiveSpansOnly(t *testing.T) {
	text := bytes.Repeat(dense(1, 500), 4)
	p := Best
	for _, spans := range [][]span{nil, {{0, 500}, {1000, 1500}}, {{3, 400}, {401, 402}, {700, 2000}}, {{0, 2000}}} {
		var f finder
		var store matchStore
		require.NoError(t, f.find(context.Background(), padded(text), 2000, spans, &p, &store, 1))
		in := func(q uint32) bool {
			for _, s := range spans {
				if s.from <= q && q < s.to {
					return true
				}
			}
			return false
		}
		n := 0
		for pos := range uint32(2000) {
			for _, w := range stored(&store, pos) {
				n++
				require.True(t, in(pos) && in(pos-w&distMask-1), "position %d", pos)
			}
		}
		require.Equal(t, len(spans) > 0, n > 100)
	}
}
