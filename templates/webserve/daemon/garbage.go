package daemon

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// LimitGarbage has the garbage collector run before this process takes more than least bytes (see
// [debug.SetMemoryLimit]), or, where it needs more than that, before garbage takes a quarter of what is in use. A limit
// that does not move is either so high that the garbage of thousands of connections doubles what they take, or one that
// they exceed, and then the collector runs all the time. It is for the whole process, so it is for a program to call, not
// for a library; a program whose operator has set GOMEMLIMIT leaves it alone. restore puts back the limit that there was.
func LimitGarbage(least int64) (restore func()) {
	l := &garbageLimit{least: least, limit: least}
	before := debug.SetMemoryLimit(least)
	l.afterNext()
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if !l.over {
			l.over = true
			debug.SetMemoryLimit(before)
		}
	}
}

type garbageLimit struct {
	least int64

	mu    sync.Mutex
	limit int64 // that is set
	over  bool
}

// afterNext has adjust called when the collector has run once more: that is when it finds an object which nobody holds.
func (l *garbageLimit) afterNext() {
	type mark struct{ _ *garbageLimit } // a pointer, so that it is not put together with others
	runtime.AddCleanup(&mark{}, (*garbageLimit).adjust, l)
}

// adjust sets the limit for what is in use now.
func (l *garbageLimit) adjust() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.over {
		return
	}
	limit := limitFor(l.least, readMemory())
	// To set it stops the world, so small changes are not followed.
	if d := limit - l.limit; d > l.limit/32 || d < -l.limit/32 {
		debug.SetMemoryLimit(limit)
		l.limit = limit
	}
	l.afterNext()
}

// memory is what the runtime says of itself, in bytes.
type memory struct {
	live   uint64 // objects that the last run of the collector found to be in use
	beside uint64 // neither objects nor free: stacks, what the runtime itself needs, holes
}

func readMemory() memory {
	s := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/heap/free:bytes"}, {Name: "/memory/classes/heap/released:bytes"},
	}
	metrics.Read(s)
	v := func(i int) uint64 { return s[i].Value.Uint64() }
	return memory{live: v(0), beside: v(1) - min(v(1), v(2)+v(3)+v(4))}
}

// limitFor is least, or what lets a quarter of what is live be garbage.
func limitFor(least int64, m memory) int64 {
	return max(least, int64(min(m.live+m.live/4+m.beside, math.MaxInt64)))
}
