package hashutil

import (
	"context"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"sync"
)

const (
	// fanOut is the write from which the algorithms are worth a goroutine
	// each: 64 KiB take the fastest of them some 30 µs.
	fanOut = 64 << 10

	// zeroStep is how many zero bytes are hashed between two looks at the
	// context: some milliseconds.
	zeroStep = 8 << 20
)

// zeroPage is what holes are hashed from: small enough to stay in the
// processor's cache, shared by every Hasher.
var zeroPage [64 << 10]byte

// Hasher computes several digests of one stream. Large writes are hashed by
// all algorithms side by side. A Hasher is for one goroutine at a time.
type Hasher struct {
	algs     []Algorithm
	hashes   []hash.Hash
	size     int64
	expected int64
	ctx      context.Context // nil: not bound
	progress func(done int64)
}

// NewHasher returns a Hasher for the given algorithms; an algorithm that is
// given twice counts once. Without algorithms it only counts bytes. It panics
// at an unknown algorithm, as [Algorithm.New] does.
func NewHasher(algs ...Algorithm) *Hasher {
	h := &Hasher{expected: -1}
	for _, a := range algs {
		if !slices.Contains(h.algs, a) {
			h.algs = append(h.algs, a)
			h.hashes = append(h.hashes, a.New())
		}
	}
	return h
}

// Bind makes later writes fail with [context.Cause] of ctx once ctx is done,
// so that hashing a large hole can be cancelled.
func (h *Hasher) Bind(ctx context.Context) { h.ctx = ctx }

// Expect announces how many bytes the whole stream will have, for progress
// reports, and for [Verify] to notice that a [ContentFunc] ended early.
func (h *Hasher) Expect(n int64) { h.expected = n }

// Algorithms lists the algorithms in the order in which they were given.
func (h *Hasher) Algorithms() []Algorithm { return slices.Clone(h.algs) }

// Size is the number of bytes written, zeros included.
func (h *Hasher) Size() int64 { return h.size }

// Write adds p to the stream. It keeps no reference to p and fails only when
// the Hasher is bound to a context that is done.
func (h *Hasher) Write(p []byte) (int, error) {
	if err := h.cancelled(); err != nil {
		return 0, err
	}
	h.feed(p, 0)
	h.advance(int64(len(p)))
	return len(p), nil
}

// WriteZeros adds n zero bytes to the stream, as Write would, without a buffer
// of them. It fails if n is negative or, as Write, when cancelled.
func (h *Hasher) WriteZeros(n int64) error {
	if n < 0 {
		return fmt.Errorf("%d zero bytes: the count is negative", n)
	}
	for n > 0 {
		if err := h.cancelled(); err != nil {
			return err
		}
		step := n
		if len(h.hashes) > 0 {
			step = min(n, zeroStep)
		}
		h.feed(nil, step)
		h.advance(step)
		n -= step
	}
	return nil
}

// Sums returns the digests of what was written so far; writing may go on.
func (h *Hasher) Sums() Digests {
	sums := make(Digests, len(h.algs))
	for i, a := range h.algs {
		sums[a] = hex.EncodeToString(h.hashes[i].Sum(nil))
	}
	return sums
}

// feed gives every hash p, then n zero bytes; side by side if that is worth it.
func (h *Hasher) feed(p []byte, n int64) {
	if len(h.hashes) > 1 && int64(len(p))+n >= fanOut {
		h.feedBeside(p, n)
		return
	}
	for _, d := range h.hashes {
		feedHash(d, p, n)
	}
}

func (h *Hasher) feedBeside(p []byte, n int64) {
	var others sync.WaitGroup
	for _, d := range h.hashes[1:] {
		others.Go(func() { feedHash(d, p, n) })
	}
	feedHash(h.hashes[0], p, n)
	others.Wait()
}

func feedHash(d hash.Hash, p []byte, n int64) {
	d.Write(p)
	for n > 0 {
		m := min(n, int64(len(zeroPage)))
		d.Write(zeroPage[:m])
		n -= m
	}
}

func (h *Hasher) cancelled() error {
	if h.ctx != nil && h.ctx.Err() != nil {
		return context.Cause(h.ctx)
	}
	return nil
}

func (h *Hasher) advance(n int64) {
	h.size += n
	if h.progress != nil {
		h.progress(h.size)
	}
}
