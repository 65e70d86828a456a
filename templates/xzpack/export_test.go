package xzpack

import (
	"runtime"
	"testing"
	"time"
)

// NoMoreGoroutines fails the test if there are more goroutines than before. One that has done its work may still be on
// its way out when those who waited for it go on, so it waits a while.
func NoMoreGoroutines(t *testing.T, before int) {
	t.Helper()
	now := runtime.NumGoroutine()
	for end := time.Now().Add(10 * time.Second); now > before && time.Now().Before(end); now = runtime.NumGoroutine() {
		time.Sleep(time.Millisecond)
	}
	if now > before {
		t.Fatalf("%d goroutines, %d before", now, before)
	}
}
