package daemon

import (
	"runtime"
	"time"
)

var started = time.Now()

// writeProcess adds what Prometheus' own clients tell of a process, under the names that they use.
func writeProcess(t *promText) {
	t.one("gauge", "go_goroutines", "Goroutines that exist.", float64(runtime.NumGoroutine()))
	t.family("gauge", "go_info", "The Go version.")
	t.sample(1, "version", runtime.Version())
	if fds, ok := openFiles(); ok {
		t.one("gauge", "process_open_fds", "Open file descriptors.", float64(fds))
	}
	if most, ok := maxFiles(); ok {
		t.one("gauge", "process_max_fds", "The limit of open file descriptors.", float64(most))
	}
	if rss, ok := residentMemory(); ok {
		t.one("gauge", "process_resident_memory_bytes", "Resident memory.", float64(rss))
	}
	t.one("gauge", "process_start_time_seconds", "When the process began.", float64(started.UnixNano())/1e9)
}
