package encode

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func random(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 3))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// dense is something that compresses, without long repeats.
func dense(seed uint64, n int) []byte {
	rnd := rand.New(rand.NewPCG(seed, 4))
	p := make([]byte, n)
	for i := range p {
		p[i] = "etaoinshrdlucmfw"[rnd.IntN(16)]
	}
	return p
}

func padded(text []byte) []byte { return append(bytes.Clone(text), make([]byte, Pad)...) }

// surveyed is the terrain of text. What must hold of every text does.
func surveyed(t *testing.T, tr *terrain, text []byte, least uint32) {
	t.Helper()
	n := uint32(len(text))
	tr.survey(padded(text), n, least)
	last := uint32(0)
	for i, r := range tr.repeats {
		require.Less(t, r.from, r.to)
		require.GreaterOrEqual(t, r.to-r.from, least)
		require.LessOrEqual(t, r.to, n)
		require.Less(t, r.dist, r.from)
		require.True(t, bytes.Equal(text[r.from:r.to], text[r.from-r.dist-1:r.to-r.dist-1]), "repeat %d: %+v", i, r)
		require.GreaterOrEqual(t, r.from+repeatTail, last, "repeat %d: %+v", i, r)
		last = r.to
	}
	last = 0
	for i, a := range tr.active {
		require.Less(t, a.from, a.to, "span %d", i)
		require.LessOrEqual(t, a.to, n)
		require.True(t, i == 0 || a.from > last, "span %d: %+v behind %d", i, a, last)
		last = a.to
	}
	require.Len(t, tr.raw, len(text)/segSize+1)
	require.False(t, tr.raw[len(text)/segSize], "the last segment is not a whole one")

	// Each position is searched, or lies in a repeat, or in a raw segment.
	covered := make([]bool, n)
	mark := func(from, to uint32) {
		for p := from; p < to; p++ {
			covered[p] = true
		}
	}
	for _, a := range tr.active {
		mark(a.from, a.to)
		for s := a.from >> segBits; s <= (a.to-1)>>segBits; s++ {
			require.False(t, tr.raw[s], "a raw segment is searched: %d", s)
		}
	}
	for _, r := range tr.repeats {
		mark(r.from, r.to)
	}
	for s, raw := range tr.raw {
		if raw {
			mark(uint32(s)<<segBits, uint32(s+1)<<segBits)
		}
	}
	require.Equal(t, -1, bytes.IndexByte(bools(covered), 0), "position that is left out")
}

func bools(b []bool) []byte {
	p := make([]byte, len(b))
	for i := range b {
		if b[i] {
			p[i] = 1
		}
	}
	return p
}

// inRepeats is how many bytes lie in repeats.
func inRepeats(tr *terrain) (n int) {
	for _, r := range tr.repeats {
		n += int(r.to - r.from)
	}
	return n
}

func rawSegments(tr *terrain) (n int) {
	for _, raw := range tr.raw {
		if raw {
			n++
		}
	}
	return n
}

func TestTerrainOfRuns(t *testing.T) {
	var tr terrain
	for _, b := range []byte{0, 'x', 0xff} {
		for _, n := range []int{1, 7, 8, 9, 100, 273, 274, 300, 5000, segSize - 1, segSize, segSize + 1, 3*segSize + 5} {
			surveyed(t, &tr, bytes.Repeat([]byte{b}, n), 273)
			if n > 600 {
				require.Greater(t, inRepeats(&tr), n-300, "%d bytes of %02x", n, b)
			}
		}
	}
}

func TestTerrainOfPeriods(t *testing.T) {
	var tr terrain
	for period := 1; period <= 300; period++ {
		// If its content chooses no anchor, it takes as many of those that are chosen by their distance until one is like
		// another.
		text := bytes.Repeat(random(uint64(period), period), anchorGap+10_000/period)
		surveyed(t, &tr, text, 128)
		require.Greater(t, inRepeats(&tr), 9_000, "period %d", period)
		require.Less(t, len(tr.repeats), 4, "period %d", period)
	}
	for _, period := range []int{4096, 70_000} {
		text := bytes.Repeat(random(1, period), 6)
		surveyed(t, &tr, text, 273)
		require.Greater(t, inRepeats(&tr), 5*period-100, "period %d", period)
	}
}

