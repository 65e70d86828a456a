package xzpack

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// Writer packs what is written to it. The bytes are those that [Pack] writes for the same content and options.
//
// Blocks are compressed beside each other while more is written; a call of Write waits when all workers are busy. The
// destination is written by calls of Write and Close only, never behind their back, and a Writer that is no longer used
// holds nothing up. A Writer is not safe for concurrent use.
type Writer struct {
	ctx    context.Context
	pack   *packer
	block  *aheadPacking   // being filled; nil if nothing is in it
	queue  []*aheadPacking // being compressed, in order
	spare  []*aheadPacking // for their buffers
	err    error           // what every further call returns
	closed bool
}

// aheadPacking is a block that is compressed while others are written. Its buffers stay with it when it is used again.
type aheadPacking struct {
	packItem
	done   chan error
	cancel context.CancelFunc
}

// NewWriter writes the header of a stream to w and returns a Writer that packs as small as possible on all cores. It
// takes the place of the function of that name in github.com/ulikunitz/xz. Close must be called: what was written by
// then is not yet an .xz file.
func NewWriter(w io.Writer) (*Writer, error) {
	return NewWriterOptions(context.Background(), w, PackOptions{})
}

// NewWriterOptions is NewWriter with options. When ctx is done, Write and Close return the context's cause.
func NewWriterOptions(ctx context.Context, w io.Writer, opt PackOptions) (*Writer, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p, err := newPacker(w, -1, opt)
	if err != nil {
		return nil, err
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	return &Writer{ctx: ctx, pack: p}, nil
}

// Write takes content. After an error every further call returns it, Close too.
func (w *Writer) Write(p []byte) (int, error) {
	if w.closed && w.err == nil {
		return 0, fmt.Errorf("write .xz data: %w", os.ErrClosed)
	}
	n := 0
	for n < len(p) && w.err == nil {
		b := w.room(len(p) - n)
		m := copy(b.in[b.n:], p[n:])
		b.n += m
		n += m
		if b.n == w.pack.buffer {
			w.fail(w.begin())
		}
	}
	return n, w.err
}

// room returns the block that is being filled, with room for n bytes more or for what is left of it. Its buffer grows:
// a short stream must not cost a whole block.
func (w *Writer) room(n int) *aheadPacking {
	if last := len(w.spare) - 1; w.block == nil && last >= 0 {
		w.block, w.spare = w.spare[last], w.spare[:last]
		w.block.n = 0
	}
	if w.block == nil {
		w.block = &aheadPacking{done: make(chan error, 1)}
	}
	b := w.block
	if have := len(b.in); b.n == have && have < w.pack.buffer {
		b.in = append(make([]byte, 0, min(w.pack.buffer, max(have+n, 2*have, 64<<10))+lzma2.EncoderPad), b.in...)
		b.in = b.in[:cap(b.in)-lzma2.EncoderPad]
	}
	return b
}

// begin begins to compress the block that was filled, when no more than the others allow are at it.
func (w *Writer) begin() error {
	for len(w.queue) == w.pack.jobs {
		if err := w.emit(); err != nil {
			return err
		}
	}
	if w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	b := w.block
	w.block = nil
	if b.out == nil {
		b.size = b.n // a shorter one is the last
	}
	b.zero = sparse.IsZero(b.content())
	ctx, cancel := context.WithCancel(w.ctx)
	b.cancel = cancel
	w.queue = append(w.queue, b)
	pack := w.pack // all that the goroutine holds on to, beside the block
	go func() {
		defer cancel()
		b.done <- guard(func() error { return pack.compress(ctx, &b.packItem) })
	}()
	if pack.opt.Content == nil {
		return nil
	}
	return pack.feed(w.ctx, &b.packItem)
}

// emit writes the first block of the queue when it is compressed.
func (w *Writer) emit() error {
	b := w.queue[0]
	select {
	case <-w.ctx.Done():
		return context.Cause(w.ctx)
	case err := <-b.done:
		w.queue = append(w.queue[:0], w.queue[1:]...)
		w.spare = append(w.spare, b)
		if err != nil {
			return err
		}
		return w.pack.emit(w.ctx, &b.packItem)
	}
}

// Close packs what is left and writes the end of the file; only then there is one. It does not close the destination.
// Every further call of Close returns the same.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	if w.err == nil && w.block != nil {
		w.fail(w.begin())
	}
	for w.err == nil && len(w.queue) > 0 {
		w.fail(w.emit())
	}
	if w.err == nil && w.ctx.Err() != nil {
		w.fail(context.Cause(w.ctx))
	}
	if w.err == nil {
		w.fail(w.pack.finish())
	}
	w.block, w.spare = nil, nil
	return w.err
}

// Packed says what was packed. It is complete when Close has succeeded.
func (w *Writer) Packed() Packed { return w.pack.out }

// fail makes err, if it is one, what every further call returns, and ends what is going on.
func (w *Writer) fail(err error) {
	if err == nil {
		return
	}
	w.err = err
	for _, b := range w.queue {
		b.cancel()
	}
	for _, b := range w.queue {
		<-b.done //nolint:errcheck // there is an error already
	}
	w.queue = nil
}
