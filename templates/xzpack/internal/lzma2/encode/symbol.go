package encode

import "github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"

// A back is what a symbol refers to: literal, one of the four last distances (0 to 3), or a distance plus newDist.
const (
	literal = ^uint32(0)
	newDist = 4
)

// step is a symbol: a literal (len 1), or a match.
type step struct{ back, len uint32 }

// symbol codes a symbol at pos. It reports false if the chunk was full and has been stored as it is: then nothing was
// coded, and the state has been reset.
func (e *Encoder) symbol(back, n uint32) bool {
	if e.chunkFull() && !e.endChunk() {
		return false
	}
	if back == literal {
		e.literal()
		return true
	}
	m, rc, state, posState := &e.model, &e.rc, e.state&15, e.pos&posMask
	both := uint32(state)<<4 | posState
	rc.bit(&m.IsMatch[both], 1)
	e.pos += n
	if back >= newDist {
		rc.bit(&m.IsRep[state], 0)
		rc.length(&m.MatchLen, posState, n)
		e.distance(back-newDist, min(n-model.MinMatch, model.LenStates-1))
		e.reps[3], e.reps[2], e.reps[1], e.reps[0] = e.reps[2], e.reps[1], e.reps[0], back-newDist
		e.state = model.AfterMatch[state]
		e.matchLens.coded++
		e.matched++
		return true
	}
	rc.bit(&m.IsRep[state], 1)
	if back == 0 {
		rc.bit(&m.IsRepG0[state], 0)
		if n == 1 {
			rc.bit(&m.IsRep0Long[both], 0)
			e.state = model.AfterShortRep[state]
			return true
		}
		rc.bit(&m.IsRep0Long[both], 1)
	} else {
		rc.bit(&m.IsRepG0[state], 1)
		rc.bit(&m.IsRepG1[state], min(back-1, 1))
		if back > 1 {
			rc.bit(&m.IsRepG2[state], back-2)
		}
		toFront(&e.reps, back)
	}
	rc.length(&m.RepLen, posState, n)
	e.state = model.AfterRep[state]
	e.repLens.coded++
	return true
}

// toFront makes the distance with number i the first one.
func toFront(reps *[4]uint32, i uint32) {
	switch i {
	case 1:
		reps[0], reps[1] = reps[1], reps[0]
	case 2:
		reps[0], reps[1], reps[2] = reps[2], reps[0], reps[1]
	case 3:
		reps[0], reps[1], reps[2], reps[3] = reps[3], reps[0], reps[1], reps[2]
	}
}

// distance codes a distance that counts from 0.
func (e *Encoder) distance(dist, lenState uint32) {
	m, rc := &e.model, &e.rc
	slot := model.SlotOf(dist)
	rc.tree(m.DistSlot[lenState&3][:], slot, 6)
	if slot < model.StartPosModel {
		return
	}
	n := slot>>1 - 1
	base := (2 | slot&1) << n
	if slot < model.EndPosModel {
		rc.reverse(m.DistLow[base-slot:], dist-base, n)
		return
	}
	rc.direct((dist-base)>>model.AlignBits, n-model.AlignBits)
	rc.reverse(m.Align[:], dist&(1<<model.AlignBits-1), model.AlignBits)
}

// literal codes the byte at pos.
func (e *Encoder) literal() {
	rc, pos, state := &e.rc, e.pos, e.state&15
	rc.bit(&e.model.IsMatch[uint32(state)<<4|pos&posMask], 0)
	probs := e.literalProbs(pos)
	cur := uint32(e.text[pos])
	e.pos++
	e.state = model.AfterLiteral[state]
	if state < model.LitStates {
		rc.tree(probs[:0x100], cur, 8)
		return
	}
	// As long as the byte agrees with the one at the last distance, its bits choose another tree.
	match, same := uint32(e.text[pos-e.reps[0]-1]), uint32(0x100)
	for s := cur | 1<<8; s < 1<<16; s <<= 1 {
		match <<= 1
		rc.bit(&probs[same+match&same+s>>8], s>>7&1)
		same &^= match ^ s<<1
	}
}

// literalSize is the number of probabilities for the literals behind one context.
const literalSize = 0x300

// literalProbs are the probabilities for a literal at pos.
func (e *Encoder) literalProbs(pos uint32) *[literalSize]uint16 {
	before := uint32(0)
	if pos > 0 {
		before = uint32(e.text[pos-1])
	}
	return (*[literalSize]uint16)(e.model.Literal[before>>(8-lc)*literalSize:])
}
