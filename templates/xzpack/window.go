package xzpack

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// window decodes a block as it comes, holding no more of its content than the dictionary: a block whose header does not
// say both sizes, or one that is too large to be held. What it gives is only known to be right at the end of the block,
// where the check stands.
type window struct {
	w     *walker
	b     *block
	start int64 // where the compressed data begins
	data  io.Reader
	sum   *container.CheckHash
	size  int64 // bytes of content so far
	err   error
}

func newWindow(w *walker, b *block) *window {
	if w.decoder == nil {
		w.decoder = lzma2.NewStreamDecoder(w.in, b.dict)
	}
	w.decoder.Reset(w.in, b.dict)
	return &window{w: w, b: b, start: w.in.off, data: w.decoder, sum: b.check.New()}
}

// read reads content; behind the last byte it returns io.EOF, when all of the block has been verified.
func (v *window) read(ctx context.Context, p []byte) (int, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	n := 0
	if v.err == nil {
		n, v.err = v.data.Read(p)
		v.sum.Write(p[:n]) //nolint:errcheck // a hash never fails
		v.size += int64(n)
		if err := v.check(); err != nil {
			n, v.err = 0, err
		}
	}
	switch {
	case n > 0 || v.err == nil:
		return n, nil
	case errors.Is(v.err, io.EOF):
		if err := v.finish(); err != nil {
			return 0, v.w.failIn(ctx, v.b.offset, err)
		}
		return 0, io.EOF
	case v.w.in.ended:
		v.err = v.w.in.cutOff()
	}
	return 0, v.w.failIn(ctx, v.b.offset, v.err)
}

// check holds what came so far against what the header says and what the limits allow.
func (v *window) check() error {
	packed, limits := v.w.in.off-v.start, v.w.limits
	switch {
	case v.b.hasSz && v.size > v.b.size:
		return fmt.Errorf("content is longer than the %d bytes that the block header says", v.b.size)
	case v.b.hasPacked && packed > v.b.packed:
		return fmt.Errorf("compressed data is longer than the %d bytes that the block header says", v.b.packed)
	case v.size > limits.Size-v.w.size:
		return over("uncompressed size of the file", v.w.size+v.size, limits.Size)
	}
	return limits.checkRatio(v.size, packed)
}

// finish verifies what follows the compressed data.
func (v *window) finish() error {
	b, packed := v.b, v.w.in.off-v.start
	switch {
	case b.hasSz && v.size != b.size:
		return fmt.Errorf("content is %d bytes: expected %d as the block header says", v.size, b.size)
	case b.hasPacked && packed != b.packed:
		return fmt.Errorf("compressed data is %d bytes: expected %d as the block header says", packed, b.packed)
	}
	padding := container.Align(packed) - packed
	tail := make([]byte, padding+b.check.Size())
	if err := v.w.in.full(tail); err != nil {
		return err
	}
	if err := checkPadding(tail[:padding]); err != nil {
		return err
	}
	if err := b.verify(v.sum.Append(nil), tail[padding:]); err != nil {
		return err
	}
	b.packed, b.size, b.unpadded = packed, v.size, v.start-b.offset+packed+b.check.Size()
	v.w.add(b)
	return nil
}
