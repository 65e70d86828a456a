package xzpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// block is what is kept of a block.
type block struct {
	offset, content  int64
	unpadded, packed int64
	size, dict       int64
	check            container.Check
	stream           int // counted from 1; 0 where the end of the file has not been seen
	hasPacked, hasSz bool
}

// headerSize is the length of the block header. It is known when the header has been read.
func (b *block) headerSize() int64 { return b.unpadded - b.packed - b.check.Size() }

// fail says that block number i, counted from 0, is where err is from. What ends a call because ctx is done is no fault
// of the block.
func (b *block) fail(ctx context.Context, i int, err error) error {
	if err == nil || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return err
	}
	return &FormatError{Block: i + 1, Offset: b.offset, Err: err}
}

// read reads the first bytes of the block, which has number i, into p. An error of the source is no fault of the file.
func (b *block) read(src io.ReaderAt, i int, p []byte) error {
	err := readFull(src, p, b.offset)
	if err == nil || errors.Is(err, errEnds) {
		return b.fail(context.Background(), i, err)
	}
	return fmt.Errorf("block %d: %w", i+1, err)
}

// readHeader takes from p, the first bytes of the block, what its header says, and compares it with what the index says.
// p has all of the block, or as much as a header can have.
func (b *block) readHeader(p []byte, limits Limits) error {
	size := container.BlockHeaderSize(p[0])
	b.packed = b.unpadded - size - b.check.Size()
	if p[0] == 0 || b.packed < 1 {
		return fmt.Errorf("block header: its length byte %02x does not fit a block of %d bytes", p[0], b.unpadded)
	}
	h, err := container.ParseBlockHeader(p[:size])
	if err != nil {
		return err
	}
	b.hasPacked, b.hasSz, b.dict = h.Packed >= 0, h.Size >= 0, h.Dict
	switch {
	case b.hasPacked && h.Packed != b.packed:
		return fmt.Errorf("block header: compressed size: expected %d as in the index, found %d", b.packed, h.Packed)
	case b.hasSz && h.Size != b.size:
		return fmt.Errorf("block header: uncompressed size: expected %d as in the index, found %d", b.size, h.Size)
	case b.dict > limits.Dict:
		return over("dictionary", b.dict, limits.Dict)
	}
	return nil
}

// verify compares the check of a block, as it stands in the file, with the one of its content.
func (b *block) verify(found, stored []byte) error {
	if !bytes.Equal(found, stored) {
		return fmt.Errorf("%v mismatch: expected %x, found %x: the file is damaged", b.check, stored, found)
	}
	return nil
}

// checkPadding finds fault with padding that is not zeros.
func checkPadding(p []byte) error {
	if !sparse.IsZero(p) {
		return fmt.Errorf("block padding: expected zeros, found %x", p)
	}
	return nil
}

// blockDecoder decodes blocks whose sizes are known. It may be used by several goroutines at once.
type blockDecoder struct {
	decoded atomic.Int64 // blocks that went through a decoder

	mu   sync.Mutex
	zero zeroBlock
}

// zeroBlock is a packed block that is known to hold nothing but zeros. A sparse image has hundreds of copies of it.
type zeroBlock struct {
	body  []byte // compressed data, padding and check
	size  int64
	check container.Check
}

// maxZeroPacked is the longest packed form of a block of zeros that is worth remembering.
const maxZeroPacked = 128 << 10

// decode decompresses block b into buf(), which must return room for the block's content. body is what follows the
// block's header: compressed data, padding and check. All of it is verified. If the content is all zeros, zero is true,
// and then buf may not have been called.
func (d *blockDecoder) decode(ctx context.Context, b *block, body []byte, buf func() []byte) (zero bool, err error) {
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	if d.isKnownZero(b, body) {
		return true, nil
	}
	sumAt := int64(len(body)) - b.check.Size()
	if err := checkPadding(body[b.packed:sumAt]); err != nil {
		return false, err
	}
	if err := lzma2.Survey(body[:b.packed], int(b.size)); err != nil {
		return false, err // before there is room for content that cannot come
	}
	content := buf()
	d.decoded.Add(1)
	if err := lzma2.NewDecoder().Decode(ctx, content, body[:b.packed], b.dict); err != nil {
		return false, err
	}
	sum, err := checksum(ctx, b.check, content)
	if err != nil {
		return false, err
	}
	if err := b.verify(sum, body[sumAt:]); err != nil {
		return false, err
	}
	if zero = sparse.IsZero(content); zero {
		d.keepZero(b, body)
	}
	return zero, nil
}

func (d *blockDecoder) isKnownZero(b *block, body []byte) bool {
	d.mu.Lock()
	z := d.zero
	d.mu.Unlock()
	return z.body != nil && z.size == b.size && z.check == b.check && bytes.Equal(z.body, body)
}

func (d *blockDecoder) keepZero(b *block, body []byte) {
	if len(body) > maxZeroPacked {
		return
	}
	z := zeroBlock{bytes.Clone(body), b.size, b.check}
	d.mu.Lock()
	d.zero = z
	d.mu.Unlock()
}

// grow returns *buf with length n, made anew if it is too small.
func grow(buf *[]byte, n int64) []byte {
	if int64(cap(*buf)) < n {
		*buf = make([]byte, n)
	}
	*buf = (*buf)[:n]
	return *buf
}
