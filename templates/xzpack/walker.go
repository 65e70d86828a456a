package xzpack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// walker goes through a file from its beginning to its end, as a stream has it, and verifies all that stands around the
// blocks: what [Open] does from the other side.
type walker struct {
	in      *input
	limits  Limits
	check   container.Check    // of the stream it is in
	records []container.Record // the blocks of that stream up to here
	blocks  int                // in the whole file
	streams int
	size    int64                // bytes of content of the blocks so far
	decoder *lzma2.StreamDecoder // for blocks that are decoded as they come, one after the other; nil until there is one
}

// fail says where in the file err is from. An error of the source is no fault of the file.
func (w *walker) fail(off int64, err error) error {
	if w.in.err != nil {
		return fmt.Errorf("read at offset %d: %w", w.in.off, w.in.err)
	}
	return &FormatError{Offset: off, Err: err}
}

// failIn is fail for the block that the walker is in, which begins at off.
func (w *walker) failIn(ctx context.Context, off int64, err error) error {
	if w.in.err != nil {
		return fmt.Errorf("read block %d at offset %d: %w", w.blocks, w.in.off, w.in.err)
	}
	return (&block{offset: off}).fail(ctx, w.blocks-1, err)
}

// begin reads the header of the file's first stream.
func (w *walker) begin() error {
	magic, err := w.in.br.Peek(len(container.Magic))
	if err != nil && !errors.Is(err, io.EOF) {
		return w.fail(0, w.in.note(err))
	}
	if err := sniff(magic); err != nil {
		return err
	}
	return w.header()
}

// header reads the header of a stream.
func (w *walker) header() error {
	off := w.in.off
	if w.streams++; w.streams > w.limits.Blocks {
		return w.fail(off, over("number of streams", int64(w.streams), int64(w.limits.Blocks)))
	}
	p := make([]byte, container.HeaderSize)
	err := w.in.full(p)
	if err == nil {
		w.check, err = container.ParseStreamHeader(p)
	}
	if err != nil {
		return w.fail(off, err)
	}
	w.records = w.records[:0]
	return nil
}

// next goes to the next block and reads its header; sizes that it does not say are -1. At the end of the file it returns
// io.EOF.
func (w *walker) next(ctx context.Context) (*block, error) {
	for {
		off := w.in.off
		first := make([]byte, 1, container.MaxBlockHeaderSize)
		err := w.in.full(first)
		if err == nil && first[0] == 0 {
			if err := w.end(off); err != nil {
				return nil, err
			}
			continue
		}
		if w.blocks++; err == nil && w.blocks > w.limits.Blocks {
			err = over("number of blocks", int64(w.blocks), int64(w.limits.Blocks))
		}
		var b *block
		if err == nil {
			b, err = w.blockHeader(off, first)
		}
		if err != nil {
			return nil, w.failIn(ctx, off, err)
		}
		return b, nil
	}
}

// blockHeader reads the header whose first byte is p and holds it against the limits that there are for all blocks.
func (w *walker) blockHeader(off int64, p []byte) (*block, error) {
	p = p[:container.BlockHeaderSize(p[0])]
	if err := w.in.full(p[1:]); err != nil {
		return nil, err
	}
	h, err := container.ParseBlockHeader(p)
	if err != nil {
		return nil, err
	}
	b := &block{
		offset: off, content: w.size, check: w.check, unpadded: -1, packed: h.Packed, size: h.Size, dict: h.Dict,
		hasPacked: h.Packed >= 0, hasSz: h.Size >= 0,
	}
	switch {
	case b.dict > w.limits.Dict:
		return nil, over("dictionary", b.dict, w.limits.Dict)
	case b.size > w.limits.Size-w.size:
		return nil, over("uncompressed size of the file", w.size+b.size, w.limits.Size)
	}
	return b, nil
}

// add notes a block whose sizes are known, for comparison with the index.
func (w *walker) add(b *block) {
	w.records = append(w.records, container.Record{Unpadded: b.unpadded, Size: b.size})
	w.size += b.size
}

// end reads what follows the last block of a stream, of which the first byte has been read: index and footer, padding,
// and the header of the next stream.
func (w *walker) end(off int64) error {
	size, err := w.index()
	if err != nil {
		return w.fail(off, err)
	}
	off = w.in.off
	p := make([]byte, container.HeaderSize)
	err = w.in.full(p)
	if err == nil {
		err = w.footer(p, size)
	}
	if err != nil {
		return w.fail(off, err)
	}
	return w.padding()
}

// index reads the index and compares it with the blocks. There is only one right way to write it down, so it is the one
// expected or wrong.
func (w *walker) index() (size int64, err error) {
	head, err := w.in.br.Peek(container.MaxVLILen)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, w.in.note(err)
	}
	if n, err := container.CountRecords(head); err == nil && n != int64(len(w.records)) {
		return 0, fmt.Errorf("index: expected %d records, one for each block, found %d", len(w.records), n)
	}
	want := container.AppendIndex(nil, w.records)
	got := make([]byte, len(want))
	if err := w.in.full(got[1:]); err != nil {
		return 0, fmt.Errorf("index over %d blocks: %w", len(w.records), err)
	}
	if !bytes.Equal(got, want) {
		return 0, w.wrongIndex(got)
	}
	return int64(len(want)), nil
}

// wrongIndex finds out what is wrong with an index that is not the one expected.
func (w *walker) wrongIndex(p []byte) error {
	x, err := container.ParseIndex(p)
	if err != nil {
		return err
	}
	for i, want := range w.records {
		found, err := x.Next()
		if err != nil {
			return err
		}
		if found != want {
			return fmt.Errorf("index: record %d: expected a block of %d bytes with %d bytes of content, found %d and %d",
				i+1, want.Unpadded, want.Size, found.Unpadded, found.Size)
		}
	}
	return x.Close()
}

func (w *walker) footer(p []byte, indexSize int64) error {
	check, size, err := container.ParseStreamFooter(p)
	switch {
	case err != nil:
		return err
	case size != indexSize:
		return fmt.Errorf("stream footer: expected an index of %d bytes, found %d", indexSize, size)
	case check != w.check:
		return fmt.Errorf("stream footer: expected the header's check %v, found %v", w.check, check)
	}
	return nil
}

// padding steps over the zeros behind a stream and reads the header of the next one. At the end of the file it returns
// io.EOF.
func (w *walker) padding() error {
	start := w.in.off
	for {
		p, err := w.in.br.Peek(4)
		switch {
		case w.in.note(err) != nil && w.in.err != nil:
			return w.fail(w.in.off, err)
		case err != nil && len(p) == 0:
			return io.EOF
		case err != nil:
			return w.fail(w.in.off, fmt.Errorf("stream padding: expected a multiple of 4 bytes, found %d more at the end of the file", len(p)))
		case !sparse.IsZero(p):
			return w.header()
		case w.in.off-start >= maxPadding:
			return w.fail(start, over("stream padding", w.in.off-start+4, maxPadding))
		}
		w.in.off += 4
		w.in.br.Discard(4) //nolint:errcheck // they are there
	}
}
