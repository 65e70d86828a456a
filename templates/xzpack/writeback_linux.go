package xzpack

import (
	"os"

	"golang.org/x/sys/unix"
)

// writeBack has the kernel begin to write a part of f to the disk, and does not wait for it.
func writeBack(f *os.File, off, n int64) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			// Advice only: what fails here, the caller's Sync will tell.
			_ = unix.SyncFileRange(int(fd), off, n, unix.SYNC_FILE_RANGE_WRITE)
		})
	}
}
