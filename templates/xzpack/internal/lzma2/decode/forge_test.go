package decode_test

import (
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// forge writes LZMA2 data symbol by symbol, right or wrong. Between begin and end, symbols go to an LZMA chunk.
type forge struct {
	packed, content []byte
	reset           int // where in content the dictionary was last reset

	m          model.Model
	rc         rangeEncoder
	state      uint32
	reps       [4]uint32
	lc, lp, pb uint32
	ctl        byte
	from       int // where in content the chunk begins
}

var fresh = func() (m model.Model) {
	m.Reset()
	return m
}()

func (f *forge) clear() {
	f.packed, f.content, f.reset = f.packed[:0], f.content[:0], 0
}

// raw writes a raw chunk.
func (f *forge) raw(ctl byte, content ...byte) *forge {
	if ctl == model.CtlRaw0 {
		f.reset = len(f.content)
	}
	n := len(content) - 1
	f.packed = append(append(f.packed, ctl, byte(n>>8), byte(n)), content...)
	f.content = append(f.content, content...)
	return f
}

// props sets properties for chunks to come.
func (f *forge) props(lc, lp, pb uint32) *forge {
	f.lc, f.lp, f.pb = lc, lp, pb
	return f
}

func (f *forge) begin(ctl byte) *forge {
	f.ctl, f.from = ctl, len(f.content)
	if ctl >= model.CtlDict {
		f.reset = len(f.content)
	}
	if ctl >= model.CtlState || f.m.IsMatch[0] == 0 {
		f.m = fresh
		f.state, f.reps = 0, [4]uint32{}
	}
	f.rc.reset()
	return f
}

// end writes the chunk, with what its header says changed by changes to size and packed size.
func (f *forge) end(changes ...int) *forge {
	data := f.rc.finish()
	n, k := len(f.content)-f.from-1, len(data)-1
	if len(changes) == 2 {
		n, k = n+changes[0], k+changes[1]
	}
	f.packed = append(f.packed, f.ctl|byte(n>>16), byte(n>>8), byte(n), byte(k>>8), byte(k))
	if f.ctl >= model.CtlProps {
		f.packed = append(f.packed, byte((f.pb*5+f.lp)*9+f.lc))
	}
	f.packed = append(f.packed, data...)
	return f
}

// done writes the end marker.
func (f *forge) done() []byte {
	f.packed = append(f.packed, model.CtlEnd)
	return f.packed
}

func (f *forge) at() uint32       { return uint32(len(f.content) - f.reset) }
func (f *forge) posState() uint32 { return f.at() & (1<<f.pb - 1) }
func (f *forge) perState() uint32 { return f.state<<4 | f.posState() }
func (f *forge) back(d uint32) byte { // the byte at distance d, which counts from 0; a zero if there is none
	if d >= f.at() {
		return 0
	}
	return f.content[len(f.content)-1-int(d)]
}

func (f *forge) lit(text ...byte) *forge {
	for _, b := range text {
		f.rc.bit(&f.m.IsMatch[f.perState()], 0)
		ctx := (f.at()&(1<<f.lp-1))<<f.lc + uint32(f.back(0))>>(8-f.lc)
		p := f.m.Literal[ctx*0x300:][:0x300]
		if f.state < model.LitStates {
			f.rc.tree(p, 8, uint32(b))
		} else {
			f.matched(p, b, f.back(f.reps[0]))
		}
		f.state = uint32(model.AfterLiteral[f.state])
		f.content = append(f.content, b)
	}
	return f
}

func (f *forge) matched(p []uint16, b, x byte) {
	s, same := uint32(1), true
	for i := 7; i >= 0; i-- {
		bit, other := uint32(b>>i&1), uint32(x>>i&1)
		if same {
			f.rc.bit(&p[0x100+other<<8+s], bit)
		} else {
			f.rc.bit(&p[s], bit)
		}
		same = same && bit == other
		s = s<<1 | bit
	}
}

func (f *forge) copy(n int) {
	for range n {
		f.content = append(f.content, f.back(f.reps[0]))
	}
}

// match writes a match of n bytes at distance d, which counts from 0.
func (f *forge) match(d uint32, n int) *forge {
	f.rc.bit(&f.m.IsMatch[f.perState()], 1)
	f.rc.bit(&f.m.IsRep[f.state], 0)
	f.rc.length(&f.m.MatchLen, f.posState(), n)
	f.rc.distance(&f.m, n, d)
	f.state = uint32(model.AfterMatch[f.state])
	f.reps = [4]uint32{d, f.reps[0], f.reps[1], f.reps[2]}
	f.copy(n)
	return f
}

// rep writes a match of n bytes at the distance before i others, a single byte only for i = 0.
func (f *forge) rep(i, n int) *forge {
	f.rc.bit(&f.m.IsMatch[f.perState()], 1)
	f.rc.bit(&f.m.IsRep[f.state], 1)
	if i == 0 {
		f.rc.bit(&f.m.IsRepG0[f.state], 0)
		f.rc.bit(&f.m.IsRep0Long[f.perState()], uint32(min(n-1, 1)))
	} else {
		f.rc.bit(&f.m.IsRepG0[f.state], 1)
		f.rc.bit(&f.m.IsRepG1[f.state], uint32(min(i-1, 1)))
		if i > 1 {
			f.rc.bit(&f.m.IsRepG2[f.state], uint32(i-2))
		}
		d := f.reps[i]
		copy(f.reps[1:], f.reps[:i])
		f.reps[0] = d
	}
	if n == 1 {
		f.state = uint32(model.AfterShortRep[f.state])
	} else {
		f.rc.length(&f.m.RepLen, f.posState(), n)
		f.state = uint32(model.AfterRep[f.state])
	}
	f.copy(n)
	return f
}
