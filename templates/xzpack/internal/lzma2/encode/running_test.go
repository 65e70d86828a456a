package encode

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRunning: from what is stored where matches begin it is known at each position what can be had there, for every
// length the nearest distance, whatever positions are passed over or come back to. Of texts where more begins at a position
// than is kept, what is known must be right.
func TestRunning(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	var f finder
	complete := 0
	for name, text := range smallTexts(1500) {
		for _, nice := range []uint32{keySize, keySize + 1, 40, 60} {
			n := uint32(len(text))
			whole := allKept(text, nice)
			if whole {
				complete++
			}
			var store matchStore
			p := Params{Nice: nice, Search: Search{Hash: 5, Depth: 1 << 20, Inside: nice, Keep: maxKeep}, TreeMax: 1 << 20, RangeLeast: 1 << 24, StorePages: 1 << 20}
			require.NoError(t, f.find(context.Background(), padded(text), n, []span{{0, n}}, &p, &store, 1))
			var r running
			r.goBack(0)
			for pos := uint32(1); pos < n-runLeast; pos++ {
				switch rnd.IntN(40) {
				case 0:
					pos += rnd.Uint32N(300)
				case 1:
					pos -= rnd.Uint32N(pos)
					r.goBack(pos)
				}
				if pos == 0 || pos >= n-runLeast {
					continue
				}
				list := r.at(padded(text), &store, pos, nice, n-pos)
				requireTrue(t, text, pos, list, name)
				if whole {
					requireAll(t, text, pos, nice, list, name)
				}
			}
		}
	}
	require.Greater(t, complete, 30)
}

// allKept says whether the store has room for all matches that begin at any position of text.
func allKept(text []byte, nice uint32) bool {
	for p := range len(text) - 4 {
		if len(beginning(text, p, oracle(text, p, nice))) > maxKeep {
			return false
		}
	}
	return true
}

func requireTrue(t *testing.T, text []byte, pos uint32, list []match, name string) {
	t.Helper()
	for i, m := range list {
		l, d := m.end-pos, m.word&distMask
		require.GreaterOrEqual(t, commonLen(text, int(pos-d-1), int(pos), l), l, "%s, position %d", name, pos)
		require.True(t, i == 0 || m.end > list[i-1].end && d > list[i-1].word&distMask, "%s, position %d: not in order", name, pos)
	}
}

func requireAll(t *testing.T, text []byte, pos, nice uint32, list []match, name string) {
	t.Helper()
	for _, want := range oracle(text, int(pos), nice) {
		want.len = min(want.len, uint32(len(text))-pos) // the trees look at the zeros behind the text, too
		// Of two that are nice only the nearer one is told; when it ends, the other may be missing until it is told again.
		nearest := true
		if want.len >= nice {
			want.len -= sampleMask + 1
			nearest = false
		}
		have := false
		for _, m := range list {
			if m.end-pos >= want.len {
				require.True(t, !nearest || m.word&distMask <= want.dist, "%s, position %d, length %d", name, pos, want.len)
				have = true
				break
			}
		}
		require.True(t, have, "%s, position %d: no match of %d bytes at %d", name, pos, want.len, want.dist)
	}
}
