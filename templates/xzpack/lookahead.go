package xzpack

import (
	"context"
	"io"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// lookahead reads blocks ahead of the one that is wanted and decodes them beside each other.
//
//	source ── next ──> queue ── next ──> handed out ── release ──> spare
//	                     └─ a goroutine each, which ends with its block
//
// Only the caller's goroutine reads the source, and the others wait for nobody. So one that is abandoned is garbage as
// soon as the blocks in its queue are decoded.
type lookahead struct {
	ctx    context.Context
	jobs   int
	memory int64       // bytes that all of the blocks below may take together; one always may
	decode decoderFunc // the goroutines hold on to it, and to nothing else of this

	queue  []*aheadBlock // in the order of the file
	spare  []*aheadBlock // for their buffers
	held   int64         // bytes of memory of queue, spare and the block that is handed out
	coming *block        // its header is read; it has to wait for room, or for its turn
	tail   error         // what comes behind the queue; nil if that is not known yet
}

// decoderFunc is what blockDecoder.decode is.
type decoderFunc func(ctx context.Context, b *block, body []byte, buf func() []byte) (zero bool, err error)

// aheadBlock is a block that was read.
type aheadBlock struct {
	block
	number  int  // counted from 0
	whole   bool // decoded in memory; else it is still to be decoded, and nothing below is set
	content []byte
	body    []byte // what follows the header in the file
	zero    bool   // the content is zeros; content does not hold it
	room    int64  // bytes of memory that the buffers take
	done    chan error
	cancel  context.CancelFunc
}

// Blocks that hold more content than ample are only decoded in memory where their compressed form is a plausible part of
// it: what claims half a gigabyte of zeros in a few kilobytes is decoded through a window, which grows with what comes.
const (
	ample        = 64 << 20
	maxPlausible = 1000
)

// fits tells whether b can be decoded in memory, where another one should fit beside it.
func (l *lookahead) fits(b *block, limits Limits) bool {
	if !b.hasPacked || !b.hasSz || max(b.size, b.packed) > limits.Block || b.size+b.packed > l.memory/2 {
		return false
	}
	return b.size <= ample || b.size/b.packed <= maxPlausible
}

// next returns the next block, decoded if it is whole, and io.EOF at the end of the file. What was handed out before
// must have been released.
func (l *lookahead) next(w *walker) (*aheadBlock, error) {
	// At least one block is read for each that is handed out, so that the queue never gets shorter; more while the first
	// is not ready, so that it gets longer where the source is faster than the decoders.
	for n := 0; l.tail == nil && len(l.queue) < l.jobs && (n == 0 || len(l.queue[0].done) == 0); n++ {
		ok, err := l.read(w)
		if err != nil {
			l.tail = err
		}
		if !ok {
			break
		}
	}
	if len(l.queue) == 0 {
		if l.tail != nil {
			return nil, l.tail
		}
		b := &aheadBlock{block: *l.coming}
		l.coming = nil
		return b, nil
	}
	b := l.queue[0]
	l.queue = append(l.queue[:0], l.queue[1:]...)
	select {
	case <-l.ctx.Done():
		return nil, context.Cause(l.ctx)
	case err := <-b.done:
		return b, b.fail(l.ctx, b.number, err)
	}
}

// read reads a block and begins to decode it. It is not ok where there is none, or where it has to wait.
func (l *lookahead) read(w *walker) (ok bool, err error) {
	if l.ctx.Err() != nil {
		return false, context.Cause(l.ctx)
	}
	if l.coming == nil {
		if l.coming, err = w.next(l.ctx); err != nil {
			return false, err
		}
	}
	b := l.coming
	if !l.fits(b, w.limits) {
		return false, nil
	}
	body := container.Align(b.packed) + b.check.Size()
	item := l.take(b.size, body)
	if item == nil {
		return false, nil
	}
	l.coming = nil
	b.unpadded = w.in.off - b.offset + b.packed + b.check.Size()
	item.block, item.number, item.whole = *b, w.blocks-1, true
	if err := w.limits.checkRatio(b.size, b.unpadded); err != nil {
		return false, w.failIn(l.ctx, b.offset, err)
	}
	if err := w.in.take(l.ctx, &item.body, body); err != nil {
		return false, w.failIn(l.ctx, b.offset, err)
	}
	w.add(b)
	item.decode(l.ctx, l.decode)
	l.queue = append(l.queue, item)
	return true, nil
}

// decode begins to decode. The result is in done when it is there, whether somebody takes it or not.
func (b *aheadBlock) decode(ctx context.Context, decode decoderFunc) {
	b.done = make(chan error, 1)
	ctx, b.cancel = context.WithCancel(ctx)
	go func() {
		defer b.cancel()
		b.done <- guard(func() (err error) {
			b.zero, err = decode(ctx, &b.block, b.body, func() []byte { return grow(&b.content, b.size) })
			return err
		})
	}()
}

// take returns a block with room for so many bytes of content and of body, and nil where there is none until others are
// released.
func (l *lookahead) take(size, body int64) *aheadBlock {
	if last := len(l.spare) - 1; last >= 0 {
		b := l.spare[last]
		room := max(size, int64(cap(b.content))) + max(body, int64(cap(b.body)))
		if l.held-b.room+room <= l.memory {
			l.spare = l.spare[:last]
			l.held += room - b.room
			b.room = room
			return b
		}
		for _, b := range l.spare {
			l.held -= b.room
		}
		l.spare = nil
	}
	if l.held > 0 && l.held+size+body > l.memory {
		return nil
	}
	l.held += size + body
	return &aheadBlock{room: size + body}
}

// release takes a block back that was handed out.
func (l *lookahead) release(b *aheadBlock) { l.spare = append(l.spare, b) }

// stop ends what is going on and lets go of all memory.
func (l *lookahead) stop() {
	for _, b := range l.queue {
		b.cancel()
	}
	for _, b := range l.queue {
		<-b.done //nolint:errcheck // there is an error already
	}
	l.queue, l.spare, l.coming = nil, nil, nil
}

// copy copies content from offset at to p and returns how much.
func (b *aheadBlock) copy(p []byte, at int64) int {
	if !b.zero {
		return copy(p, b.content[at:])
	}
	n := min(int64(len(p)), b.size-at)
	clear(p[:n])
	return int(n)
}

// writeTo writes the content from offset at on to w.
func (b *aheadBlock) writeTo(w io.Writer, at int64) error {
	if b.zero {
		return writeZeros(w, b.size-at)
	}
	return writeRuns(w, b.content[at:])
}

// feed hands all of the content to w, which may be nil.
func (b *aheadBlock) feed(w io.Writer) error {
	switch {
	case w == nil:
		return nil
	case b.zero:
		return writeZeros(w, b.size)
	}
	return writeAll(w, b.content)
}
