package encode

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// word is a word of the store that tells where it was put.
func word(pos uint32, i int) uint32 { return uint32(4+i)<<lenShift | pos&(1<<20-1)<<3 | uint32(i) }

func words(pos uint32, n int) (w []uint32) {
	for i := range n {
		w = append(w, word(pos, i))
	}
	return w
}

func storeParams(keep, pages int) *Params {
	return &Params{Search: Search{Keep: keep}, StorePages: pages}
}

// fill fills a store for n positions in an order like that of the trees, and returns how many words each position got.
func fill(s *matchStore, n uint32, seed uint64, most int) map[uint32]int {
	rnd := rand.New(rand.NewPCG(seed, 1))
	counts := make(map[uint32]int)
	order := rnd.Perm(int(n))
	for _, p := range order {
		pos := uint32(p)
		if k := rnd.IntN(most + 1); k > 0 {
			counts[pos] = k
			s.shelves[0].put(pos, words(pos, k))
		}
	}
	return counts
}

func TestStoreGivesBack(t *testing.T) {
	var s matchStore // one for all: nothing of an earlier text may come back
	for i, n := range []uint32{1, 5, baySize - 1, baySize, baySize + 1, 3*baySize + 77, 100, 2 * baySize} {
		s.reset(n, n, storeParams(4, 1<<20))
		counts := fill(&s, n, uint64(i), min(4, maxKeep))
		for pos := range n {
			requireWords(t, counts[pos], &s, pos, "position %d of %d", pos, n)
		}
		// The parser looks one stretch ahead and comes back, across the boundary of bays, too.
		for pos := range n {
			ahead := min(n-1, pos+4000)
			if ahead&15 == 0 {
				requireWords(t, counts[ahead], &s, ahead, "position %d of %d", ahead, n)
				requireWords(t, counts[pos], &s, pos, "position %d of %d, again", pos, n)
			}
		}
	}
}

// stored are the words for a position, none if it has none.
func stored(s *matchStore, pos uint32) []uint32 {
	if s.first(pos, pos) != pos {
		return nil
	}
	return s.words(pos, new([maxKeep]uint32))
}

// requireWords is not require.Equal, which takes its time.
func requireWords(t *testing.T, n int, s *matchStore, pos uint32, what string, args ...any) {
	t.Helper()
	if got := stored(s, pos); !slices.Equal(got, words(pos, n)) {
		require.Equal(t, words(pos, n), got, append([]any{what}, args...)...)
	}
}

// TestStorePages puts records of each size next to the end of a page.
func TestStorePages(t *testing.T) {
	for size := 1; size <= maxKeep; size++ {
		for lead := range 2 * (maxKeep + 2) {
			var s matchStore
			s.reset(baySize, baySize, storeParams(maxKeep, 1<<20))
			counts := make(map[uint32]int)
			put := func(pos uint32, n int) {
				counts[pos] = n
				s.shelves[0].put(pos, words(pos, n))
			}
			for i := range lead {
				put(uint32(i), 1)
			}
			for i := range uint32(2 * pageSize) {
				put(1000+i, size)
			}
			for pos := range uint32(1000 + 2*pageSize + 1) {
				requireWords(t, counts[pos], &s, pos, "size %d behind %d, position %d", size, lead, pos)
			}
		}
	}
}

// TestStoreBudget: on the last quarter of the pages the longest match alone is kept, and then none,
// but what comes back is right in any case, and no more memory is taken.
func TestStoreBudget(t *testing.T) {
	const n = 3 * baySize
	var last int
	for _, budget := range []int{1, 2, 10, 100, 150, 300, 600, 100_000} {
		var s matchStore
		s.reset(n, n, storeParams(4, budget))
		counts := fill(&s, n, 1, 4)
		whole, longest, none := 0, 0, 0
		for pos := range uint32(n) {
			want := words(pos, counts[pos])
			switch got := stored(&s, pos); {
			case len(got) == len(want):
				require.True(t, slices.Equal(want, got))
				whole++
			case len(got) == 1:
				require.True(t, want[len(want)-1] == got[0])
				longest++
			default:
				require.Empty(t, got)
				none++
			}
		}
		t.Logf("%d pages: %d whole, %d with the longest, %d none; %d pages", budget, whole, longest, none, s.shelves[0].used)
		require.LessOrEqual(t, len(s.pages)>>pageBits, budget)
		require.LessOrEqual(t, s.shelves[0].used, budget)
		require.GreaterOrEqual(t, whole, last)
		last = whole
		if budget == 100_000 {
			require.Zero(t, longest+none)
		}
	}
}
