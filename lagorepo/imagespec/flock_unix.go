//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package imagespec

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// flock takes the lock of f without waiting and tells whether it did. The kernel
// drops it when the process dies; tools do not inherit it.
func flock(f *os.File) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var lockErr error
	err = conn.Control(func(fd uintptr) {
		for lockErr = unix.EINTR; errors.Is(lockErr, unix.EINTR); {
			lockErr = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
		}
	})
	if err != nil {
		return false, err
	}
	if errors.Is(lockErr, unix.EWOULDBLOCK) {
		return false, nil
	}
	return lockErr == nil, os.NewSyscallError("flock", lockErr)
}
