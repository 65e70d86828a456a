package encode

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShortHashesLoseNothing: an entry that agrees with a hash is taken for a match without a look at the text.
func TestShortHashesLoseNothing(t *testing.T) {
	two, three := make([]bool, 1<<16), make([]bool, 1<<24)
	for v := range uint32(1 << 24) {
		h2, h3 := shortHashes(v | v<<24) // what lies behind makes no difference
		if v < 1<<16 {
			require.False(t, two[h2])
			two[h2] = true
		}
		if three[h3] {
			require.False(t, three[h3], "%06x", v)
		}
		three[h3] = true
	}
}

// TestShortMatches: what the table finds is there, and it is the nearest unless another text has taken its place.
func TestShortMatches(t *testing.T) {
	masks := [3]uint32{1<<16 - 1, 1<<24 - 1, 1<<32 - 1}
	rnd := rand.New(rand.NewPCG(1, 1))
	var s shortTable
	for round := range 30 {
		const n = 5000
		text := make([]byte, n+Pad)
		symbols := 2 + rnd.IntN(30)
		for i := range n {
			text[i] = byte(rnd.IntN(symbols)) * 3
		}
		s.reset()
		var last [3]map[uint32]uint32 // positions, plus 1, of two, three and four bytes
		for i := range last {
			last[i] = make(map[uint32]uint32)
		}
		from := uint32(0)
		for p := uint32(1); p < n-4; p++ {
			if rnd.IntN(50) == 0 { // the parser jumps over what a long match covers, by less than is forgotten
				p = min(p+uint32(rnd.IntN(shortGap)), n-5)
			}
			for ; from < p; from++ {
				for i := range last {
					last[i][le32(text, from)&masks[i]] = from + 1
				}
			}
			two, three, four := s.find(text, p)
			for i, q := range []uint32{two, three, four} {
				mask := masks[i]
				want := last[i][le32(text, p)&mask] - 1
				if q == unset {
					continue
				}
				require.Less(t, q, p)
				require.Equal(t, le32(text, p)&mask, le32(text, q)&mask)
				require.Equal(t, want, q, "round %d: the nearest %d bytes for %d", round, i+2, p)
			}
			// Few symbols do not collide in the first tables.
			if symbols < 5 {
				require.Equal(t, last[0][le32(text, p)&masks[0]], two+1)
				require.Equal(t, last[1][le32(text, p)&masks[1]], three+1)
			}
		}
	}
}

// TestShortMatchesBehindAGap: of what a long match jumps over only the end is remembered.
func TestShortMatchesBehindAGap(t *testing.T) {
	text := make([]byte, 1000+Pad)
	for i := range 1000 {
		text[i] = byte(i)
	}
	copy(text[990:], []byte{1, 2, 3, 4})
	var s shortTable
	s.reset()
	two, three, _ := s.find(text, 990)
	require.Equal(t, [2]uint32{unset, unset}, [2]uint32{two, three}, "769 is too far before it")
	copy(text[990:], []byte{200, 201, 202, 203}) // as at 968
	s.reset()
	two, three, _ = s.find(text, 990)
	require.Equal(t, [2]uint32{968, 968}, [2]uint32{two, three})
}

// TestShortMatchesGoBack: the parser may come back to where a chunk that was not worth it began.
func TestShortMatchesGoBack(t *testing.T) {
	text := append([]byte("abcdefabcdefabcdef"), make([]byte, Pad)...)
	var s shortTable
	s.reset()
	for p := uint32(1); p < 18; p++ {
		s.find(text, p)
	}
	for p := uint32(1); p < 18; p++ {
		two, three, _ := s.find(text, p)
		for _, q := range []uint32{two, three} {
			require.True(t, q == unset || q < p, "%d finds %d", p, q)
		}
	}
}
