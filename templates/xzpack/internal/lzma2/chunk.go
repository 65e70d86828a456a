package lzma2

import (
	"errors"
	"fmt"
)

// Control bytes of chunks; a greater one than ctlRaw and less than ctlLZMA is not defined.
const (
	ctlEnd          = 0x00
	ctlRawDictReset = 0x01
	ctlRaw          = 0x02
	ctlLZMA         = 0x80
	ctlLZMAProps    = 0xc0 // from here on the header carries a properties byte
	ctlLZMAReset    = 0xe0 // from here on the dictionary is reset, too
)

// maxRawChunk is the greatest length of a raw chunk.
const maxRawChunk = 64 << 10

// Bound is the greatest length that n bytes of content have when compressed by this package: as raw chunks.
func Bound(n int) int { return n + 3*((n+maxRawChunk-1)/maxRawChunk) + 1 }

// appendRaw appends block as raw chunks.
func appendRaw(dst, block []byte) []byte {
	ctl := byte(ctlRawDictReset)
	for len(block) > 0 {
		n := min(len(block), maxRawChunk)
		dst = append(dst, ctl, byte((n-1)>>8), byte(n-1))
		dst = append(dst, block[:n]...)
		block, ctl = block[n:], ctlRaw
	}
	return append(dst, ctlEnd)
}

var errCutOff = errors.New("compressed data is cut off")

// chunk is the header of a chunk, read.
type chunk struct {
	ctl          byte
	header       int // length of the header
	packed, size int // length of the data behind the header, and of the content
}

func parseChunk(p []byte) (chunk, error) {
	if len(p) == 0 {
		return chunk{}, errCutOff
	}
	c := chunk{ctl: p[0]}
	switch {
	case c.ctl == ctlEnd:
		c.header = 1
		return c, nil
	case c.ctl == ctlRawDictReset || c.ctl == ctlRaw:
		c.header = 3
	case c.ctl < ctlLZMA:
		return c, fmt.Errorf("chunk control byte %02x is not defined", c.ctl)
	case c.ctl < ctlLZMAProps:
		c.header = 5
	default:
		c.header = 6
	}
	if len(p) < c.header {
		return c, errCutOff
	}
	c.size = int(p[1])<<8 + int(p[2]) + 1
	c.packed = c.size
	if c.ctl >= ctlLZMA {
		c.size += int(c.ctl&0x1f) << 16
		c.packed = int(p[3])<<8 + int(p[4]) + 1
	}
	if len(p) < c.header+c.packed {
		return c, errCutOff
	}
	return c, nil
}

// survey walks the chunks of a block without decoding them: they must begin with a reset, end where packed ends, and
// claim exactly size bytes of content, before a decoder is let loose on them.
func survey(packed []byte, size int) (allRaw bool, err error) {
	allRaw = true
	p, found := packed, 0
	for first := true; ; first = false {
		c, err := parseChunk(p)
		if err != nil {
			return false, fmt.Errorf("%w (at byte %d of %d)", err, len(packed)-len(p), len(packed))
		}
		p = p[c.header+c.packed:]
		if c.ctl == ctlEnd {
			break
		}
		if first && c.ctl != ctlRawDictReset && c.ctl < ctlLZMAReset {
			return false, fmt.Errorf("first chunk does not reset the dictionary (control byte %02x)", c.ctl)
		}
		if found += c.size; found > size {
			return false, fmt.Errorf("content is longer than the %d bytes expected", size)
		}
		allRaw = allRaw && c.ctl < ctlLZMA
	}
	if len(p) > 0 {
		return false, fmt.Errorf("compressed data ends %d bytes early", len(p))
	}
	if found < size {
		return false, fmt.Errorf("content is %d bytes: expected %d", found, size)
	}
	return allRaw, nil
}

// copyRaw decodes packed, which survey found to be raw throughout.
func copyRaw(block, packed []byte) {
	for packed[0] != ctlEnd {
		c, _ := parseChunk(packed) // survey has seen it
		copy(block, packed[c.header:c.header+c.packed])
		block, packed = block[c.packed:], packed[c.header+c.packed:]
	}
}
