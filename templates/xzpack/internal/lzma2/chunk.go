package lzma2

import (
	"fmt"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/decode"
	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

const ctlEnd = model.CtlEnd

// maxRawChunk is the greatest length of a raw chunk.
const maxRawChunk = model.MaxRaw

// Bound is the greatest length that n bytes of content have when compressed by this package: as raw chunks.
func Bound(n int) int { return n + 3*((n+maxRawChunk-1)/maxRawChunk) + 1 }

// appendRaw appends block as raw chunks.
func appendRaw(dst, block []byte) []byte {
	ctl := byte(model.CtlRaw0)
	for len(block) > 0 {
		n := min(len(block), maxRawChunk)
		dst = append(dst, ctl, byte((n-1)>>8), byte(n-1))
		dst = append(dst, block[:n]...)
		block, ctl = block[n:], model.CtlRaw
	}
	return append(dst, ctlEnd)
}

// Survey walks the chunks of a block without decoding them: they must begin with a reset, end where packed ends, and
// claim exactly size bytes of content, before a decoder is let loose on them. Every Decoder begins with it; who calls it
// before there is a block to decode into makes no room for what cannot be right.
func Survey(packed []byte, size int) error {
	p, found := packed, 0
	for first := true; ; first = false {
		h, err := decode.ParseHeader(p)
		if err == nil && len(p) < h.Len+h.Packed {
			err = decode.ErrCutOff
		}
		if err != nil {
			return fmt.Errorf("%w (at byte %d of %d)", err, len(packed)-len(p), len(packed))
		}
		p = p[h.Len+h.Packed:]
		if h.Ctl == ctlEnd {
			break
		}
		if first && !h.ResetsDict() {
			return fmt.Errorf("first chunk does not reset the dictionary (control byte %02x)", h.Ctl)
		}
		if found += h.Size; found > size {
			return fmt.Errorf("content is longer than the %d bytes expected", size)
		}
	}
	if len(p) > 0 {
		return fmt.Errorf("compressed data ends %d bytes early", len(p))
	}
	if found < size {
		return fmt.Errorf("content is %d bytes: expected %d", found, size)
	}
	return nil
}
