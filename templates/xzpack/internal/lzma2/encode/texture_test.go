package encode

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestIsText(t *testing.T) {
	lines := bytes.Repeat([]byte("\tif a human being can read it, it is text\n"), 1000)
	archive := append(bytes.Clone(lines), make([]byte, 3*len(lines))...)
	for _, test := range []struct {
		name string
		text []byte
		want bool
	}{
		{"nothing", nil, false},
		{"zeros", make([]byte, 50_000), false},
		{"lines", lines, true},
		{"lines and zeros", archive, true},
		{"noise", random(1, 50_000), false},
		{"a fifth noise", append(random(2, len(lines)/4), lines...), true},
		{"a third noise", append(random(3, len(lines)/2), lines...), true}, // of which two fifths are printable
		{"half noise", append(random(4, len(lines)), lines...), false},
	} {
		require.Equal(t, test.want, isText(test.text, uint32(len(test.text))), test.name)
	}
	require.False(t, isText(append(random(5, 1000), lines...), 1000), "what lies behind the text does not count")
}

// TestTextSearch: it is that of texts, and of nothing else.
func TestTextSearch(t *testing.T) {
	var text []byte // where the nearest match of four bytes is seldom one of five
	rnd := random(6, 30_000)
	for i := range 10_000 {
		text = append(text, "disk"...)
		for _, b := range rnd[3*i:][:3] {
			text = append(text, '@'+b&31)
		}
	}
	other := bytes.Clone(text)
	for i := range other {
		other[i] |= 0x80
	}
	packed := func(text []byte, hash, textHash uint32) []byte {
		p := Balanced
		p.Search.Hash, p.Text.Hash = hash, textHash
		p.Text.Depth, p.Text.Skip, p.Text.Stay = p.Depth, p.Skip, p.Stay
		out, err := New(p).Encode(t.Context(), nil, text, false)
		require.NoError(t, err)
		return out
	}
	for _, text := range [][]byte{text, other} {
		require.False(t, bytes.Equal(packed(text, 5, 5), packed(text, 6, 6)), "the hashes make a difference")
	}
	require.True(t, bytes.Equal(packed(text, 6, 6), packed(text, 5, 6)), "text")
	require.True(t, bytes.Equal(packed(other, 5, 5), packed(other, 5, 6)), "what is none")
}
