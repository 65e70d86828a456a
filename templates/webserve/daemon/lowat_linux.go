package daemon

import (
	"net"

	"golang.org/x/sys/unix"
)

// maxUnsent bounds what the kernel takes of a response that it cannot send yet: tcp(7), TCP_NOTSENT_LOWAT. Without it
// a client that takes nothing holds up to the largest send buffer, and some thousands of them all the memory that the
// host has for TCP. What is on its way is not bounded by it, so long fast lines stay fast.
const maxUnsent = 128 << 10

// limitUnsent sets it; connections do not have it from their listener. An old kernel does without.
func limitUnsent(tcp *net.TCPConn) {
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_NOTSENT_LOWAT, maxUnsent)
	})
}
