package main

import (
	"runtime"
	"runtime/debug"
)

// The soft memory limit: what the process needs at rest, and what a worker that
// decodes holds, with room for the second decoder. A worker that packs holds
// more, in few arrays without pointers, for as long as it works: then garbage,
// such as what the second decoder leaves of each block, is collected at once,
// which costs next to nothing there.
const (
	memoryBase      = 80 << 20
	memoryPerWorker = 60 << 20
)

// limitMemory makes the garbage collector run before what is done with piles up,
// unless GOMEMLIMIT says otherwise. The limit is soft: a command that needs
// more gets more.
func limitMemory(lookup func(string) (string, bool)) {
	if _, ok := lookup("GOMEMLIMIT"); ok {
		return
	}
	debug.SetMemoryLimit(memoryBase + memoryPerWorker*int64(runtime.GOMAXPROCS(0)))
}
