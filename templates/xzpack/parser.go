package xzpack

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/tplkit/tplkit/templates/internal/sparse"
	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// parser finds the streams of a file from its end towards its beginning, since only the footers tell where they begin.
type parser struct {
	src     io.ReaderAt
	limits  Limits
	lazy    bool    // read the first block header alone
	blocks  []block // while parsing in the order of discovery: last stream first, its blocks in order
	starts  []int   // where in blocks a stream begins
	streams int
	padding int64
	size    int64 // bytes of content
}

func (p *parser) parse(size int64) error {
	magic, err := p.read(0, max(0, min(size, int64(len(container.Magic)))))
	if err != nil {
		return err
	}
	if err := sniff(magic); err != nil {
		return err
	}
	for end := size; end > 0; {
		if end, err = p.skipPadding(end); err != nil {
			return err
		}
		if end, err = p.stream(end); err != nil {
			return err
		}
	}
	p.order()
	return p.readHeaders()
}

// order brings the blocks into the order of the file.
func (p *parser) order() {
	ordered := make([]block, 0, len(p.blocks))
	end := len(p.blocks)
	for i, start := range slices.Backward(p.starts) {
		for _, b := range p.blocks[start:end] {
			b.stream = len(p.starts) - i
			ordered = append(ordered, b)
		}
		end = start
	}
	p.blocks = ordered
}

// read reads exactly n bytes at off.
func (p *parser) read(off, n int64) ([]byte, error) {
	b := make([]byte, n)
	return b, readFull(p.src, b, off)
}

// errEnds is the error of a source that is shorter than it was said to be.
var errEnds = fmt.Errorf("the file ends before that: %w", io.ErrUnexpectedEOF)

// readFull reads all of b.
func readFull(src io.ReaderAt, b []byte, off int64) error {
	n, err := src.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = errEnds
	}
	return fmt.Errorf("read %d bytes at offset %d: %w", len(b), off, err)
}

func (p *parser) skipPadding(end int64) (int64, error) {
	const step = 64 << 10
	for end > 0 {
		n := min(end, step)
		b, err := p.read(end-n, n)
		if err != nil {
			return 0, err
		}
		tail := int64(len(b))
		if sparse.IsZero(b) {
			tail = 0
		}
		for tail > 0 && b[tail-1] == 0 {
			tail--
		}
		zeros := n - tail
		if tail > 0 {
			zeros &^= 3 // a footer ends with YZ: what is left over is for the footer's check to find
		}
		end -= zeros
		if p.padding += zeros; p.padding > maxPadding {
			return 0, &FormatError{Offset: end, Err: over("stream padding", p.padding, maxPadding)}
		}
		if tail > 0 {
			break
		}
	}
	return end, nil
}

// stream reads footer, index and header of the stream that ends at end and returns where it begins.
func (p *parser) stream(end int64) (int64, error) {
	fail := func(off int64, err error) (int64, error) { return 0, &FormatError{Offset: off, Err: err} }
	footer := end - container.HeaderSize
	if end%4 != 0 {
		return fail(end, fmt.Errorf("length up to here: expected a multiple of 4, found %d: the file is cut off or has something behind its end", end))
	}
	if footer < container.HeaderSize {
		return fail(0, fmt.Errorf("stream: expected at least %d bytes, found %d: the file is cut off", 2*container.HeaderSize, end))
	}
	if p.streams++; p.streams > p.limits.Blocks {
		return fail(footer, over("number of streams", int64(p.streams), int64(p.limits.Blocks)))
	}
	b, err := p.read(footer, container.HeaderSize)
	if err != nil {
		return 0, err
	}
	check, indexSize, err := container.ParseStreamFooter(b)
	if err != nil {
		return fail(footer, err)
	}
	index := footer - indexSize
	if index < container.HeaderSize {
		return fail(footer, fmt.Errorf("stream footer: an index of %d bytes does not fit before it", indexSize))
	}
	if limit := container.MaxIndexSize(p.limits.Blocks); indexSize > limit {
		return fail(footer, over("size of the index", indexSize, limit))
	}
	first := len(p.blocks)
	total, err := p.index(index, indexSize, check)
	if err != nil {
		return fail(index, err)
	}
	start := index - total - container.HeaderSize
	if start < 0 {
		return fail(index, fmt.Errorf("index: blocks of %d bytes do not fit before it", total))
	}
	for i := first; i < len(p.blocks); i++ {
		p.blocks[i].offset += start + container.HeaderSize
	}
	if b, err = p.read(start, container.HeaderSize); err != nil {
		return 0, err
	}
	found, err := container.ParseStreamHeader(b)
	if err != nil {
		return fail(start, err)
	}
	if found != check {
		return fail(start, fmt.Errorf("stream header: expected the footer's check %v, found %v", check, found))
	}
	return start, nil
}

// index reads an index and returns how many bytes of the file its blocks take.
func (p *parser) index(off, size int64, check container.Check) (int64, error) {
	b, err := p.read(off, size)
	if err != nil {
		return 0, err
	}
	x, err := container.ParseIndex(b)
	if err != nil {
		return 0, err
	}
	if n := len(p.blocks) + x.N; n > p.limits.Blocks {
		return 0, over("number of blocks", int64(n), int64(p.limits.Blocks))
	}
	p.starts = append(p.starts, len(p.blocks))
	var total int64
	for x.N > 0 {
		r, err := x.Next()
		if err != nil {
			return 0, err
		}
		if err := p.limits.checkRatio(r.Size, r.Unpadded); err != nil {
			return 0, err
		}
		if p.size += r.Size; p.size > p.limits.Size {
			return 0, over("uncompressed size of the file", p.size, p.limits.Size)
		}
		if total > off {
			return 0, fmt.Errorf("index: blocks of %d bytes do not fit before it", total)
		}
		p.blocks = append(p.blocks, block{offset: total, unpadded: r.Unpadded, size: r.Size, check: check})
		total += container.Align(r.Unpadded)
	}
	return total, x.Close()
}

// readHeaders reads the header of every block and compares it with the index. The first one is read even where the
// others can wait: a filter that cannot be decoded is in all of them, as a rule.
func (p *parser) readHeaders() error {
	var content int64
	buf := make([]byte, container.MaxBlockHeaderSize)
	for i := range p.blocks {
		b := &p.blocks[i]
		b.content = content
		content += b.size
		if p.lazy && i > 0 {
			continue
		}
		head := buf[:min(b.unpadded, int64(len(buf)))]
		if err := b.read(p.src, i, head); err != nil {
			return err
		}
		if err := b.readHeader(head, p.limits); err != nil {
			return &FormatError{Block: i + 1, Offset: b.offset, Err: err}
		}
	}
	return nil
}
