package xzpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// zeroBlock is a packed block that is known to hold nothing but zeros. A sparse image has hundreds of copies of it.
type zeroBlock struct {
	packed []byte // compressed data, padding and check
	size   int64
	check  container.Check
}

// maxZeroPacked is the longest packed form of a block of zeros that is worth remembering.
const maxZeroPacked = 128 << 10

// decode reads block i and decompresses it into buf(), which must return room for the block's content. Every claim that
// the file makes about the block is verified. If the content is all zeros, zero is true, and then buf may not have
// been called. scratch is a buffer for the compressed form, kept by the caller from one call to the next.
func (r *ReaderAt) decode(ctx context.Context, i int, scratch *[]byte, buf func() []byte) (zero bool, err error) {
	b := &r.blocks[i]
	defer func() {
		if err != nil && (ctx.Err() == nil || !errors.Is(err, context.Cause(ctx))) {
			err = &FormatError{Block: i + 1, Offset: b.offset, Err: err}
		}
	}()
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	head := b.headerSize()
	packed := grow(scratch, container.Align(b.unpadded)-head)
	if err := readFull(r.src, packed, b.offset+head); err != nil {
		return false, err
	}
	if r.isKnownZero(b, packed) {
		return true, nil
	}
	data, padding := packed[:b.packed], packed[b.packed:int64(len(packed))-b.check.Size()]
	if !sparse.IsZero(padding) {
		return false, fmt.Errorf("block padding: expected zeros, found %x", padding)
	}
	content := buf()
	r.decoded.Add(1)
	if err := lzma2.NewDecoder().Decode(ctx, content, data, b.dict); err != nil {
		return false, err
	}
	sum, err := checksum(ctx, b.check, content)
	if err != nil {
		return false, err
	}
	if want := packed[int64(len(packed))-b.check.Size():]; !bytes.Equal(sum, want) {
		return false, fmt.Errorf("%v mismatch: expected %x, found %x: the file is damaged", b.check, want, sum)
	}
	if zero = sparse.IsZero(content); zero {
		r.keepZero(b, packed)
	}
	return zero, nil
}

// grow returns *buf with length n, made anew if it is too small.
func grow(buf *[]byte, n int64) []byte {
	if int64(cap(*buf)) < n {
		*buf = make([]byte, n)
	}
	*buf = (*buf)[:n]
	return *buf
}

func (r *ReaderAt) isKnownZero(b *block, packed []byte) bool {
	r.zeroMu.Lock()
	z := r.zero
	r.zeroMu.Unlock()
	return z.packed != nil && z.size == b.size && z.check == b.check && bytes.Equal(z.packed, packed)
}

func (r *ReaderAt) keepZero(b *block, packed []byte) {
	if len(packed) > maxZeroPacked {
		return
	}
	z := zeroBlock{bytes.Clone(packed), b.size, b.check}
	r.zeroMu.Lock()
	r.zero = z
	r.zeroMu.Unlock()
}
