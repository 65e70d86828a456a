package encode

import "github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"

// Prices are the lengths of codes in 16ths of a bit.
const infinite = 1 << 30

// bitPrice is the price of a 0 at a probability in 128ths.
var bitPrice = func() (t [128]uint8) {
	for i := range t {
		// The logarithm to the base of 2 by squaring, four bits behind the point.
		w, frac := uint64(i)<<4+8, 0
		for range 4 {
			w *= w
			frac <<= 1
			for w >= 1<<16 {
				w >>= 1
				frac++
			}
		}
		t[i] = uint8(max(0, model.ProbBits<<4-15-frac))
	}
	return t
}()

func price0(p uint16) uint32 { return uint32(bitPrice[p>>4&127]) }
func price1(p uint16) uint32 { return uint32(bitPrice[(1<<model.ProbBits-p)>>4&127]) }

// priceOf is the price of b, which is 0 or 1.
func priceOf(p uint16, b uint32) uint32 {
	return uint32(bitPrice[(p^uint16(-b)&(1<<model.ProbBits-1))>>4&127])
}

// treePrice is the price of the n lowest bits of v, the highest first. The tree has 1<<n entries.
func treePrice(p []uint16, v, n uint32) uint32 {
	sum := uint32(0)
	for v |= 1 << n; v > 1; v >>= 1 {
		sum += priceOf(p[v>>1], v&1)
	}
	return sum
}

// reversePrice is the price of the n lowest bits of v, the lowest first.
func reversePrice(p []uint16, v, n uint32) uint32 {
	sum, m := uint32(0), uint32(1)
	for ; n > 0; n-- {
		b := v & 1
		v >>= 1
		sum += priceOf(p[m], b)
		m = m<<1 | b
	}
	return sum
}

// lengthPrices are the prices of all lengths, by position state and length.
type lengthPrices [1 << model.MaxPB][model.MaxMatch + 1]uint32

// update computes the prices of lengths up to longest for the position states up to mask.
func (t *lengthPrices) update(l *model.Length, mask, longest uint32) {
	low, mid, high := price0(l.Choice), price1(l.Choice)+price0(l.Choice2), price1(l.Choice)+price1(l.Choice2)
	for n := uint32(18); n <= longest; n++ {
		t[0][n] = high + treePrice(l.High[:], n-18, 8)
	}
	for s := range mask + 1 {
		row := &t[s]
		for n := range uint32(8) {
			row[2+n] = low + treePrice(l.Low[s][:], n, 3)
			row[10+n] = mid + treePrice(l.Mid[s][:], n, 3)
		}
		copy(row[18:], t[0][18:])
	}
}

// distancePrices are the prices of distances: whole ones for short distances, in parts for others.
type distancePrices struct {
	short [model.LenStates][model.FullDistances]uint32
	slot  [model.LenStates][model.DistSlots]uint32 // with the bits that are not modelled
	align [1 << model.AlignBits]uint32
}

func (t *distancePrices) update(m *model.Model) {
	for ls := range t.slot {
		for s := range uint32(model.DistSlots) {
			t.slot[ls][s] = treePrice(m.DistSlot[ls][:], s, 6)
			if s >= model.EndPosModel {
				t.slot[ls][s] += (s>>1 - 1 - model.AlignBits) << 4
			}
		}
	}
	for d := range uint32(model.FullDistances) {
		slot, low := model.SlotOf(d), uint32(0)
		if d >= model.StartPosModel {
			n := slot>>1 - 1
			base := (2 | slot&1) << n
			low = reversePrice(m.DistLow[base-slot:], d-base, n)
		}
		for ls := range t.short {
			t.short[ls][d] = t.slot[ls][slot] + low
		}
	}
	for a := range t.align {
		t.align[a] = reversePrice(m.Align[:], uint32(a), model.AlignBits)
	}
}

// of is the price of a distance for a length of lenState+2, or more if that is 3.
func (t *distancePrices) of(dist, lenState uint32) uint32 {
	if dist < model.FullDistances {
		return t.short[lenState&3][dist&(model.FullDistances-1)]
	}
	return t.slot[lenState&3][model.SlotOf(dist)&63] + t.align[dist&15]
}
