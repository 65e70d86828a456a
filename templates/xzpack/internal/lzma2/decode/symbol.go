package decode

import (
	"math/bits"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// length decodes the length of a match; ps is the position modulo 1<<pb.
func (c coder) length(in *input, l *model.Length, ps uint32) (coder, uint32) {
	c, b := c.bit(in, &l.Choice)
	if b == 0 {
		c, b = c.tree3(in, &l.Low[ps&(1<<model.MaxPB-1)])
		return c, model.MinMatch + b
	}
	c, b = c.bit(in, &l.Choice2)
	if b == 0 {
		c, b = c.tree3(in, &l.Mid[ps&(1<<model.MaxPB-1)])
		return c, model.MinMatch + 8 + b
	}
	c, b = c.tree8(in, &l.High)
	return c, model.MinMatch + 16 + b
}

// distance decodes the distance of a match of length n. It counts from 0.
func (c coder) distance(in *input, m *model.Model, n uint32) (coder, uint32) {
	c, slot := c.tree6(in, &m.DistSlot[min(n-model.MinMatch, model.LenStates-1)])
	if slot < model.StartPosModel {
		return c, slot
	}
	n = slot>>1 - 1 // bits below the two that the slot tells
	dist := (2 | slot&1) << n
	var low uint32
	if slot < model.EndPosModel {
		c, low = c.low(in, (*[32]uint16)(m.DistLow[dist-slot:]), n)
		return c, dist + low
	}
	c, low = c.direct(in, n-model.AlignBits)
	dist += low << model.AlignBits
	c, low = c.tree4(in, &m.Align) // the last bit comes first
	return c, dist + uint32(bits.Reverse8(uint8(low))>>(8-model.AlignBits))
}
