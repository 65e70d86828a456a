package daemon_test

import (
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// TestLimitGarbage: the limit goes up with what is in use, so that there is room for garbage in any case, and down again.
func TestLimitGarbage(t *testing.T) {
	const least = 100 << 20
	before := debug.SetMemoryLimit(-1)
	restore := daemon.LimitGarbage(least)
	limit := func() int64 { return debug.SetMemoryLimit(-1) }
	require.EqualValues(t, least, limit())

	held := make([][]byte, 0, 200)
	for range cap(held) {
		held = append(held, make([]byte, 1<<20))
	}
	require.Eventually(t, func() bool {
		runtime.GC()
		return limit() > 250<<20
	}, 10*time.Second, time.Millisecond)
	require.Less(t, limit(), int64(350<<20))
	runtime.KeepAlive(held)

	held = nil
	require.Eventually(t, func() bool {
		runtime.GC()
		return limit() == least
	}, 10*time.Second, time.Millisecond)

	restore()
	require.Equal(t, before, limit())
	restore()
	for range 3 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	require.Equal(t, before, limit(), "it is over")
}

// ExampleLimitGarbage is what a program does that holds the connections of many clients.
func ExampleLimitGarbage() {
	restore := daemon.LimitGarbage(200 << 20)
	defer restore()
	// Output:
}
