package encode_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
)

// mixture is n bytes with some of everything.
func mixture(seed uint64, n int) []byte {
	s := newSource(seed)
	var p []byte
	for len(p) < n {
		l := 1 + s.IntN(1+s.IntN(1+n/3))
		switch s.IntN(8) {
		case 0:
			p = append(p, s.noise(l)...)
		case 1:
			p = append(p, make([]byte, l)...)
		case 2:
			p = append(p, s.periodic(l, 1+s.IntN(300))...)
		case 3:
			p = append(p, s.symbols(l, every(1+s.IntN(256)))...)
		case 4, 5:
			if len(p) > 0 {
				from := s.IntN(len(p))
				p = append(p, p[from:min(len(p), from+l)]...)
			}
		default:
			p = append(p, s.prose(l)...)
		}
	}
	return p[:n]
}

// TestSizes puts the end of the text next to everything that is counted in it.
func TestSizes(t *testing.T) {
	notRaced(t)
	sizes := []int{segment - 9, segment - 1, segment, segment + 1, segment + 8}
	for n := range 40 {
		sizes = append(sizes, n)
	}
	for n := 270; n < 278; n++ {
		sizes = append(sizes, n)
	}
	s := newSource(1)
	texts := map[string][]byte{
		"zeros": make([]byte, 70_000), "prose": s.prose(70_000), "noise": s.noise(70_000), "period": s.periodic(70_000, 5), "mixture": mixture(1, 70_000),
	}
	for i, l := range levels {
		enc := l.encoder()
		for name, text := range texts {
			for _, n := range sizes {
				if n%len(levels) != i && n > 8 {
					continue
				}
				packed := proven(t, enc, text[:n])
				require.LessOrEqual(t, len(packed), lzma2.Bound(n)+3, "%s, %d bytes", name, n) // the header of an LZMA chunk is longer
			}
		}
	}
}

func TestMixtures(t *testing.T) {
	notRaced(t)
	for i := range uint64(20) {
		l := levels[i%3]
		n := 20_000 << (i % 5)
		proven(t, l.encoder(), mixture(i, n))
	}
}

// TestOtherParams: there is nothing about the levels that the encoder needs to be right.
func TestOtherParams(t *testing.T) {
	notRaced(t)
	text := append(mixture(5, 200_000), make([]byte, 150)...) // it ends like what is behind it
	for _, change := range []func(p *encode.Params){
		func(p *encode.Params) { p.Depth, p.Text.Depth = 1, 1 },
		func(p *encode.Params) { p.Stay, p.Text.Stay = 10_000, 10_000 },
		func(p *encode.Params) { p.Skip, p.Stay, p.Text = -10_000, -10_000, p.Search },
		func(p *encode.Params) { p.Hash, p.Text.Hash = 7, 5 },
		func(p *encode.Params) { p.Keep, p.Text.Keep = 1, 1 },
		func(p *encode.Params) { p.Keep, p.Text.Keep = 2, 2 },
		func(p *encode.Params) { p.TreeMax = 100 },
		func(p *encode.Params) { p.StorePages = 1 },
		func(p *encode.Params) { p.StorePages = 20 },
		func(p *encode.Params) { p.Composites = 0 },
		func(p *encode.Params) { p.Composites = 9 },
		func(p *encode.Params) { p.Slack = 0 },
		func(p *encode.Params) { p.Nice = 24 },
		func(p *encode.Params) { p.Inside, p.Text.Inside = 24, 24 },
		func(p *encode.Params) { p.Nice, p.RepeatLeast, p.Text.RepeatLeast = 127, 200, 200 },
		func(p *encode.Params) { p.RepeatLeast, p.Text.RepeatLeast = 10_000, 10_000 },
		func(p *encode.Params) { p.RepeatLeast, p.Text.RepeatLeast = p.Nice+1, p.Nice+1 },
	} {
		for _, l := range levels {
			change(&l.params)
			require.NotPanics(t, func() { proven(t, l.encoder(), text) }, "%+v", l.params)
		}
	}
}

// TestEncodersForgetEverything: what an encoder has done before makes no difference.
func TestEncodersForgetEverything(t *testing.T) {
	notRaced(t)
	s := newSource(7)
	texts := [][]byte{
		mixture(1, 300_000), mixture(2, 40_000), nil, s.noise(200_000), s.prose(150_000), make([]byte, 100_000), mixture(3, 500_000), {1}, s.periodic(70_000, 97),
	}
	cancelled := func(enc *encode.Encoder, after int) {
		_, err := enc.Encode(&countdown{bg, after}, nil, texts[6], false)
		require.ErrorIs(t, err, errEnough)
	}
	for _, l := range levels {
		used := l.encoder()
		var want [][]byte
		for _, text := range texts {
			want = append(want, encoded(t, l.encoder(), text))
		}
		for round := range 12 {
			if s.IntN(4) == 0 {
				cancelled(used, s.IntN(10))
			}
			i := s.IntN(len(texts))
			require.True(t, bytes.Equal(want[i], encoded(t, used, texts[i])), "%s: text %d in round %d", l.name, i, round)
		}
	}
}

