package lzma2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// NewReference returns a decoder that shares nothing with the one of NewDecoder but the first walk over the chunks: it
// is a codec of its own, github.com/ulikunitz/xz/lzma. It takes twice as long and allocates for each block; packed
// blocks are proved with it, and tests compare the two.
func NewReference() Decoder { return reference{} }

// reference holds nothing: its codec cannot be reset.
type reference struct{}

func (r reference) Decode(ctx context.Context, block, packed []byte, dict int64) error {
	return r.walk(ctx, packed, len(block), dict, func(p []byte, at int) error {
		copy(block[at:], p)
		return nil
	})
}

// walk decodes packed, which has size bytes of content, and calls f for each piece of them. at is where in the content
// the piece lies; it is only valid during the call.
func (reference) walk(ctx context.Context, packed []byte, size int, dict int64, f func(p []byte, at int) error) (err error) {
	if err := Survey(packed, size); err != nil {
		return err
	}
	if size == 0 {
		return context.Cause(ctx)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compressed data is corrupt: the decoder panicked: %v", p)
		}
	}()
	// The codec allocates what it is told here, so a dictionary that the content cannot fill is never asked for.
	dict = max(min(dict, int64(size)), lzma.MinDictCap)
	in := bytes.NewReader(packed)
	r, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(in)
	if err != nil {
		return err
	}
	piece := make([]byte, step)
	for done := 0; done < size; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.ReadFull(r, piece[:min(len(piece), size-done)])
		if err != nil {
			return corrupt(err, done+n)
		}
		if err := f(piece[:n], done); err != nil {
			return err
		}
		done += n
	}
	var more [1]byte
	if _, err := io.ReadFull(r, more[:]); err != io.EOF {
		return corrupt(err, size)
	}
	if in.Len() != 0 {
		return fmt.Errorf("compressed data ends %d bytes early", in.Len())
	}
	return nil
}

func corrupt(err error, at int) error {
	if err == nil {
		return fmt.Errorf("content is longer than the %d bytes expected", at)
	}
	if errors.Is(err, io.EOF) { // an end-of-data in the middle is no end to the caller
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("compressed data is corrupt at byte %d of the content: %w", at, err)
}
