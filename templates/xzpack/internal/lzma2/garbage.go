package lzma2

import (
	"runtime"
	"sync/atomic"
)

// maxGarbage is how many bytes of finished encoders may lie about.
const maxGarbage = 16 << 20

// garbage counts what the codec leaves behind. It cannot be reset and allocates anew for each block; without help the
// collector would let the process grow to twice what lives before it takes that away, which is more than packing may
// use. A collection here costs next to nothing: what packing holds has no pointers in it.
var garbage garbageCounter

type garbageCounter struct{ n atomic.Int64 }

// add counts an encoder with the given dictionary and collects when it is time.
func (g *garbageCounter) add(dict int) {
	if g.n.Add(int64(dict)*5) >= maxGarbage {
		g.n.Store(0)
		runtime.GC()
	}
}
