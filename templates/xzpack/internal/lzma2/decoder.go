package lzma2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// NewDecoder returns a decoder.
func NewDecoder() Decoder { return decoder{} }

// decoder holds nothing: the codec's decoder cannot be reset.
type decoder struct{}

func (decoder) Decode(ctx context.Context, block, packed []byte, dict int64) error {
	allRaw, err := survey(packed, len(block))
	if err != nil {
		return err
	}
	if allRaw {
		copyRaw(block, packed)
		return context.Cause(ctx)
	}
	return decode(ctx, block, packed, dict)
}

func decode(ctx context.Context, block, packed []byte, dict int64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("compressed data is corrupt: the decoder panicked: %v", p)
		}
	}()
	// The codec allocates what it is told here, so a dictionary that the content cannot fill is never asked for.
	dict = max(min(dict, int64(len(block))), lzma.MinDictCap)
	in := bytes.NewReader(packed)
	r, err := lzma.Reader2Config{DictCap: int(dict)}.NewReader2(in)
	if err != nil {
		return err
	}
	for done := 0; done < len(block); {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := io.ReadFull(r, block[done:min(done+step, len(block))])
		done += n
		if err != nil {
			return corrupt(err, done)
		}
	}
	var more [1]byte
	if _, err := io.ReadFull(r, more[:]); err != io.EOF {
		return corrupt(err, len(block))
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
