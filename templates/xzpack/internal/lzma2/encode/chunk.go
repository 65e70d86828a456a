package encode

import "github.com/tplkit/tplkit/templates/xzpack/internal/lzma2/model"

// chunkFull tells whether the current chunk has no room for another symbol.
func (e *Encoder) chunkFull() bool {
	return e.rc.size() > model.MaxPacked-chunkSlack || e.pos-e.chunkStart > model.MaxContent-model.MaxMatch
}

// endChunk writes what has been coded since the last chunk. It reports false if that is stored as it is: then the state
// has been reset.
func (e *Encoder) endChunk() bool {
	size := e.pos - e.chunkStart
	if size == 0 {
		return true
	}
	e.rc.flush()
	packed := uint32(e.rc.n)
	content := e.text[e.chunkStart:e.pos]
	e.chunkStart = e.pos
	if packed >= size {
		e.rawChunks(content)
		e.needReset(model.CtlState) // what the decoder has not seen has changed it
		e.running.goBack(e.pos)
		return false
	}
	ctl := byte(model.CtlLZMA)
	if e.dictReset {
		ctl = model.CtlDict
	} else if e.reset != 0 {
		ctl = e.reset
	}
	e.dst = append(e.dst, ctl|byte((size-1)>>16), byte((size-1)>>8), byte(size-1), byte((packed-1)>>8), byte(packed-1))
	if ctl >= model.CtlProps {
		e.dst = append(e.dst, propByte)
	}
	e.dst = append(e.dst, e.rc.out[:packed]...)
	e.dictReset, e.reset = false, 0
	e.rc.reset()
	return true
}

// rawChunks stores content as it is. The state passes over it unchanged.
func (e *Encoder) rawChunks(content []byte) {
	for len(content) > 0 {
		n := min(len(content), model.MaxRaw)
		ctl := byte(model.CtlRaw)
		if e.dictReset {
			ctl = model.CtlRaw0
			e.dictReset = false
		}
		e.dst = append(e.dst, ctl, byte((n-1)>>8), byte(n-1))
		e.dst = append(e.dst, content[:n]...)
		content = content[n:]
	}
}

// rawLeast is how much of a segment must be left to store it raw when a match has led into it.
const rawLeast = 8 << 10

// storeRaw stores the segments from pos on that the survey found incompressible. It reports false if there are none.
func (e *Encoder) storeRaw() bool {
	raw := e.terrain.raw
	s := e.pos >> segBits
	if !raw[s] || segSize-e.pos&segMask < rawLeast {
		return false
	}
	e.endChunk()
	for s++; int(s) < len(raw) && raw[s]; s++ {
	}
	end := s << segBits // the last segment is never raw: it is not a whole one
	e.rawChunks(e.text[e.pos:end])
	e.pos, e.chunkStart, e.short.next = end, end, end
	return true
}
