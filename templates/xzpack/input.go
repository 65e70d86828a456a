package xzpack

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// input is a stream that is read forward only, and that knows how far.
type input struct {
	br    *bufio.Reader
	off   int64 // bytes taken
	ended bool  // somebody wanted more than there is
	err   error // of the source, where it has failed; its end is no failure
}

// newInput returns an input that hands to packed, which may be nil, what it reads from r.
func newInput(r io.Reader, packed io.Writer) *input {
	if packed != nil {
		r = io.TeeReader(r, writerFunc(func(p []byte) (int, error) {
			if err := writeAll(packed, p); err != nil {
				return 0, fmt.Errorf("hand on packed data: %w", err)
			}
			return len(p), nil
		}))
	}
	return &input{br: bufio.NewReaderSize(r, 64<<10)}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (in *input) Read(p []byte) (int, error) {
	n, err := in.br.Read(p)
	in.off += int64(n)
	return n, in.note(err)
}

// ReadByte makes input an io.ByteReader, which is what an LZMA2 decoder reads from.
func (in *input) ReadByte() (byte, error) {
	b, err := in.br.ReadByte()
	if err == nil {
		in.off++
	}
	return b, in.note(err)
}

// note remembers what the source said.
func (in *input) note(err error) error {
	switch {
	case errors.Is(err, io.EOF):
		in.ended = true
	case err != nil:
		in.err = err
	}
	return err
}

// cutOff is the error for a stream that ends before it is over.
func (in *input) cutOff() error {
	return fmt.Errorf("the file is cut off at byte %d: %w", in.off, io.ErrUnexpectedEOF)
}

// maxEmptyReads is how often in a row a source may give neither a byte nor an error.
const maxEmptyReads = 100

// full reads all of p. A stream that ends before that gives an error that wraps io.ErrUnexpectedEOF.
func (in *input) full(p []byte) error {
	for empty := 0; len(p) > 0; {
		n, err := in.Read(p)
		p = p[n:]
		switch {
		case len(p) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return in.cutOff()
		case err != nil:
			return err
		case n > 0:
			empty = 0
		default:
			if empty++; empty == maxEmptyReads {
				return in.note(io.ErrNoProgress)
			}
		}
	}
	return nil
}

// take reads n bytes into *buf. Its room grows with what arrives, because what said n may have lied.
func (in *input) take(ctx context.Context, buf *[]byte, n int64) error {
	p := (*buf)[:0]
	for int64(len(p)) < n {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(p) == cap(p) {
			p = append(make([]byte, 0, min(n, max(readStep, 2*int64(cap(p))))), p...)
		}
		have := len(p)
		p = p[:min(n, int64(cap(p)), int64(have+readStep))]
		if err := in.full(p[have:]); err != nil {
			return err
		}
	}
	*buf = p
	return nil
}
