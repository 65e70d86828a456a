package lzma2

import (
	"context"
	"sync"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
)

// NewDecoder returns a decoder. It is nothing but a handle: what decoding needs, some 160 KB, comes from a pool, so
// nothing is allocated for a block.
func NewDecoder() Decoder { return decoder{} }

type decoder struct{}

var decoders = sync.Pool{New: func() any { return new(decode.Decoder) }}

func (decoder) Decode(ctx context.Context, block, packed []byte, dict int64) error {
	if err := Survey(packed, len(block)); err != nil {
		return err
	}
	d := decoders.Get().(*decode.Decoder)
	defer decoders.Put(d)
	return d.Block(ctx, block, packed, dict)
}

// StreamDecoder decodes the LZMA2 data of a block whose content's length is not known. See decode.Stream.
type StreamDecoder = decode.Stream

// NewStreamDecoder returns a StreamDecoder that reads from src. dict is the dictionary size that the block header
// claims, in bytes.
func NewStreamDecoder(src decode.Source, dict int64) *StreamDecoder {
	return decode.NewStream(src, dict)
}
