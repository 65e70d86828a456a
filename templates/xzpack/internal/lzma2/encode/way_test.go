package encode

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// replay encodes text and gives what the parser decides to look at before it is coded.
func replay(t *testing.T, text []byte, p Params, look func(e *Encoder, steps []step)) {
	t.Helper()
	e := New(p)
	require.NoError(t, e.section(context.Background(), text, false))
	e.pos, e.chunkStart, e.dst, e.dictReset = 0, 0, nil, true
	e.needReset(model.CtlProps)
	e.lookAnew()
	for e.pos < e.size {
		if e.storeRaw() {
			continue
		}
		if e.pos == 0 {
			e.symbol(literal, 1)
			continue
		}
		e.updatePrices()
		steps := e.way.find(e)
		look(e, steps)
		e.steps(steps)
	}
}

// follower goes the way of a decoder, and adds up what the parser should think that costs.
type follower struct {
	e     *Encoder
	p     uint32
	state uint8
	reps  [4]uint32
	cost  uint32
}

func (f *follower) follow(t *testing.T, s step) {
	t.Helper()
	e, m := f.e, &f.e.model
	posState := f.p & posMask
	both := uint32(f.state)<<4 | posState
	require.LessOrEqual(t, f.p+s.len, e.size)
	if s.back == literal {
		require.Equal(t, uint32(1), s.len)
		probs := (*[literalSize]uint16)(m.Literal[uint32(e.text[f.p-1])>>(8-lc)*literalSize:])
		f.cost += price0(m.IsMatch[both])
		if f.state < model.LitStates {
			f.cost += literalPrice(probs, e.text[f.p])
		} else {
			f.cost += matchedPrice(probs, e.text[f.p], e.text[f.p-f.reps[0]-1])
		}
		f.p++
		f.state = model.AfterLiteral[f.state]
		return
	}
	require.LessOrEqual(t, s.len, uint32(model.MaxMatch))
	f.cost += price1(m.IsMatch[both])
	var dist uint32
	if s.back >= newDist {
		require.GreaterOrEqual(t, s.len, uint32(model.MinMatch))
		dist = s.back - newDist
		f.cost += price0(m.IsRep[f.state]) + e.matchLens.of[posState][s.len] + e.dists.of(dist, min(s.len-2, 3))
		f.state = model.AfterMatch[f.state]
		f.reps = [4]uint32{dist, f.reps[0], f.reps[1], f.reps[2]}
	} else {
		dist = f.reps[s.back]
		f.cost += price1(m.IsRep[f.state])
		switch s.back {
		case 0:
			f.cost += price0(m.IsRepG0[f.state])
		case 1:
			f.cost += price1(m.IsRepG0[f.state]) + price0(m.IsRepG1[f.state])
		default:
			f.cost += price1(m.IsRepG0[f.state]) + price1(m.IsRepG1[f.state]) + priceOf(m.IsRepG2[f.state], s.back-2)
		}
		switch {
		case s.back == 0 && s.len == 1:
			f.cost += price0(m.IsRep0Long[both])
			f.state = model.AfterShortRep[f.state]
		default:
			require.GreaterOrEqual(t, s.len, uint32(model.MinMatch))
			if s.back == 0 {
				f.cost += price1(m.IsRep0Long[both])
			}
			f.cost += e.repLens.of[posState][s.len]
			f.state = model.AfterRep[f.state]
		}
		others := f.reps
		copy(f.reps[1:], others[:s.back])
		f.reps[0] = dist
	}
	require.Less(t, dist, f.p)
	from := f.p - dist - 1
	require.True(t, bytes.Equal(e.text[f.p:f.p+s.len], e.text[from:from+s.len]), "%+v at %d is no match", s, f.p)
	f.p += s.len
}

// TestWaysCostWhatTheySay: the parser's ways are ways, and their costs are those of the symbols on them.
func TestWaysCostWhatTheySay(t *testing.T) {
	texts := smallTexts(6000)
	texts["dense"] = dense(1, 60_000)
	texts["repeats"] = bytes.Repeat(append(dense(1, 700), random(1, 50)...), 30)
	texts["much"] = bytes.Join([][]byte{dense(1, 20_000), random(1, 3*segSize), texts["2 symbols"], texts["repeats"], dense(2, 20_000), texts["3 symbols"]}, nil)
	for name, text := range texts {
		for _, p := range []Params{Best, Balanced, Fast} {
			stretches, free := 0, 0
			replay(t, text, p, func(e *Encoder, steps []step) {
				require.NotEmpty(t, steps)
				f := follower{e: e, p: e.pos, state: e.state, reps: e.reps}
				for _, s := range steps {
					f.follow(t, s)
				}
				stretches++
				if &steps[0] == &e.way.steps[0] {
					return // there was no choice, and nothing was counted
				}
				free++
				n := f.p - e.pos
				require.LessOrEqual(t, n, uint32(wayRoom))
				require.Equal(t, e.way.cost[n], f.cost, "%s: %d bytes at %d", name, n, e.pos)
				require.Equal(t, e.way.state[n], f.state)
				require.Equal(t, e.way.reps[n], f.reps)
			})
			require.Positive(t, stretches)
			if name == "dense" {
				require.Greater(t, free, 100)
			}
		}
	}
}
