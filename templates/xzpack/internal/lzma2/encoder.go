package lzma2

import (
	"context"
	"errors"
	"fmt"

	"github.com/ulikunitz/xz/lzma"
)

// Effort says how hard an encoder works.
type Effort int

// The efforts. The codec has one usable match finder (its binary tree is not balanced: it took minutes for the 16 MB on
// which the hash chains took two seconds), so they differ by the dictionary alone.
const (
	Most Effort = iota
	Middle
	Least
)

// Dict is the dictionary that blocks are compressed with, in bytes. The codec allocates five times as much and up to
// 8 MiB more for each block, which is why even the largest is far below the size of a block.
func (e Effort) Dict() int64 {
	switch e {
	case Middle:
		return 1 << 20
	case Least:
		return 256 << 10
	}
	return 4 << 20
}

// NewEncoder returns an encoder with a dictionary of dict bytes, at most the one of an effort.
func NewEncoder(dict int64) Encoder { return encoder{dict: int(dict)} }

type encoder struct{ dict int }

func (e encoder) Encode(ctx context.Context, dst, block []byte) (_ []byte, err error) {
	start := len(dst)
	// One byte less than the raw form, so what does not get smaller is stored.
	out := &limitedBuffer{p: dst, max: start + Bound(len(block)) - 1}
	err = e.compress(ctx, out, block)
	if errors.Is(err, errNoGain) {
		return appendRaw(dst[:start], block), nil
	}
	return out.p, err
}

// compress writes block as segments of data, each with a dictionary of its own, and long runs of zeros between them.
func (e encoder) compress(ctx context.Context, out *limitedBuffer, block []byte) error {
	for len(block) > 0 {
		data, zeros := cut(block)
		if err := e.segment(ctx, out, block[:data]); err != nil {
			return err
		}
		if err := writeZeros(out, zeros); err != nil {
			return err
		}
		block = block[data+zeros:]
	}
	_, err := out.Write([]byte{ctlEnd})
	return err
}

// segment compresses data into chunks, of which the first resets the dictionary. No end marker follows.
func (e encoder) segment(ctx context.Context, out *limitedBuffer, data []byte) (err error) {
	if len(data) == 0 {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("lzma2: the encoder panicked: %v", p)
		}
	}()
	// The codec's tables grow with the dictionary, and a short segment has no use for more than its length.
	dict := min(e.dict, max(lzma.MinDictCap, len(data)))
	w, err := lzma.Writer2Config{DictCap: dict, Matcher: lzma.HashTable4}.NewWriter2(out)
	if err != nil {
		return err
	}
	defer garbage.add(dict)
	for len(data) > 0 {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n := min(len(data), step)
		if _, err := w.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return out.err // Flush does not report every error
}

// errNoGain ends a compression that turns out longer than the raw form.
var errNoGain = errors.New("lzma2: no gain")

// limitedBuffer collects what the codec writes until it is more than max bytes.
type limitedBuffer struct {
	p   []byte
	max int
	err error
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if len(b.p)+len(p) > b.max {
		b.err = errNoGain
		return 0, b.err
	}
	b.p = append(b.p, p...)
	return len(p), nil
}
