//go:build unix

package daemon

import (
	"math"

	"golang.org/x/sys/unix"
)

// maxFiles is the limit of open descriptors, which the Go runtime has raised as far as it may.
func maxFiles() (int, bool) {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	if l.Cur > math.MaxInt32 { // as good as none
		return math.MaxInt32, true
	}
	return int(l.Cur), true
}
