package main

import (
	"runtime"
	"runtime/debug"
)

// The soft memory limit: what the process needs at rest and what one worker
// holds (an encoder at the highest level, its block and the packed block).
const (
	memoryBase      = 80 << 20
	memoryPerWorker = 60 << 20
)

// limitMemory makes the garbage collector run before finished encoders pile up,
// unless GOMEMLIMIT says otherwise. The limit is soft: a command that needs
// more gets more.
func limitMemory(lookup func(string) (string, bool)) {
	if _, ok := lookup("GOMEMLIMIT"); ok {
		return
	}
	debug.SetMemoryLimit(memoryBase + memoryPerWorker*int64(runtime.GOMAXPROCS(0)))
}
