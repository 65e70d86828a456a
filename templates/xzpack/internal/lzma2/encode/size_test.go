package encode_test

import (
	"bytes"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSizesLikeThoseOfXZ: a mistake in the search or in the prices gives data that is right, and too much of it.
func TestSizesLikeThoseOfXZ(t *testing.T) {
	notRaced(t)
	xz := realXZ(t)
	const n = 200_000
	s := newSource(11)
	for name, text := range map[string][]byte{
		"prose": s.prose(n), "mixture": mixture(11, n), "records": s.records(n, 256, 4, 5, 8, 9, 40, 41, 44, 45, 100, 101), "copies": s.copies(n, 300),
		"symbols": s.symbols(n, "aaaaaaab"), "almost": s.almost(n, 100), "alternating": alternating(32<<10, s.noise(n), s.prose(n)), "zeros": make([]byte, n),
		"1 of 8": s.records(n, 8, 7), "1 of 40": s.records(n, 40, 7), "inodes": s.records(n, 256, 100),
	} {
		cmd := exec.Command(xz, "--format=raw", "--lzma2=preset=9", "-c")
		cmd.Stdin = bytes.NewReader(text)
		theirs, err := cmd.Output()
		require.NoError(t, err)
		for i, l := range levels {
			packed := encoded(t, l.encoder(), text)
			ratio := float64(len(packed)-50) / float64(len(theirs))
			t.Logf("%-12s %-9s %8d bytes, %.3f times %d", name, l.name, len(packed), ratio, len(theirs))
			bound := []float64{1.006, 1.03, 1.12}[i]
			if name == "symbols" { // more matches begin anywhere in it than are looked at
				bound = max(bound, 1.015)
			}
			require.Less(t, ratio, bound, "%s, %s", name, l.name)
		}
	}
}
