package lzma2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
)

// ErrProof is wrapped by the error about a block that does not come back as it was.
var ErrProof = errors.New("proof of the compressed data")

// Prove decodes packed with the reference decoder and compares what comes out with block.
func Prove(ctx context.Context, block, packed []byte, dict int64) error {
	defer garbage.add(dict)
	err := reference{}.walk(ctx, packed, len(block), dict, func(p []byte, at int) error {
		if !bytes.Equal(p, block[at:at+len(p)]) {
			return fmt.Errorf("content differs within %d bytes from byte %d on", len(p), at)
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return err
}

// maxGarbage is how many bytes of finished reference decoders may lie about.
const maxGarbage = MaxDict

// garbage counts what the reference decoder leaves behind. It cannot be reset and allocates its dictionary anew for each
// block; without help the collector would let the process grow to twice what lives before it takes that away, and an
// encoder is large. A collection here costs next to nothing: what packing holds has hardly a pointer in it.
var garbage garbageCounter

type garbageCounter struct{ n atomic.Int64 }

// add counts the dictionary of a decoder, and collects when it is time.
func (g *garbageCounter) add(dict int64) {
	if g.n.Add(dict) >= maxGarbage {
		g.n.Store(0)
		runtime.GC()
	}
}
