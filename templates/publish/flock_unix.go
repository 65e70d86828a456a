//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package publish

import (
	"os"

	"golang.org/x/sys/unix"
)

// TryLock takes the lock of f, that of flock(2), without waiting and tells whether it did. The lock belongs to the open
// file: another Open in the same process is refused like another process. The kernel drops it when f is closed or its
// process dies; programs that are started do not inherit it. Where there is no such lock that is errors.ErrUnsupported.
func TryLock(f *os.File) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var lockErr error
	err = conn.Control(func(fd uintptr) {
		for {
			lockErr = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB)
			if lockErr != unix.EINTR {
				return
			}
		}
	})
	if err != nil {
		return false, err
	}
	if lockErr == unix.EWOULDBLOCK {
		return false, nil
	}
	return lockErr == nil, os.NewSyscallError("flock", lockErr)
}
