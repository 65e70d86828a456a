package webserve

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// cork holds back what does not fill a packet. A connection answers one request
// at a time, so it has one user.
type cork struct {
	raw     syscall.RawConn
	in, out func(fd uintptr)
}

func newCork(raw syscall.RawConn) *cork {
	set := func(on int) func(uintptr) {
		return func(fd uintptr) {
			// Where it fails, as on a Unix socket, everything goes out as it comes.
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_CORK, on)
		}
	}
	return &cork{raw: raw, in: set(1), out: set(0)}
}

// push puts the cork in.
func (c *cork) push() {
	if c != nil {
		_ = c.raw.Control(c.in)
	}
}

// pull takes it out: what was held back goes.
func (c *cork) pull() {
	if c != nil {
		_ = c.raw.Control(c.out)
	}
}
