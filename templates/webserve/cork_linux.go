package webserve

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// socketCork has the kernel hold back.
type socketCork struct {
	raw     syscall.RawConn
	in, out func(fd uintptr)
}

func newSocketCork(raw syscall.RawConn) *socketCork {
	set := func(on int) func(uintptr) {
		return func(fd uintptr) {
			// Where it fails, as on a Unix socket, everything goes out as it comes.
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, on)
		}
	}
	return &socketCork{raw: raw, in: set(1), out: set(0)}
}

func (c *socketCork) push() { _ = c.raw.Control(c.in) }
func (c *socketCork) pull() { _ = c.raw.Control(c.out) }
