package daemon

import (
	"net"

	"golang.org/x/sys/unix"
)

// unacknowledged is what the kernel holds of what was sent, because the client's has not acknowledged it:
// tcp(7), SIOCOUTQ. Negative: not known.
func unacknowledged(tcp *net.TCPConn) int64 {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1
	}
	queued := int64(-1)
	if err := raw.Control(func(fd uintptr) {
		if n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			queued = int64(n)
		}
	}); err != nil {
		return -1
	}
	return queued
}
