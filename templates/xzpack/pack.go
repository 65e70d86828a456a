package xzpack

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// Bounds of PackOptions.BlockSize.
const (
	DefaultBlockSize = 16 << 20  // what lago's servers have always used
	MinBlockSize     = 4 << 10   // LZMA2 has no smaller dictionary
	MaxBlockSize     = 512 << 20 // nbdkit's xz filter refuses larger blocks
)

// PackOptions say how to pack. The zero value packs as small as possible on all cores.
type PackOptions struct {
	Level     Level     // 0 = Best
	BlockSize int64     // content bytes in a block; 0 = DefaultBlockSize; from MinBlockSize to MaxBlockSize
	Jobs      int       // blocks compressed at once, or threads on one block where there are fewer; 0 = GOMAXPROCS. The result does not depend on it
	NoProof   bool      // leave out decoding each block with a second, independent decoder before it is written
	Content   io.Writer // gets the content, once and in order, beside the packing; nil = nobody. Zeros go to its WriteZeros(int64) error where it has one
	Progress  func(Progress)
}

// Packed says what was packed.
type Packed struct {
	Size       int64 // bytes of content
	PackedSize int64 // bytes written
	Blocks     int   // blocks written
	ZeroBlocks int   // those of them that hold nothing but zeros
}

// Pack writes the first size bytes of src to dst as one .xz file.
//
// Where src is an *os.File its holes are not read, and it must be size bytes long before and after: if it shrinks or
// grows meanwhile, the error wraps [ErrChanged]. Any other src must have at least size bytes.
//
// Each block is decoded with a second, independent decoder and compared before it is written, unless opt.NoProof is
// set; that takes a tenth of the time.
//
// Pack holds a block of content and its compressed form for each of its workers and one more (at the level Fast for each
// worker only), beside what the codec needs: in all up to 350 MiB a worker at Best and Balanced, and 120 (a single one
// 170) at Fast, for blocks of 16 MiB or more; less for smaller ones. When ctx is done it returns the context's cause;
// what it has written by then is not an .xz file. An error of dst, of src or of opt.Content is returned as it is, or
// wrapped.
func Pack(ctx context.Context, dst io.Writer, src io.ReaderAt, size int64, opt PackOptions) (Packed, error) {
	if size < 0 {
		return Packed{}, fmt.Errorf("size: expected 0 or more, found %d", size)
	}
	p, err := newPacker(dst, size, opt)
	if err != nil {
		return Packed{}, err
	}
	in := &fileSource{r: src, size: size}
	if f, ok := src.(*os.File); ok {
		in.file = f
	}
	return p.pack(ctx, in)
}

// PackReader writes what it reads from src up to its end to dst as one .xz file. It is Pack for content of a length that
// nobody knows; the bytes written are the same. A Read that is under way when ctx is done is waited for.
func PackReader(ctx context.Context, dst io.Writer, src io.Reader, opt PackOptions) (Packed, error) {
	p, err := newPacker(dst, -1, opt)
	if err != nil {
		return Packed{}, err
	}
	return p.pack(ctx, &streamSource{r: src})
}

// packer is one call of Pack.
type packer struct {
	opt     PackOptions
	jobs    int
	buffer  int // bytes of content that a block can have
	dst     io.Writer
	meter   meter
	out     Packed
	records []container.Record

	encoders encoders
	prover   prover
}

func newPacker(dst io.Writer, size int64, opt PackOptions) (*packer, error) {
	if opt.BlockSize == 0 {
		opt.BlockSize = DefaultBlockSize
	}
	if opt.BlockSize < MinBlockSize || opt.BlockSize > MaxBlockSize {
		return nil, fmt.Errorf("block size: expected %d to %d bytes, found %d", MinBlockSize, MaxBlockSize, opt.BlockSize)
	}
	if !opt.Level.valid() {
		return nil, fmt.Errorf("level: expected best, balanced or fast, found %d", int(opt.Level))
	}
	blocks, buffer := int64(1<<30), opt.BlockSize
	if size >= 0 {
		blocks = (size + opt.BlockSize - 1) / opt.BlockSize
		buffer = min(opt.BlockSize, size)
	}
	cores, err := workers(opt.Jobs, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	jobs := int(max(1, min(int64(cores), blocks)))
	return &packer{
		opt: opt, jobs: jobs, buffer: int(buffer), dst: dst,
		meter:    meter{Progress: Progress{Total: size}, report: opt.Progress},
		encoders: encoders{effort: opt.Level.effort(), threads: cores / jobs},
		prover:   prover{prove: lzma2.Prove, turns: make(chan struct{}, (jobs+3)/4)},
	}, nil
}

// check is the integrity check of what we pack.
const check = container.CheckCRC64

func (p *packer) pack(ctx context.Context, src source) (Packed, error) {
	if err := p.begin(); err != nil {
		return Packed{}, err
	}
	defer src.close()
	line := pipeline[packItem]{
		jobs:  p.jobs,
		slots: p.slots(),
		next: func(ctx context.Context, b *packItem) (bool, error) {
			b.size = p.buffer
			return src.fill(ctx, b)
		},
		work: p.compress,
		emit: p.emit,
	}
	if p.opt.Content != nil {
		line.side = p.feed
	}
	if err := line.run(ctx); err != nil {
		return Packed{}, err
	}
	if err := p.finish(); err != nil {
		return Packed{}, err
	}
	return p.out, nil
}

// slots is the number of blocks in memory. Reading one takes a hundredth of the time that compressing takes, so where
// memory is dear it is not done ahead.
func (p *packer) slots() int {
	if p.opt.Level == Fast && p.jobs > 1 {
		return p.jobs
	}
	return p.jobs + 1
}

// begin writes what stands before the blocks, and finish what stands behind them.
func (p *packer) begin() error { return p.write(container.AppendStreamHeader(nil, check)) }

func (p *packer) finish() error {
	p.encoders.release()
	index := container.AppendIndex(nil, p.records)
	return p.write(container.AppendStreamFooter(index, check, int64(len(index))))
}

func (p *packer) write(b []byte) error {
	p.out.PackedSize += int64(len(b))
	if err := writeAll(p.dst, b); err != nil {
		return fmt.Errorf("write packed data: %w", err)
	}
	return nil
}

// feed hands a block's content to opt.Content.
func (p *packer) feed(_ context.Context, b *packItem) error {
	if b.zero {
		return writeZeros(p.opt.Content, int64(b.n))
	}
	return writeAll(p.opt.Content, b.content())
}

// emit writes a finished block.
func (p *packer) emit(_ context.Context, b *packItem) error {
	if err := p.write(b.packed.bytes); err != nil {
		return err
	}
	p.records = append(p.records, b.packed.record)
	p.out.Size += int64(b.n)
	p.out.Blocks++
	if b.zero {
		p.out.ZeroBlocks++
	}
	p.meter.add(int64(b.n))
	return nil
}
