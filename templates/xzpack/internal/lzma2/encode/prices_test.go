package encode

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// bitsOf is what a bit costs at a probability of 0 in 2048ths.
func bitsOf(p uint16, b uint32) float64 {
	if b == 1 {
		p = 1<<model.ProbBits - p
	}
	return model.ProbBits - math.Log2(float64(p))
}

// leastProb and mostProb are the bounds that a probability can come to: it moves by a 32nd of the way, rounded down.
const (
	leastProb = 1<<model.MoveBits - 1
	mostProb  = 1<<model.ProbBits - leastProb
)

// TestPricesAreLogarithms: within what lies between two of the 128 probabilities that there are prices for, and the
// 16th of a bit that they are rounded to.
func TestPricesAreLogarithms(t *testing.T) {
	const step = 16 // probabilities with the same price
	for p := uint16(leastProb); p <= mostProb; p++ {
		for i, price := range []uint32{price0(p), price1(p), priceOf(p, 0), priceOf(p, 1)} {
			b := i & 1
			least := bitsOf(min(p+step, 1<<model.ProbBits-1), uint32(b))
			most := bitsOf(max(p, step+1)-step, uint32(b))
			if b == 1 {
				least, most = most, least
			}
			require.GreaterOrEqual(t, float64(price)/16, least-1.0/16, "bit %d at %d", b, p)
			require.LessOrEqual(t, float64(price)/16, most+1.0/16, "bit %d at %d", b, p)
		}
	}
}

// randomModel is a model such as comes of coding.
func randomModel(rnd *rand.Rand) *model.Model {
	m := new(model.Model)
	prob := func(p []uint16) {
		for i := range p {
			p[i] = leastProb + uint16(rnd.IntN(mostProb-leastProb+1))
		}
	}
	length := func(l *model.Length) {
		choice := make([]uint16, 2)
		prob(choice)
		l.Choice, l.Choice2 = choice[0], choice[1]
		for i := range l.Low {
			prob(l.Low[i][:])
			prob(l.Mid[i][:])
		}
		prob(l.High[:])
	}
	for _, p := range [][]uint16{
		m.IsMatch[:], m.IsRep0Long[:], m.IsRep[:], m.IsRepG0[:], m.IsRepG1[:], m.IsRepG2[:], m.DistLow[:], m.Align[:], m.Literal[:],
	} {
		prob(p)
	}
	for i := range m.DistSlot {
		prob(m.DistSlot[i][:])
	}
	length(&m.MatchLen)
	length(&m.RepLen)
	return m
}

// codedBits is what f codes, told from how far the range and the output have come.
func codedBits(r *rangeCoder, f func()) float64 {
	at := func() float64 { return 8*float64(r.n+r.held) - math.Log2(float64(r.rng)) }
	r.reset()
	begin := at()
	f()
	return at() - begin
}

// within checks a price of several bits, each of which may be off.
func within(t *testing.T, price uint32, coded float64, steps int, what string, args ...any) {
	t.Helper()
	// Far from certain the price of a bit is off by a 16th or two; where it is almost certain it is not, or costs much,
	// by as much as half a bit.
	require.InDelta(t, coded, float64(price)/16, 0.15*float64(steps)+0.15*coded, append([]any{what}, args...)...)
}

func TestLengthsCostTheirPrice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	var r rangeCoder
	for range 20 {
		m := randomModel(rnd)
		var prices lengthPrices
		prices.outdate()
		prices.refresh(&m.RepLen, posMask)
		for posState := range uint32(posMask + 1) {
			for n := uint32(model.MinMatch); n <= model.MaxMatch; n++ {
				l := m.RepLen
				coded := codedBits(&r, func() { r.length(&l, posState, n) })
				within(t, prices.of[posState][n], coded, 10, "length %d", n)
			}
		}
	}
}

func TestDistancesCostTheirPrice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	dists := []uint32{MaxSection - 1, MaxSection - 2, MaxSection / 2}
	for d := range uint32(300) {
		dists = append(dists, d)
	}
	for range 300 {
		dists = append(dists, rnd.Uint32()>>(8+rnd.IntN(20)))
	}
	e := New(Fast)
	for range 5 {
		m := randomModel(rnd)
		var prices distancePrices
		prices.update(m)
		for _, d := range dists {
			for lenState := range uint32(model.LenStates) {
				e.model = *m
				coded := codedBits(&e.rc, func() { e.distance(d, lenState) })
				within(t, prices.of(d, lenState), coded, 12, "distance %d", d)
			}
		}
	}
}

func TestLiteralsCostTheirPrice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 3))
	e := New(Fast)
	for range 4000 {
		m := randomModel(rnd)
		e.text = []byte{byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32()), byte(rnd.Uint32())}
		if rnd.IntN(2) == 0 {
			e.text[3] = e.text[2-1] // the byte at the last distance
		}
		for state := range uint8(12) {
			e.model, e.pos, e.state, e.reps[0] = *m, 3, state, 1
			probs := *e.literalProbs(3)
			price := price0(m.IsMatch[uint32(state)<<4|3])
			if state < model.LitStates {
				price += literalPrice(&probs, e.text[3])
			} else {
				price += matchedPrice(&probs, e.text[3], e.text[1])
			}
			coded := codedBits(&e.rc, e.literal)
			require.Equal(t, uint32(4), e.pos)
			within(t, price, coded, 9, "state %d", state)
		}
	}
}
