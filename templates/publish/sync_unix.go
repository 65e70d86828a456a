//go:build !windows

package publish

import (
	"os"
	"syscall"
)

func syncDir(f *os.File) error { return f.Sync() }

// nonblock keeps an open from waiting for ever when a fifo has taken the place of a file.
const nonblock = syscall.O_NONBLOCK
