package xzpack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// source gives content block by block.
type source interface {
	// fill puts the next block into b and reports false when there is none.
	fill(ctx context.Context, b *packItem) (bool, error)
	close()
}

// packItem is a block on its way through the packer. Its buffers stay with it when it is used again.
type packItem struct {
	size    int  // room for content
	n       int  // length of the content
	zero    bool // the content is zeros; in may not hold it
	in, out []byte
	packed  packedBlock
}

// buffer is the room for content, made when it is first needed: a block in a hole needs none.
func (b *packItem) buffer() []byte {
	if b.in == nil {
		b.in = make([]byte, b.size, b.size+lzma2.EncoderPad)
	}
	return b.in
}

func (b *packItem) content() []byte { return b.in[:b.n] }

// readStep is how much is read between two looks at the context.
const readStep = 1 << 20

// fileSource reads a file of known size, without its holes.
type fileSource struct {
	r    io.ReaderAt
	file *os.File // r, if it is one: has holes, and a length to watch
	size int64
	off  int64

	next func() (sparse.Extent, error, bool) // from data's sequence
	stop func()
	data sparse.Extent // the next run of data that ends behind off; of length 0 at the end
}

func (s *fileSource) fill(ctx context.Context, b *packItem) (bool, error) {
	if s.next == nil {
		if err := s.checkSize(); err != nil {
			return false, err
		}
		s.next, s.stop = iter.Pull2(sparse.Data(s.r, s.size))
		if err := s.advance(); err != nil {
			return false, err
		}
	}
	n := min(int64(b.size), s.size-s.off)
	if n == 0 {
		return false, s.finish()
	}
	b.n, b.zero = int(n), true
	if s.data.Len > 0 && s.data.Off < s.off+n {
		if err := s.read(ctx, b.buffer()[:n]); err != nil {
			return false, err
		}
		b.zero = sparse.IsZero(b.content())
	}
	s.off += n
	return true, nil
}

// read reads the block at off into p: runs of data are read, what lies between is cleared.
func (s *fileSource) read(ctx context.Context, p []byte) error {
	end := s.off + int64(len(p))
	for off := s.off; off < end; {
		if s.data.Len == 0 || s.data.Off >= end {
			clear(p[off-s.off:])
			return nil
		}
		if s.data.Off > off {
			clear(p[off-s.off : s.data.Off-s.off])
			off = s.data.Off
		}
		upTo := min(s.data.End(), end)
		for off < upTo {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			q := p[off-s.off : min(upTo-s.off, off-s.off+readStep)]
			n, err := s.r.ReadAt(q, off)
			off += int64(n)
			if n < len(q) {
				return shortRead(err, off, s.size)
			}
		}
		if upTo == s.data.End() {
			if err := s.advance(); err != nil {
				return err
			}
		}
	}
	return nil
}

func shortRead(err error, off, size int64) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("source %w: expected %d bytes, it ends at %d", ErrChanged, size, off)
	}
	return fmt.Errorf("read source at %d: %w", off, err)
}

// advance takes the next run of data.
func (s *fileSource) advance() (err error) {
	s.data, err, _ = s.next()
	if err != nil {
		return fmt.Errorf("look for holes in the source: %w", err)
	}
	return nil
}

// checkSize compares the length of a regular file with the expected one. Devices have no length in their Stat.
func (s *fileSource) checkSize() error {
	if s.file == nil {
		return nil
	}
	fi, err := s.file.Stat()
	if err != nil {
		return err
	}
	if fi.Mode().IsRegular() && fi.Size() != s.size {
		return fmt.Errorf("source %w: expected %d bytes, it has %d", ErrChanged, s.size, fi.Size())
	}
	return nil
}

// finish looks once more whether the source is as long as it was.
func (s *fileSource) finish() error {
	if s.file == nil {
		return nil
	}
	var more [1]byte
	if n, err := s.file.ReadAt(more[:], s.size); n > 0 {
		return fmt.Errorf("source %w: expected %d bytes, it has more", ErrChanged, s.size)
	} else if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read source at %d: %w", s.size, err)
	}
	return s.checkSize()
}

func (s *fileSource) close() {
	if s.stop != nil {
		s.stop()
	}
}

// streamSource reads a stream up to its end.
type streamSource struct {
	r   io.Reader
	off int64
}

func (s *streamSource) fill(ctx context.Context, b *packItem) (bool, error) {
	p, n := b.buffer(), 0
	for n < len(p) {
		if ctx.Err() != nil {
			return false, context.Cause(ctx)
		}
		m, err := io.ReadFull(s.r, p[n:min(n+readStep, len(p))])
		n += m
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return false, fmt.Errorf("read source at %d: %w", s.off+int64(n), err)
		}
	}
	s.off += int64(n)
	b.n = n
	b.zero = sparse.IsZero(b.content())
	return n > 0, nil
}

func (s *streamSource) close() {}
