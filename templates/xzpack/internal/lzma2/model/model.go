// Package model holds what an LZMA encoder and an LZMA decoder must agree on: the adaptive probabilities, the states,
// the slots of distances. The format is described in the LZMA SDK's lzma-specification.txt.
package model

import "math/bits"

// Probabilities are those of a 0, in 2048ths; after each coded bit they move by a 32nd of the way.
const (
	ProbBits = 11
	ProbInit = 1 << (ProbBits - 1)
	MoveBits = 5
)

// TopValue is the least range before a bit: below it the range coder takes or gives a byte.
const TopValue = 1 << 24

// Lengths of matches.
const (
	MinMatch = 2
	MaxMatch = 273
)

// MaxLCLP bounds lc+lp in LZMA2; MaxPB bounds pb.
const (
	MaxLCLP = 4
	MaxPB   = 4
)

// Slots of distances: from StartPosModel on a slot stands for several distances, from EndPosModel on only the lowest
// four bits of them are modelled.
const (
	LenStates     = 4
	DistSlots     = 64
	StartPosModel = 4
	EndPosModel   = 14
	FullDistances = 1 << (EndPosModel / 2)
	AlignBits     = 4
)

// Length is the model of a length. The index of low and mid is the position modulo 1<<pb.
type Length struct {
	Choice, Choice2 uint16
	Low, Mid        [1 << MaxPB][8]uint16
	High            [256]uint16
}

// Model is all that a state reset resets, but for state and distances.
type Model struct {
	IsMatch    [256]uint16 // state<<4 | position state
	IsRep0Long [256]uint16 // the same
	IsRep      [16]uint16  // state; 12 are in use, and so in the next three
	IsRepG0    [16]uint16
	IsRepG1    [16]uint16
	IsRepG2    [16]uint16
	DistSlot   [LenStates][DistSlots]uint16
	DistLow    [FullDistances]uint16 // trees of the slots below EndPosModel; that of a slot begins at its base distance less the slot
	Align      [1 << AlignBits]uint16
	MatchLen   Length
	RepLen     Length
	Literal    [0x300 << MaxLCLP]uint16
}

// Reset makes every probability one half.
func (m *Model) Reset() {
	fill(m.IsMatch[:])
	fill(m.IsRep0Long[:])
	fill(m.IsRep[:])
	fill(m.IsRepG0[:])
	fill(m.IsRepG1[:])
	fill(m.IsRepG2[:])
	for i := range m.DistSlot {
		fill(m.DistSlot[i][:])
	}
	fill(m.DistLow[:])
	fill(m.Align[:])
	m.MatchLen.reset()
	m.RepLen.reset()
	fill(m.Literal[:])
}

func (l *Length) reset() {
	l.Choice, l.Choice2 = ProbInit, ProbInit
	for i := range l.Low {
		fill(l.Low[i][:])
		fill(l.Mid[i][:])
	}
	fill(l.High[:])
}

func fill(p []uint16) {
	for i := range p {
		p[i] = ProbInit
	}
}

// LitStates is the number of states in which the last symbol was a literal; in the others a literal is coded against the
// byte that the last distance points to.
const LitStates = 7

// The state that follows each state: after a literal, a match, a repeated match, and a single repeated byte. There are
// 12 states; the tables have 16 entries so that a masked index needs no check.
var (
	AfterLiteral  = [16]uint8{0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 4, 5}
	AfterMatch    = [16]uint8{7, 7, 7, 7, 7, 7, 7, 10, 10, 10, 10, 10}
	AfterRep      = [16]uint8{8, 8, 8, 8, 8, 8, 8, 11, 11, 11, 11, 11}
	AfterShortRep = [16]uint8{9, 9, 9, 9, 9, 9, 9, 11, 11, 11, 11, 11}
)

// SlotOf is the slot of a distance, which counts from 0.
func SlotOf(dist uint32) uint32 {
	if dist < StartPosModel {
		return dist
	}
	n := uint32(bits.Len32(dist)) - 1
	return n<<1 | dist>>(n-1)&1
}
