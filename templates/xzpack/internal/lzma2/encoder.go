package lzma2

import (
	"context"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/encode"
)

// Effort says how hard an encoder works.
type Effort int

// The efforts, as [encode] has them.
const (
	Most Effort = iota
	Middle
	Least
)

// MaxDict is the largest dictionary that blocks are compressed with, in bytes. A larger block is compressed in sections
// of this size that know nothing of each other.
const MaxDict = encode.MaxSection

// EncoderPad is how many bytes behind a block spare the encoder a copy of it.
const EncoderPad = encode.Pad

// NewEncoder returns an encoder. It holds some hundred megabytes from its first block on, so it should be kept for many.
func NewEncoder(e Effort) Encoder {
	params := encode.Best
	switch e {
	case Middle:
		params = encode.Balanced
	case Least:
		params = encode.Fast
	}
	return &encoder{encode.New(params)}
}

type encoder struct{ *encode.Encoder }

func (e *encoder) Encode(ctx context.Context, dst, block []byte, spare bool) ([]byte, error) {
	start := len(dst)
	out, err := e.Encoder.Encode(ctx, dst, block, spare)
	if err == nil && len(out)-start > Bound(len(block)) {
		return appendRaw(out[:start], block), nil
	}
	return out, err
}
