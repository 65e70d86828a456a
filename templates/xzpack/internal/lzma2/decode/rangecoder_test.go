package decode_test

import (
	"math/bits"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// rangeEncoder is the plain range coder of LZMA's specification.
type rangeEncoder struct {
	low     uint64
	rng     uint32
	cache   byte
	pending int
	out     []byte
}

func (e *rangeEncoder) reset() { *e = rangeEncoder{rng: 1<<32 - 1, pending: 1, out: e.out[:0]} }

func (e *rangeEncoder) shift() {
	if carry := byte(e.low >> 32); uint32(e.low) < 0xff<<24 || carry != 0 {
		for c := e.cache; e.pending > 0; e.pending-- {
			e.out = append(e.out, c+carry)
			c = 0xff
		}
		e.cache = byte(e.low >> 24)
	}
	e.pending++
	e.low = e.low & 0xffffff << 8
}

func (e *rangeEncoder) norm() {
	for e.rng < model.TopValue {
		e.rng <<= 8
		e.shift()
	}
}

func (e *rangeEncoder) bit(p *uint16, b uint32) {
	bound := e.rng >> model.ProbBits * uint32(*p)
	if b == 0 {
		e.rng = bound
		*p += (1<<model.ProbBits - *p) >> model.MoveBits
	} else {
		e.low += uint64(bound)
		e.rng -= bound
		*p -= *p >> model.MoveBits
	}
	e.norm()
}

// tree encodes the lowest n bits of v, the highest first.
func (e *rangeEncoder) tree(p []uint16, n int, v uint32) {
	s := uint32(1)
	for i := n - 1; i >= 0; i-- {
		b := v >> i & 1
		e.bit(&p[s], b)
		s = s<<1 | b
	}
}

// reverse encodes the lowest n bits of v, the lowest first.
func (e *rangeEncoder) reverse(p []uint16, n int, v uint32) {
	s := uint32(1)
	for i := range n {
		b := v >> i & 1
		e.bit(&p[s], b)
		s = s<<1 | b
	}
}

func (e *rangeEncoder) direct(n int, v uint32) {
	for i := n - 1; i >= 0; i-- {
		e.rng >>= 1
		if v>>i&1 == 1 {
			e.low += uint64(e.rng)
		}
		e.norm()
	}
}

func (e *rangeEncoder) length(l *model.Length, ps uint32, n int) {
	v := uint32(n - model.MinMatch)
	switch {
	case v < 8:
		e.bit(&l.Choice, 0)
		e.tree(l.Low[ps][:], 3, v)
	case v < 16:
		e.bit(&l.Choice, 1)
		e.bit(&l.Choice2, 0)
		e.tree(l.Mid[ps][:], 3, v-8)
	default:
		e.bit(&l.Choice, 1)
		e.bit(&l.Choice2, 1)
		e.tree(l.High[:], 8, v-16)
	}
}

func (e *rangeEncoder) distance(m *model.Model, n int, dist uint32) {
	slot := model.SlotOf(dist)
	e.tree(m.DistSlot[min(n-model.MinMatch, model.LenStates-1)][:], 6, slot)
	if slot < model.StartPosModel {
		return
	}
	low := bits.Len32(dist) - 2
	base := dist >> low << low
	if slot < model.EndPosModel {
		e.reverse(m.DistLow[base-slot:], low, dist-base)
		return
	}
	e.direct(low-model.AlignBits, (dist-base)>>model.AlignBits)
	e.reverse(m.Align[:], model.AlignBits, dist&(1<<model.AlignBits-1))
}

// finish writes out all that is pending.
func (e *rangeEncoder) finish() []byte {
	for range 5 {
		e.shift()
	}
	return e.out
}
