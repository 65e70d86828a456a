package xzpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// ReaderOptions say how to read a stream. The zero value suits streams that are not trusted, and uses all cores.
type ReaderOptions struct {
	// Limits bound what the stream may ask for. A block that is larger than Limits.Block, or than half of
	// Limits.Memory, is no error, but decoded like one without sizes.
	Limits   Limits
	Jobs     int            // blocks decoded at once; 0 = GOMAXPROCS; fewer where Limits.Memory is small. With 1 nothing is read ahead
	Packed   io.Writer      // gets the .xz data as it is read; nil = nobody
	Content  io.Writer      // gets the content, too, as it is handed out; nil = nobody. Zeros go to its WriteZeros(int64) error where it has one
	Progress func(Progress) // Total is -1
}

// Reader reads .xz data from a stream and gives its content. It reads any number of streams behind each other, with
// padding, up to the end of its source, and verifies all of it: headers, checks, the index of each stream against the
// blocks that were seen.
//
// Blocks whose headers carry both sizes are read ahead and decoded beside each other, each verified before a byte of it
// is handed out. [Pack], [Writer], xz -T and pixz write such blocks. Others are decoded one after the other, in memory
// for the dictionary alone; whether their content was right is known at their end.
//
// The source is read by calls of Read and WriteTo only, never behind their back, and a Reader that is no longer used
// holds nothing up: Close may be left out. A Reader is not safe for concurrent use.
type Reader struct {
	ctx   context.Context
	opt   ReaderOptions
	walk  walker
	ahead lookahead
	meter meter

	block  *aheadBlock // being handed out, or
	at     int64       // where in it
	window *window     // being handed out
	err    error       // what every further call returns
}

// NewReader reads the header of a stream of .xz data and returns a Reader of its content. It takes the place of the
// function of that name in github.com/ulikunitz/xz.
//
// Data that is damaged gives a [*FormatError], from here or from Read; it wraps io.ErrUnexpectedEOF where the data is
// cut off, [ErrLimit] where it asks for too much, and [ErrUnsupported] where it is something else than .xz, or uses a
// filter or a check that cannot be decoded, which is named.
func NewReader(r io.Reader) (*Reader, error) {
	return NewReaderOptions(context.Background(), r, ReaderOptions{})
}

// NewReaderOptions is NewReader with options. When ctx is done the Reader returns the context's cause; a Read of r that
// is under way then is waited for.
func NewReaderOptions(ctx context.Context, r io.Reader, opt ReaderOptions) (*Reader, error) {
	limits, err := opt.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	jobs, err := workers(opt.Jobs, 1<<20)
	if err != nil {
		return nil, err
	}
	x := &Reader{
		ctx: ctx, opt: opt,
		walk:  walker{in: newInput(r, opt.Packed), limits: limits},
		ahead: lookahead{ctx: ctx, jobs: jobs, memory: limits.Memory, decode: new(blockDecoder).decode},
		meter: meter{Progress: Progress{Total: -1}, report: opt.Progress},
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err := x.walk.begin(); err != nil {
		return nil, err
	}
	return x, nil
}

// Read reads content. Behind the end of it, when all of the stream has been verified, it returns io.EOF.
func (r *Reader) Read(p []byte) (int, error) {
	if len(p) == 0 && r.err == nil {
		return 0, nil
	}
	for r.err == nil {
		n := 0
		switch {
		case r.block != nil:
			n = r.block.copy(p, r.at)
			r.skip(int64(n))
		case r.window != nil:
			n = r.readWindow(p)
		default:
			r.advance()
		}
		if n > 0 {
			return n, nil
		}
	}
	return 0, r.err
}

// WriteTo writes the content to w, as io.WriterTo has it. Runs of zeros of at least 4 KiB go to w's method
// WriteZeros(int64) error where it has one.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	out := &countingWriter{w: w}
	var buf []byte
	for r.err == nil {
		var err error
		switch {
		case r.block != nil:
			err = r.block.writeTo(out, r.at)
			r.skip(r.block.size - r.at)
		case r.window != nil:
			buf = grow(&buf, 256<<10)
			n := 0
			for n < len(buf) && r.window != nil { // runs of zeros are looked for in whole pages
				n += r.readWindow(buf[n:])
			}
			err = writeRuns(out, buf[:n])
		default:
			r.advance()
		}
		if err != nil {
			return out.n, err
		}
	}
	if errors.Is(r.err, io.EOF) {
		return out.n, nil
	}
	return out.n, r.err
}

// Unpack makes the regular file dst hold the content: it is emptied, then written, with holes as [ReaderAt.Unpack] leaves
// them, and ends at the exact size. Its file offset is neither used nor changed. A Reader that has been read from has
// only the rest of the content to unpack. After an error dst holds the content before it, at most.
func (r *Reader) Unpack(dst *os.File) error {
	if err := empty(dst); err != nil {
		return err
	}
	out := &sparseFile{f: dst}
	if _, err := r.WriteTo(out); err != nil {
		return err
	}
	return out.finish()
}

// Close ends decoding that is under way and waits for that. Every Read behind it is an error. The source is not closed.
func (r *Reader) Close() error {
	r.fail(fmt.Errorf("read .xz data: %w", os.ErrClosed))
	return nil
}

// fail makes err what every further call returns, unless there is something already.
func (r *Reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.ahead.stop()
	r.block, r.window = nil, nil
}

// skip goes on by n bytes of the block that is being handed out.
func (r *Reader) skip(n int64) {
	if r.at += n; r.at == r.block.size {
		r.ahead.release(r.block)
		r.block = nil
	}
}

// advance makes the next block the one that is handed out.
func (r *Reader) advance() {
	next, err := r.ahead.next(&r.walk)
	switch {
	case err != nil:
		r.fail(err)
		return
	case next.whole:
		r.block, r.at = next, 0
		if err := next.feed(r.opt.Content); err != nil {
			r.fail(err)
			return
		}
		r.meter.add(next.size)
		if next.size == 0 {
			r.skip(0)
		}
	default:
		r.window = newWindow(&r.walk, &next.block)
	}
}

// readWindow reads from a block that is decoded as it comes.
func (r *Reader) readWindow(p []byte) int {
	n, err := r.window.read(r.ctx, p)
	if n > 0 && r.opt.Content != nil {
		err = writeAll(r.opt.Content, p[:n])
	}
	r.meter.later(int64(n))
	switch {
	case errors.Is(err, io.EOF):
		r.meter.add(0)
		r.window = nil
	case err != nil:
		r.fail(err)
		return 0
	}
	return n
}
