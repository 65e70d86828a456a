package encode_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
)

var cases = flag.Int("encode.cases", 80, "how many texts TestRoundTrips tries")

// entropy is what a text is made from; it ends in zeros.
type entropy []byte

func (e *entropy) byte() (b byte) {
	if len(*e) > 0 {
		b = (*e)[0]
		*e = (*e)[1:]
	}
	return b
}

// size is up to most, of all orders of magnitude.
func (e *entropy) size(most int) int {
	n := 1 << (e.byte() % 20)
	n += n * int(e.byte()) >> 8
	return min(n, most)
}

// Texts are longer than this only if they are easy to compress.
const mostHard, mostEasy = 300_000, 5 << 20

// text reads what a text is made of: literals, repeats, runs, periods, noise and the like.
func (e *entropy) text() (text []byte) {
	hard := 0
	for len(*e) > 0 && len(text) < mostEasy {
		op := e.byte()
		n := e.size(mostHard)
		s := newSource(uint64(op))
		switch op % 13 {
		case 0, 1: // literals
			k := min(n, len(*e), 32)
			text = append(text, (*e)[:k]...)
			*e = (*e)[k:]
			continue
		case 2, 3, 4, 5: // a repeat
			if len(text) == 0 {
				continue
			}
			text = repeated(text, e.size(len(text)), n)
			if op%13 == 5 { // and again, with a byte between
				text = repeated(append(text, op), e.size(len(text)), n)
			}
		case 6: // a run
			text = append(text, bytes.Repeat([]byte{e.byte()}, n<<(op>>6))...)
		case 7: // a period
			text = append(text, s.periodic(n<<(op>>6), e.size(5000))...)
		case 8:
			text = append(text, s.noise(n)...)
		case 9:
			text = append(text, s.symbols(n, every(1+int(e.byte())))...)
			hard += n
		case 10: // a repeat with changes
			if len(text) == 0 {
				continue
			}
			at := len(text)
			text = repeated(text, e.size(len(text)), n)
			for step := 1 + e.size(1000); at < len(text); at += step {
				text[at]++
			}
			hard += n
		case 11:
			text = append(text, s.prose(n)...)
			hard += n
		case 12:
			text = append(text, s.relatives(n, 20+e.size(200))...)
			hard += n
		}
		if hard > mostHard {
			break
		}
	}
	return text[:min(len(text), mostEasy)]
}

// repeated appends n bytes of text that begin back bytes before its end.
func repeated(text []byte, back, n int) []byte {
	for n > 0 {
		k := min(n, back)
		text = append(text, text[len(text)-back:][:k]...)
		n -= k
	}
	return text
}

// tried are encoders of all levels and of some others that reach their limits early.
type tried struct {
	params   []encode.Params
	encoders []*encode.Encoder
	decoder  decode.Decoder
	bytes    int
}

func newTried() *tried {
	r := new(tried)
	for _, l := range levels {
		p := l.params
		r.params = append(r.params, p)
		p.TreeMax, p.StorePages = 300, 40
		r.params = append(r.params, p)
	}
	for _, p := range r.params {
		r.encoders = append(r.encoders, encode.New(p))
	}
	return r
}

// try makes a text of p, encodes and decodes it. It returns what is wrong.
func (r *tried) try(p []byte) error {
	e := entropy(p)
	which := int(e.byte())
	text := e.text()
	r.bytes += len(text)
	k := which % len(r.encoders)
	r.encoders[k].SetThreads(1 + which/len(r.encoders)%3)
	packed, err := r.encoders[k].Encode(bg, nil, text, false)
	if err != nil {
		return err
	}
	if most := lzma2.Bound(len(text)) + 3 + len(text)/1000; len(packed) > most {
		return fmt.Errorf("%d bytes for %d, at most %d are expected", len(packed), len(text), most)
	}
	got := make([]byte, len(text))
	if err := r.decoder.Block(bg, got, packed, encode.MaxSection); err != nil {
		return err
	}
	if !bytes.Equal(text, got) {
		return errors.New("other content")
	}
	if err := lzma2.Prove(bg, text, packed, encode.MaxSection); err != nil {
		return err
	}
	if which >= 0xf0 {
		room := append(text, make([]byte, encode.Pad)...)
		again, err := encode.New(r.params[k]).Encode(bg, nil, room[:len(text)], true)
		if err != nil {
			return err
		}
		if !bytes.Equal(packed, again) {
			return errors.New("a new encoder gives other bytes")
		}
	}
	return nil
}

// FuzzEncode: whatever the text, both decoders bring it back, and it depends on nothing else what the encoder makes of it.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{0, 8, 17, 0, 3, 16, 255, 17, 128, 6, 10, 10, 0})        // noise of more than two segments, and its copy
	f.Add([]byte{2, 11, 16, 0, 8, 17, 0, 11, 12, 9, 8, 17, 1, 11, 9, 9}) // text and noise by turns
	f.Add([]byte{0xf4, 198, 19, 0, 0, 199, 19, 0, 5, 0, 10, 18, 2, 9, 3, 6, 6})
	rnd := rand.NewChaCha8([32]byte{3})
	for n := range 40 {
		p := make([]byte, n*2)
		_, _ = rnd.Read(p)
		f.Add(p)
	}
	r := newTried()
	f.Fuzz(func(t *testing.T, p []byte) {
		if len(p) < 300 {
			require.NoError(t, r.try(p))
		}
	})
}

// TestRoundTrips is FuzzEncode with cases from a generator, the same each time.
func TestRoundTrips(t *testing.T) {
	n := int64(*cases)
	if raced {
		n /= 10
	}
	start := time.Now()
	var next, size atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			r := newTried()
			for !t.Failed() {
				i := next.Add(1)
				if i > n {
					break
				}
				var seed [32]byte
				binary.LittleEndian.PutUint64(seed[:], uint64(i))
				rnd := rand.NewChaCha8(seed)
				p := make([]byte, rnd.Uint64()%80)
				_, _ = rnd.Read(p)
				if err := r.try(p); err != nil {
					t.Errorf("case %d: %v", i, err)
				}
			}
			size.Add(int64(r.bytes))
		})
	}
	workers.Wait()
	t.Logf("%d cases, %d MiB, %.0f a second", n, size.Load()>>20, float64(n)/time.Since(start).Seconds())
}