// TestTerrainOfCopies: a copy of what cannot be compressed is found at any alignment, and costs next to nothing.
func TestTerrainOfCopies(t *testing.T) {
	var tr terrain
	original := random(1, 3*segSize)
	for _, gap := range []int{0, 1, 3, 7, 8, 31, 32, 33, 1000, segSize - 1, segSize, segSize + 1} {
		text := append(append(bytes.Clone(original), random(2, gap)...), original...)
		text = append(text, random(3, segSize)...)
		surveyed(t, &tr, text, 273)
		require.Greater(t, inRepeats(&tr), len(original)-300, "gap %d", gap)
		first, last := (len(original)+gap)/segSize+1, (2*len(original)+gap)/segSize
		for s := first; s < last; s++ {
			require.False(t, tr.raw[s], "gap %d: segment %d of the copy is raw", gap, s)
		}
	}
}

// TestTerrainOfShortCopies: segments with a few of them are compressed.
func TestTerrainOfShortCopies(t *testing.T) {
	var tr terrain
	text := random(1, 4*segSize)
	for i := range 20 {
		copy(text[2*segSize+i*3000:], text[i*1000:][:600])
	}
	surveyed(t, &tr, text, 273)
	require.False(t, tr.raw[2])
	require.True(t, tr.raw[1] && tr.raw[3])
}

func TestRawSegments(t *testing.T) {
	var tr terrain
	for n := range 5 {
		for _, more := range []int{0, 1, segSize - 1} {
			surveyed(t, &tr, random(1, n*segSize+more), 273)
			require.Equal(t, n, rawSegments(&tr), "%d segments and %d bytes", n, more)
			surveyed(t, &tr, dense(1, n*segSize+more), 273)
			require.Zero(t, rawSegments(&tr))
		}
	}
	// Noise and text in one segment: what there is of text decides.
	for part := 1000; part <= segSize; part += 1000 {
		text := append(dense(1, part), random(1, 2*segSize-part)...)
		surveyed(t, &tr, text, 273)
		require.True(t, tr.raw[1])
		require.True(t, !tr.raw[0] || part < 4000, "%d bytes of text are stored as they are", part)
	}
	// Evenly distributed bytes are not enough.
	even := make([]byte, 4*segSize)
	for i := range even {
		even[i] = byte(i + i>>8)
	}
	surveyed(t, &tr, even, 273)
	require.Zero(t, rawSegments(&tr))
}

// TestTerrainOfMixtures surveys with one terrain, which must not remember anything of the text before.
func TestTerrainOfMixtures(t *testing.T) {
	var tr terrain
	rnd := rand.New(rand.NewPCG(1, 5))
	for round := range 60 {
		text := random(uint64(round), 100)
		for len(text) < segSize*(1+rnd.IntN(5)) {
			n := 1 + rnd.IntN(1+rnd.IntN(100_000))
			switch rnd.IntN(5) {
			case 0:
				text = append(text, random(uint64(n), n)...)
			case 1:
				text = append(text, dense(uint64(n), n)...)
			case 2:
				text = append(text, make([]byte, n)...)
			default:
				from := rnd.IntN(len(text))
				text = append(text, text[from:min(len(text), from+n)]...)
			}
		}
		least := uint32(100 + rnd.IntN(300))
		surveyed(t, &tr, text, least)
		var fresh terrain
		fresh.survey(padded(text), uint32(len(text)), least)
		require.True(t, slices.Equal(fresh.repeats, tr.repeats) && slices.Equal(fresh.active, tr.active))
		require.Equal(t, fresh.raw, tr.raw)
	}
}

// TestNextByte: the first of its value is found, whatever stands around it.
func TestNextByte(t *testing.T) {
	text := padded(random(9, 4000))
	for _, p := range []int{17, 18, 19, 40, 64, 3990} {
		copy(text[p:], []byte{anchorByte, anchorByte ^ 1, anchorByte - 1, anchorByte ^ 0x80})
	}
	for from := range uint32(4000) {
		for _, to := range []uint32{from, from + 1, from + 7, from + 300} {
			want := to
			if i := bytes.IndexByte(text[from:to], anchorByte); i >= 0 {
				want = from + uint32(i)
			}
			require.Equal(t, want, nextByte(text, from, to), "from %d to %d", from, to)
		}
	}
}

// TestCopiesOfCompressedData: a copy is found wherever it lies, and what it is a copy of as well where it is only a part.
func TestCopiesOfCompressedData(t *testing.T) {
	var tr terrain
	file := random(5, 4*segSize)
	for _, shift := range []int{0, 1, 3, 1000, segSize / 2} {
		text := slices.Concat(file, dense(6, shift), file, dense(7, segSize))
		surveyed(t, &tr, text, 273)
		require.Greater(t, inRepeats(&tr), len(file)-2000, "%d bytes between", shift)
		require.GreaterOrEqual(t, rawSegments(&tr), 4, "%d bytes between", shift)
	}
}
