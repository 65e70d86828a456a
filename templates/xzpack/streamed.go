package xzpack

import (
	"bufio"
	"context"
	"errors"
	"io"

	"github.com/tplkit/tplkit/templates/internal/sparse"
)

// streamed tells whether a file is unpacked from its beginning to its end, with jobs workers: because it has a block that
// is too large to be held, or one that is large and would be the only one at work, so that holding it gains nothing. What
// xz packs without --block-size is one block, however large the image is.
func (r *ReaderAt) streamed(jobs int) bool {
	for i := range r.blocks {
		b := &r.blocks[i]
		if r.limits.checkHeld(b) != nil || jobs == 1 && max(b.size, b.unpadded) > ample {
			return true
		}
	}
	return false
}

// contentPiece is content on its way from the decoder to those who want it.
type contentPiece struct {
	buf  []byte
	n    int
	zero bool
}

// stream is run for a file that is read as a stream. Decoding, handing on and writing go beside each other.
func (r *ReaderAt) stream(ctx context.Context, opt UnpackOptions, jobs int, w io.Writer) error {
	limits := r.limits
	limits.Block = min(limits.Block, ample)
	// Each read may be a request across a network.
	in := bufio.NewReaderSize(io.NewSectionReader(r.src, 0, r.packed), readStep)
	src, err := NewReaderOptions(ctx, in, ReaderOptions{Limits: limits, Jobs: jobs, Packed: opt.Packed})
	if err != nil {
		return err
	}
	defer src.Close()
	m := meter{Progress: Progress{Total: r.size}, report: opt.Progress}
	line := pipeline[contentPiece]{
		jobs:  1, // so work is in order, too
		slots: 3, // one in each of the three places
		next: func(_ context.Context, p *contentPiece) (bool, error) {
			buf := grow(&p.buf, readStep)
			var err error
			for p.n = 0; p.n < len(buf) && err == nil; {
				var n int
				n, err = src.Read(buf[p.n:])
				p.n += n
			}
			if errors.Is(err, io.EOF) {
				err = nil
			}
			p.zero = sparse.IsZero(buf[:p.n])
			return p.n > 0, err
		},
		work: func(_ context.Context, p *contentPiece) error {
			if p.zero {
				return writeZeros(w, int64(p.n))
			}
			return writeRuns(w, p.buf[:p.n])
		},
		emit: func(_ context.Context, p *contentPiece) error {
			m.add(int64(p.n))
			return nil
		},
	}
	if opt.Content != nil {
		line.side = func(_ context.Context, p *contentPiece) error {
			if p.zero {
				return writeZeros(opt.Content, int64(p.n))
			}
			return writeAll(opt.Content, p.buf[:p.n])
		}
	}
	return line.run(ctx)
}
