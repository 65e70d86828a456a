package xzpack

import (
	"context"
	"io"
	"os"
)

// UnpackOptions say how to unpack. The zero value uses all cores.
type UnpackOptions struct {
	Jobs     int       // blocks decoded at once; 0 = GOMAXPROCS; fewer where Limits.Memory is small
	Content  io.Writer // gets the content, too, once and in order; nil = nobody. Zeros go to its WriteZeros(int64) error where it has one
	Packed   io.Writer // gets the .xz file as it is read, once and in order; nil = nobody
	Progress func(Progress)

	// WriteBack lets Unpack hand each block that it decodes in memory to the disk at once, on Linux: the Sync of a
	// caller who wants one has little left to wait for.
	WriteBack bool
}

// Unpack makes the regular file dst hold the content: it is emptied, then written in parallel, with holes where at least
// 4 KiB of zeros lie on a multiple of 4 KiB, and ends at the exact size. Its file offset is neither used nor changed.
//
// Each block is verified by its check before a byte of it is written. A file with a block of more than Limits.Block, or
// of more than 64 MiB that would be decoded alone, is no error: it is read as a stream instead, as a [Reader] does, and
// such a block takes no more memory than its dictionary, but is verified at its end only. When ctx is done Unpack returns
// the context's cause. After an error dst holds some of the content, anywhere.
func (r *ReaderAt) Unpack(ctx context.Context, dst *os.File, opt UnpackOptions) error {
	if err := empty(dst); err != nil {
		return err
	}
	if err := dst.Truncate(r.size); err != nil {
		return err
	}
	return r.run(ctx, opt, &sparseFile{f: dst}, func(_ context.Context, b *unpackItem) error {
		if b.zero {
			return nil
		}
		start := r.blocks[b.index].content
		err := eachRun(b.content, func(off int, p []byte, zero bool) error {
			if zero {
				return nil
			}
			_, err := dst.WriteAt(p, start+int64(off))
			return err
		})
		if err == nil && opt.WriteBack {
			writeBack(dst, start, int64(len(b.content)))
		}
		return err
	}, nil)
}

// Copy writes the content to w, in order, decoding in parallel. Runs of zeros, as Unpack finds them, go to w's method
// WriteZeros(int64) error where it has one. Each block is verified as by Unpack. When ctx is done Copy returns the
// context's cause.
func (r *ReaderAt) Copy(ctx context.Context, w io.Writer, opt UnpackOptions) error {
	return r.run(ctx, opt, w, nil, func(_ context.Context, b *unpackItem) error {
		if b.zero {
			return writeZeros(w, r.blocks[b.index].size)
		}
		return writeRuns(w, b.content)
	})
}

// WriteTo writes the content to w, in order, decoding on all cores: it is Copy for callers that know io.WriterTo.
func (r *ReaderAt) WriteTo(w io.Writer) (int64, error) {
	c := &countingWriter{w: w}
	err := r.Copy(context.Background(), c, UnpackOptions{})
	return c.n, err
}

// countingWriter counts what w took.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (c *countingWriter) WriteZeros(n int64) error {
	err := writeZeros(c.w, n)
	if err == nil {
		c.n += n
	}
	return err
}

// unpackItem is a block on its way through unpacking. Its buffers stay with it when it is used again.
type unpackItem struct {
	index   int
	zero    bool // the content is zeros; content does not hold it
	content []byte
	packed  []byte // the block as it stands in the file
}

// run decodes all blocks and calls parallel for each as soon as it is decoded, and inOrder when all before it are done.
// Either may be nil. The content of a file that is read as a stream goes to w instead.
func (r *ReaderAt) run(ctx context.Context, opt UnpackOptions, w io.Writer, parallel, inOrder func(context.Context, *unpackItem) error) error {
	jobs, err := r.workers(opt.Jobs)
	if err != nil {
		return err
	}
	if r.streamed(jobs) {
		return r.stream(ctx, opt, jobs, w)
	}
	m := meter{Progress: Progress{Total: r.size}, report: opt.Progress}
	sides := bothSides{content: opt.Content, packed: opt.Packed, r: r}
	next := 0
	line := pipeline[unpackItem]{
		jobs: jobs,
		next: func(_ context.Context, b *unpackItem) (bool, error) {
			b.index = next
			next++
			return b.index < len(r.blocks), nil
		},
		work: func(ctx context.Context, b *unpackItem) (err error) {
			b.zero, err = r.decode(ctx, b.index, &b.packed, func() []byte {
				return grow(&b.content, r.blocks[b.index].size)
			})
			if err == nil && parallel != nil {
				err = parallel(ctx, b)
			}
			return err
		},
		emit: func(ctx context.Context, b *unpackItem) error {
			if inOrder != nil {
				if err := inOrder(ctx, b); err != nil {
					return err
				}
			}
			if err := sides.block(b); err != nil {
				return err
			}
			m.add(r.blocks[b.index].size)
			return nil
		},
	}
	if err := line.run(ctx); err != nil {
		return err
	}
	return guard(func() error { return sides.upTo(r.packed) })
}
