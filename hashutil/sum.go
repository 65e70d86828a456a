package hashutil

import (
	"context"
	"errors"
	"io"
	"sync"
)

const (
	readSize = 1 << 20

	// maxEmptyReads is how often a reader may return nothing and no error
	// before it is given up as broken, as in package bufio.
	maxEmptyReads = 100
)

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}

// Sum reads r to its end and returns the digests of what it read, and its
// size. A cancelled context ends it between two reads with [context.Cause].
// After an error the digests are nil and the size is what was read until then.
func Sum(ctx context.Context, r io.Reader, algs ...Algorithm) (Digests, int64, error) {
	h := NewHasher(algs...)
	h.Bind(ctx)
	if err := feed(h, r); err != nil {
		return nil, h.Size(), err
	}
	return h.Sums(), h.Size(), nil
}

// feed writes what r holds into h, which is bound to the context.
func feed(h *Hasher, r io.Reader) error {
	buf := readBuffers.Get().(*[readSize]byte)
	defer readBuffers.Put(buf)
	empty := 0
	for {
		if err := h.cancelled(); err != nil {
			return err
		}
		n, err := r.Read(buf[:])
		if n > 0 {
			empty = 0
			if _, werr := h.Write(buf[:n]); werr != nil {
				return werr
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n == 0:
			if empty++; empty == maxEmptyReads {
				return io.ErrNoProgress
			}
		}
	}
}
