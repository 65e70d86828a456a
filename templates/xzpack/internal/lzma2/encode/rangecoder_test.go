package encode

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// unrange decodes what a rangeCoder has put out.
type unrange struct {
	code, rng uint32
	in        []byte
}

func newUnrange(r *rangeCoder) *unrange {
	u := &unrange{rng: 1<<32 - 1, in: r.out[:r.n]}
	for range 5 {
		u.next()
	}
	return u
}

func (u *unrange) next() {
	u.code = u.code<<8 | uint32(u.in[0])
	u.in = u.in[1:]
}

func (u *unrange) below(bound uint32) (b uint32) {
	if u.code < bound {
		u.rng = bound
	} else {
		u.code -= bound
		u.rng -= bound
		b = 1
	}
	if u.rng < model.TopValue {
		u.rng <<= 8
		u.next()
	}
	return b
}

func (u *unrange) direct() uint32 {
	u.rng &^= 1 // a direct bit halves the range and loses the odd one
	return u.below(u.rng >> 1)
}

func (u *unrange) bit(p *uint16) uint32 {
	b := u.below(u.rng >> model.ProbBits * uint32(*p))
	if b == 0 {
		*p += (1<<model.ProbBits - *p) >> model.MoveBits
	} else {
		*p -= *p >> model.MoveBits
	}
	return b
}

// TestCarries holds the range across a boundary of bytes for long, which holds 0xff back byte after byte, before it goes
// above it, which makes a carry through all of them, or below.
func TestCarries(t *testing.T) {
	for held := 2; held < 60; held++ {
		for end := range uint32(2) {
			var r rangeCoder
			r.reset()
			var coded []uint32
			put := func(b uint32) {
				r.direct(b, 1)
				coded = append(coded, b)
			}
			put(1)
			above := uint64(1) // how far above low the boundary 1<<31 is
			for r.held < held {
				half := r.rng >> 1
				if above >= uint64(half) {
					put(1)
					above -= uint64(half)
				} else {
					put(0)
				}
				if r.rng != half {
					above <<= 8
				}
			}
			require.Equal(t, held, r.held)
			for range 40 {
				put(end)
			}
			size := r.size()
			r.flush()
			require.Equal(t, size, r.n)
			require.Equal(t, byte(0), r.out[0], "the first byte of a chunk")
			require.Equal(t, [2]byte{0x7f + byte(end), 0xff * byte(1-end)}, [2]byte(r.out[1:3]), "a carry only if it ends above")
			u := newUnrange(&r)
			for i, b := range coded {
				require.Equal(t, b, u.direct(), "bit %d of %d", i, len(coded))
			}
		}
	}
}

func TestRangeCoderComesBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := range 200 {
		var r rangeCoder
		r.reset()
		odds := rnd.IntN(40) + 1
		bits := make([]uint32, rnd.IntN(20_000))
		var probs, back [4]uint16
		for i := range probs {
			probs[i], back[i] = model.ProbInit, model.ProbInit
		}
		for i := range bits {
			if rnd.IntN(odds) == 0 {
				bits[i] = 1
			}
			if k := i % 5; k < 4 {
				r.bit(&probs[k], bits[i])
			} else {
				r.direct(bits[i], 1)
			}
		}
		size := r.size()
		r.flush()
		require.Equal(t, size, r.n)
		u := newUnrange(&r)
		for i, b := range bits {
			var got uint32
			if k := i % 5; k < 4 {
				got = u.bit(&back[k])
			} else {
				got = u.direct()
			}
			if b != got {
				t.Fatalf("round %d, bit %d of %d is another", round, i, len(bits))
			}
		}
		require.Empty(t, u.in)
		require.Zero(t, u.code, "what liblzma asks for at the end of a chunk")
	}
}
