package decode

import (
	"errors"
	"fmt"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// MaxHeader is the greatest length of a chunk's header.
const MaxHeader = 6

// Header is the header of a chunk.
type Header struct {
	Ctl    byte
	Props  byte // only for a control byte from model.CtlProps on
	Len    int  // length of the header itself
	Packed int  // length of the data behind the header
	Size   int  // length of the content
}

// ErrCutOff is the error for data that ends too early.
var ErrCutOff = errors.New("compressed data is cut off")

// HeaderLen is the length of the header that begins with the given control byte.
func HeaderLen(ctl byte) (int, error) {
	switch {
	case ctl == model.CtlEnd:
		return 1, nil
	case ctl == model.CtlRaw0 || ctl == model.CtlRaw:
		return 3, nil
	case ctl < model.CtlLZMA:
		return 0, fmt.Errorf("chunk control byte %02x is not defined", ctl)
	case ctl < model.CtlProps:
		return 5, nil
	}
	return 6, nil
}

// ParseHeader reads the header of the chunk that p begins with.
func ParseHeader(p []byte) (Header, error) {
	if len(p) == 0 {
		return Header{}, ErrCutOff
	}
	n, err := HeaderLen(p[0])
	if err != nil {
		return Header{}, err
	}
	if len(p) < n {
		return Header{}, ErrCutOff
	}
	h := Header{Ctl: p[0], Len: n}
	if h.Ctl == model.CtlEnd {
		return h, nil
	}
	h.Size = int(p[1])<<8 + int(p[2]) + 1
	h.Packed = h.Size
	if h.IsLZMA() {
		h.Size += int(h.Ctl&0x1f) << 16
		h.Packed = int(p[3])<<8 + int(p[4]) + 1
	}
	if h.Ctl >= model.CtlProps {
		h.Props = p[5]
	}
	return h, nil
}

// IsLZMA tells an LZMA chunk from a raw one.
func (h Header) IsLZMA() bool { return h.Ctl >= model.CtlLZMA }

// ResetsDict tells whether the chunk cannot refer to anything before it.
func (h Header) ResetsDict() bool { return h.Ctl == model.CtlRaw0 || h.Ctl >= model.CtlDict }