var errEnough = errors.New("enough")

// countdown is done when it has been asked so many times.
type countdown struct {
	context.Context
	left int
}

func (c *countdown) Err() error {
	if c.left--; c.left < 0 {
		return errEnough
	}
	return nil
}

// TestCancelledAnywhere: however far it is, it stops with the cause, and what is in dst stays.
func TestCancelledAnywhere(t *testing.T) {
	enc := encode.New(encode.Balanced)
	text := mixture(4, 100_000)
	head := []byte("head")
	for after := 0; ; after += 1 + after/10 {
		out, err := enc.Encode(&countdown{bg, after}, bytes.Clone(head), text, false)
		require.True(t, bytes.HasPrefix(out, head))
		if err == nil {
			require.Greater(t, after, 5, "it is hardly ever looked at")
			break
		}
		require.ErrorIs(t, err, errEnough)
	}
}

// watch is a context that knows how long nobody asked it whether it is done.
type watch struct {
	context.Context
	asked int
	last  time.Time
	most  time.Duration
}

func (w *watch) Err() error {
	w.asked++
	now := time.Now()
	w.most = max(w.most, now.Sub(w.last))
	w.last = now
	return nil
}

// TestCancellingIsPrompt: the context is asked often, whatever the text.
func TestCancellingIsPrompt(t *testing.T) {
	notRaced(t)
	n := 500_000
	if *nastySize > 0 {
		n = *nastySize << 20
	}
	enc := encode.New(encode.Best)
	for name, text := range map[string][]byte{
		"records": newSource(1).records(n, 8, 7), "symbols": newSource(1).symbols(n, "aaaaaaab"), "de Bruijn": deBruijn(n, 24), "noise": newSource(1).noise(n),
		"period": newSource(1).periodic(n, 999), "copies": newSource(1).copies(n, 1000), "prose": newSource(1).prose(n),
	} {
		w := &watch{Context: bg, last: time.Now()}
		_, err := enc.Encode(w, nil, text, false)
		require.NoError(t, err)
		require.ErrorIs(t, w.Err(), nil)
		t.Logf("%s: asked %d times, not for %v", name, w.asked, w.most)
		require.Greater(t, w.asked, n/segment, name)
		if *nastySize > 0 { // a busy machine has nothing to say about it otherwise
			require.Less(t, w.most, time.Second, name)
		}
	}
}

// TestSpare: the room behind a text may be used, and nothing else.
func TestSpare(t *testing.T) {
	notRaced(t)
	const front, behind = 100, 300
	for i, text := range [][]byte{nil, {1}, mixture(1, 1000), mixture(2, segment), mixture(3, 200_001), make([]byte, 5000), newSource(1).noise(2 * segment)} {
		n := len(text)
		room := bytes.Repeat([]byte{0xa5}, front+n+encode.Pad+behind)
		copy(room[front:], text)
		before := bytes.Clone(room)
		for _, l := range levels {
			want := encoded(t, l.encoder(), text)
			got, err := l.encoder().Encode(bg, nil, room[front:front+n], true)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), "%d: other bytes", i)
			require.True(t, bytes.Equal(before[:front+n], room[:front+n]), "%d: the text has changed", i)
			require.True(t, bytes.Equal(before[front+n+encode.Pad:], room[front+n+encode.Pad:]), "%d: more than the padding was written", i)

			copy(room, before)
			got, err = l.encoder().Encode(bg, nil, room[front:front+n], false)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got))
			require.True(t, bytes.Equal(before, room), "%d: room that was not given was used", i)
		}
	}
}

// TestSections: a block that is larger than the largest distance is encoded in sections, each with its own dictionary.
func TestSections(t *testing.T) {
	notRaced(t)
	// What is in each section is in the one before, too.
	unit := append(make([]byte, encode.MaxSection-300_000), mixture(1, 300_000)...)
	enc := encode.New(encode.Fast)
	for _, n := range []int{0, 1, encode.MaxSection} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			text := cycle(encode.MaxSection+n, unit)
			text = append(text, make([]byte, encode.Pad)...)[:len(text)]
			packed := proven(t, enc, text)
			sections := (len(text) + encode.MaxSection - 1) / encode.MaxSection
			at, resets := 0, 0
			for _, h := range chunks(t, packed) {
				if h.ResetsDict() {
					require.Equal(t, resets*encode.MaxSection, at)
					resets++
				}
				at += h.Size
			}
			require.Equal(t, sections, resets)
			again, err := enc.Encode(bg, nil, text, true)
			require.NoError(t, err)
			require.True(t, bytes.Equal(packed, again), "with room to spare")
			if n > 0 {
				requireXZ(t, realXZ(t), text, packed)
			}
		})
	}
}
