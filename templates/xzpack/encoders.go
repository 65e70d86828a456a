package xzpack

import (
	"sync"

	"github.com/tplkit/tplkit/templates/xzpack/internal/lzma2"
)

// encoders lends encoders of one effort to the workers of a packer. They are large, so a packer holds on to those it
// has; what is idle when it is done stays for the next one until the collector wants the memory.
type encoders struct {
	effort  lzma2.Effort
	threads int // for each of them: where there are fewer blocks than cores, several work on a block
	mu      sync.Mutex
	free    []lzma2.Encoder
}

// idleEncoders are those of packers that are done, by effort.
var idleEncoders [3]sync.Pool

func (e *encoders) get() lzma2.Encoder {
	e.mu.Lock()
	defer e.mu.Unlock()
	if last := len(e.free) - 1; last >= 0 {
		enc := e.free[last]
		e.free = e.free[:last]
		return enc
	}
	enc, ok := idleEncoders[e.effort].Get().(lzma2.Encoder)
	if !ok {
		enc = lzma2.NewEncoder(e.effort)
	}
	enc.SetThreads(e.threads)
	return enc
}

func (e *encoders) put(enc lzma2.Encoder) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.free = append(e.free, enc)
}

// release gives up those that are not in use.
func (e *encoders) release() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, enc := range e.free {
		idleEncoders[e.effort].Put(enc)
	}
	e.free = nil
}
