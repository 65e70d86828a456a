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

// lengthPrices are the prices of all lengths, by position state and length. They are computed anew when so many lengths
// have been coded.
type lengthPrices struct {
	of    [1 << model.MaxPB][model.MaxMatch + 1]uint32
	coded int // lengths since they were computed
}

const lengthsAfter = 32

// outdate makes the next refresh compute them.
func (t *lengthPrices) outdate() { t.coded = lengthsAfter }

// refresh computes them if they are out of date, for the position states up to mask.
func (t *lengthPrices) refresh(l *model.Length, mask uint32) {
	if t.coded < lengthsAfter {
		return
	}
	t.coded = 0
	const mid, high = model.MinMatch + 8, model.MinMatch + 16 // where the other two trees begin
	low1, mid1, high1 := price0(l.Choice), price1(l.Choice)+price0(l.Choice2), price1(l.Choice)+price1(l.Choice2)
	treePrices(t.of[0][high:], l.High[:], high1)
	for s := range mask + 1 {
		row := &t.of[s]
		treePrices(row[model.MinMatch:mid], l.Low[s][:], low1)
		treePrices(row[mid:high], l.Mid[s][:], mid1)
		if s > 0 {
			copy(row[high:], t.of[0][high:])
		}
	}
}

// treePrices puts the prices of all values that the tree p codes into prices, a power of two of them. What stands before
// a value costs base.
func treePrices(prices []uint32, p []uint16, base uint32) {
	n := len(prices)
	p = p[:n]
	prices[0] = base
	// From the root on, each node's price, which stands at the first value below it, becomes those of its two children.
	for m, step := 1, n/2; step > 0; m, step = 2*m, step/2 {
		for k := 0; k < m; k++ {
			at, prob := 2*step*k, p[m+k]
			before := prices[at]
			prices[at], prices[at+step] = before+price0(prob), before+price1(prob)
		}
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
		treePrices(t.slot[ls][:], m.DistSlot[ls][:], 0)
		for s := uint32(model.EndPosModel); s < model.DistSlots; s++ {
			t.slot[ls][s] += (s>>1 - 1 - model.AlignBits) << 4
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
