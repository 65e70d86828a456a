package decode

import (
	"context"
	"fmt"
	"math"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"
)

// Decoder decodes chunks. It is some 160 KB large, holds no pointers into its caller's memory between calls, and is
// used for one block after the other. The zero value is ready. It is not safe for concurrent use.
type Decoder struct {
	m     model.Model
	state uint32
	reps  [4]uint32

	lc             uint
	lpMask, pbMask uint32

	needDict, needProps bool

	in input
}

// fresh is a model that was reset: copying it takes a tenth of the time.
var fresh = func() (m model.Model) {
	m.Reset()
	return m
}()

// Reset makes d ready for another block.
func (d *Decoder) Reset() { d.needDict, d.needProps = true, true }

// Block decodes packed, the whole LZMA2 data of a block, into block, which must have the content's exact length. dict
// is the dictionary size that the block header claims. Between chunks it looks whether ctx is done and returns its
// cause if so.
func (d *Decoder) Block(ctx context.Context, block, packed []byte, dict int64) error {
	d.Reset()
	w := window{buf: block, dict: int(min(max(dict, minDict), int64(max(len(block), 1))))}
	at := 0
	fail := func(err error) error { return &Error{Content: int64(w.pos), Packed: int64(at), Err: err} }
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		h, err := ParseHeader(packed[at:])
		if err != nil {
			return fail(err)
		}
		if h.Ctl == model.CtlEnd {
			at++
			break
		}
		if h.Packed > len(packed)-at-h.Len {
			return fail(ErrCutOff)
		}
		if h.Size > len(block)-w.pos {
			return fail(errTooLong)
		}
		n, err := d.chunk(&w, h, packed[at+h.Len:at+h.Len+h.Packed])
		if err != nil {
			at += n
			return fail(err)
		}
		at += h.Len + h.Packed
	}
	if at < len(packed) {
		return fmt.Errorf("compressed data ends %d bytes early", len(packed)-at)
	}
	if w.pos < len(block) {
		return fmt.Errorf("content is %d bytes: expected %d", w.pos, len(block))
	}
	return nil
}

// The least and the greatest dictionary there are.
const (
	minDict = 4 << 10
	maxDict = min(1<<32-1, math.MaxInt/2)
)

// chunk decodes one chunk, for whose content there is room in w. On an error it tells how far into the chunk that is.
func (d *Decoder) chunk(w *window, h Header, data []byte) (int, error) {
	if h.ResetsDict() {
		d.needDict, d.needProps = false, true
		w.reset()
	}
	if d.needDict {
		return 0, fmt.Errorf("%w (control byte %02x)", errNoReset, h.Ctl)
	}
	if !h.IsLZMA() {
		w.pos += copy(w.buf[w.pos:], data)
		return 0, nil
	}
	if h.Ctl >= model.CtlProps {
		if err := d.setProps(h.Props); err != nil {
			return 0, err
		}
		d.needProps = false
	}
	if d.needProps {
		return 0, fmt.Errorf("%w (control byte %02x)", errNoProps, h.Ctl)
	}
	if h.Ctl >= model.CtlState {
		d.m = fresh
		d.state, d.reps = 0, [4]uint32{}
	}
	n, err := d.lzma(w, w.pos+h.Size, data)
	return h.Len + n, err
}

func (d *Decoder) setProps(b byte) error {
	lc, lp, pb := b%9, b/9%5, b/45
	if lc+lp > model.MaxLCLP || pb > model.MaxPB {
		return fmt.Errorf("properties byte %02x is not allowed in LZMA2: lc=%d, lp=%d, pb=%d", b, lc, lp, pb)
	}
	d.lc, d.lpMask, d.pbMask = uint(lc), 1<<lp-1, 1<<pb-1
	return nil
}
