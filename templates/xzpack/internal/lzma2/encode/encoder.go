package encode

import (
	"context"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// Encoder compresses blocks, one after the other, with buffers that it keeps. It is not safe for concurrent use.
type Encoder struct {
	params  Params
	threads int // for the search of a section

	text    []byte // of the section, with Pad zeros behind it
	size    uint32 // of the section
	search  Search // for the section
	buffer  []byte // for texts that have no room for the zeros
	terrain terrain
	finder  finder
	store   matchStore
	short   shortTable
	running running
	room    [64 + 3]match // of the matches at a position

	pos     uint32   // of the next symbol
	repeats []repeat // those that end behind the position where matches were last looked for

	model model.Model
	state uint8
	reps  [4]uint32

	rc         rangeCoder
	dst        []byte
	chunkStart uint32 // position where the current chunk begins
	reset      byte   // what the next LZMA chunk must reset, as its least control byte
	dictReset  bool   // no chunk of the section has been written

	matchLens lengthPrices
	repLens   lengthPrices
	dists     distancePrices
	matched   int // matches since the prices of distances were computed

	way way
}

// New returns an encoder. It allocates most of what it needs with its first block.
func New(p Params) *Encoder { return &Encoder{params: p, threads: 1} }

// SetThreads says on how many threads matches are looked for, 1 without it. What is encoded does not depend on it.
func (e *Encoder) SetThreads(n int) { e.threads = n }

// MaxSection is the greatest distance that is coded, and so the largest dictionary that is needed: a block is encoded in
// sections of this size, each of which begins with a reset of the dictionary.
const MaxSection = 1 << 24

// Properties of the literal coder and of positions; those of xz's presets. Others gain less than 0.1 % on disk images.
const (
	lc       = 3
	pb       = 2
	posMask  = 1<<pb - 1
	propByte = pb*9*5 + lc
)

// Encode appends block, as LZMA2 data with its end, to dst. It stops with the context's cause soon after ctx is done.
// If spare is true the Pad bytes behind block, for which it must have the capacity, are overwritten; otherwise the text is
// copied.
func (e *Encoder) Encode(ctx context.Context, dst, block []byte, spare bool) ([]byte, error) {
	e.dst = dst
	defer func() { e.dst, e.text = nil, nil }()
	for len(block) > 0 {
		n := min(len(block), MaxSection)
		if err := e.section(ctx, block[:n], spare && n == len(block)); err != nil {
			return e.dst, err
		}
		block = block[n:]
	}
	return append(e.dst, model.CtlEnd), nil
}

// section encodes text, with a dictionary of its own.
func (e *Encoder) section(ctx context.Context, text []byte, spare bool) error {
	e.size = uint32(len(text))
	e.text = text
	if !spare {
		if cap(e.buffer) < len(text)+Pad {
			e.buffer = make([]byte, len(text)+Pad)
		}
		e.text = e.buffer[:copy(e.buffer[:len(text)], text)]
	}
	e.text = e.text[:len(text)+Pad]
	clear(e.text[len(text):])
	e.pos, e.chunkStart = 0, 0
	e.dictReset = true
	e.needReset(model.CtlProps)
	e.search = e.params.Search
	if isText(e.text, e.size) {
		e.search = e.params.Text
	}
	e.terrain.survey(e.text, e.size, e.search.RepeatLeast)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p := e.params
	p.Search = e.search
	if err := e.finder.find(ctx, e.text, e.size, e.terrain.active, &p, &e.store, e.threads); err != nil {
		return err
	}
	e.lookAnew()
	if err := e.parse(ctx); err != nil {
		return err
	}
	e.endChunk()
	return nil
}

// lookAnew makes the first position the next one where matches are looked for.
func (e *Encoder) lookAnew() {
	e.repeats = e.terrain.repeats
	e.short.reset()
	e.running.goBack(0)
}

// parse codes the whole section.
func (e *Encoder) parse(ctx context.Context) error {
	for turn := 0; e.pos < e.size; turn++ {
		if turn&63 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		switch {
		case e.storeRaw():
		case e.pos == 0: // nothing to refer to
			e.symbol(literal, 1)
		default:
			e.updatePrices()
			e.steps(e.way.find(e))
		}
	}
	return nil
}

// steps codes what the parser has decided, in the order of the text. It stops early where a chunk has turned out not to
// be worth compressing: that resets the state that the decisions count on.
func (e *Encoder) steps(steps []step) {
	for _, s := range steps {
		if !e.symbol(s.back, s.len) {
			return
		}
	}
}

// distancesAfter is how many matches are coded before the prices of distances are computed anew.
const distancesAfter = 128

func (e *Encoder) updatePrices() {
	e.matchLens.refresh(&e.model.MatchLen, posMask)
	e.repLens.refresh(&e.model.RepLen, posMask)
	if e.matched >= distancesAfter {
		e.dists.update(&e.model)
		e.matched = 0
	}
}

// needReset resets the state, as the next chunk will tell by a control byte of at least ctl.
func (e *Encoder) needReset(ctl byte) {
	e.reset = max(e.reset, ctl)
	e.model.Reset()
	e.state = 0
	e.reps = [4]uint32{}
	e.rc.reset()
	e.matchLens.outdate()
	e.repLens.outdate()
	e.matched = distancesAfter
}
