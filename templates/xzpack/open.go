package xzpack

import (
	"context"
	"fmt"
	"io"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// OpenOptions say how to read an .xz file. The zero value suits files that are not trusted.
type OpenOptions struct {
	Limits Limits
	Cache  int // decoded blocks kept for ReadAt; 0 = 4; fewer where Limits.Memory is small

	// LazyHeaders leaves the headers of all blocks but the first for later: each is checked when its block is decoded,
	// as it is in any case. Then Open reads only the two ends of the file, however many blocks there are, which is what
	// a source across a network wants. What only a header tells of a block, Blocks does not tell then.
	LazyHeaders bool
}

// Check names the integrity check of a block.
type Check string

// The checks that are understood.
const (
	CheckNone   Check = "none"
	CheckCRC32  Check = "crc32"
	CheckCRC64  Check = "crc64"
	CheckSHA256 Check = "sha256"
)

// Block is a block of an .xz file, as its header and the index describe it.
type Block struct {
	Stream        int   // that it is in, counted from 1
	Offset        int64 // of the block header in the file
	TotalSize     int64 // bytes in the file: header, compressed data, padding and check
	PackedSize    int64 // bytes of compressed data
	ContentOffset int64 // of the block's content
	Size          int64 // bytes of content
	Dict          int64 // bytes of dictionary that the header asks for
	Check         Check
	HasPackedSize bool // the header says PackedSize
	HasSize       bool // the header says Size. Parallel decoders need both
}

// ReaderAt reads an .xz file in parallel and at random. Its methods are safe for concurrent use as far as its source is;
// the source must not change while it is in use.
type ReaderAt struct {
	src     io.ReaderAt
	limits  Limits
	size    int64 // of the content
	packed  int64 // of the file
	blocks  []block
	streams int

	cache   *blockCache
	decoder blockDecoder
}

// Open reads the index and all headers of the .xz file in the first size bytes of src and checks them against each
// other and against opt.Limits; with opt.LazyHeaders the headers of blocks wait. Nothing is decompressed.
//
// A file that is damaged gives a [*FormatError]; one that asks for too much an error that wraps [ErrLimit]; one that is
// something else, or uses a filter or a check that cannot be decoded, an error that wraps [ErrUnsupported] and names it.
func Open(src io.ReaderAt, size int64, opt OpenOptions) (*ReaderAt, error) {
	limits, err := opt.Limits.withDefaults()
	if err != nil {
		return nil, err
	}
	if opt.Cache < 0 {
		return nil, fmt.Errorf("cache: expected 0 (the default) or more blocks, found %d", opt.Cache)
	}
	if opt.Cache == 0 {
		opt.Cache = 4
	}
	p := parser{src: src, limits: limits, lazy: opt.LazyHeaders}
	if err := p.parse(size); err != nil {
		return nil, err
	}
	r := &ReaderAt{src: src, limits: limits, size: p.size, packed: size, blocks: p.blocks, streams: p.streams}
	r.cache = newBlockCache(r, opt.Cache)
	return r, nil
}

// Size is the length of the content in bytes.
func (r *ReaderAt) Size() int64 { return r.size }

// PackedSize is the length of the file in bytes.
func (r *ReaderAt) PackedSize() int64 { return r.packed }

// NumStreams is the number of streams behind each other, those without a block among them.
func (r *ReaderAt) NumStreams() int { return r.streams }

// NumBlocks is the number of blocks.
func (r *ReaderAt) NumBlocks() int { return len(r.blocks) }

// Blocks describes all blocks, in the order of their content. Behind the first, a ReaderAt opened with LazyHeaders
// leaves PackedSize, Dict, HasPackedSize and HasSize zero.
func (r *ReaderAt) Blocks() []Block {
	blocks := make([]Block, len(r.blocks))
	for i := range r.blocks {
		b := &r.blocks[i]
		blocks[i] = Block{
			Stream: b.stream, Offset: b.offset, TotalSize: container.Align(b.unpadded), PackedSize: b.packed,
			ContentOffset: b.content, Size: b.size, Dict: b.dict, Check: Check(b.check.String()),
			HasPackedSize: b.hasPacked, HasSize: b.hasSz,
		}
	}
	return blocks
}

// memory is about how many bytes holding a block takes: content and packed form. The content is the dictionary.
func (r *ReaderAt) memory() int64 {
	var most int64
	for i := range r.blocks {
		if b := &r.blocks[i]; r.limits.checkHeld(b) == nil {
			most = max(most, b.size+b.unpadded)
		}
	}
	return max(most, 1)
}

// workers is the number of workers that jobs stands for within the limit of memory.
func (r *ReaderAt) workers(jobs int) (int, error) {
	n, err := workers(jobs, int64(len(r.blocks)))
	return int(max(1, min(int64(n), r.limits.Memory/r.memory()-1))), err
}

// decode reads block i and decompresses it into buf(); see blockDecoder. All that the file says about the block is
// verified, its header among it. scratch gets the block as it stands in the file; the caller keeps it from one call to
// the next.
func (r *ReaderAt) decode(ctx context.Context, i int, scratch *[]byte, buf func() []byte) (zero bool, err error) {
	b := r.blocks[i] // a copy: others may be reading the same block
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	p := grow(scratch, container.Align(b.unpadded))
	if err := b.read(r.src, i, p); err != nil {
		return false, err
	}
	if err := b.readHeader(p, r.limits); err != nil {
		return false, b.fail(ctx, i, err)
	}
	zero, err = r.decoder.decode(ctx, &b, p[b.headerSize():], buf)
	return zero, b.fail(ctx, i, err)
}
