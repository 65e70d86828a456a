package webserve

import (
	"context"
	"net"
	"syscall"
)

// A Holder is a connection that keeps what is written to it, up to some size,
// until it is released, and then sends it by one call.
type Holder interface {
	net.Conn
	Hold()
	Release() error // of sending
}

// ConnContext is for [http.Server.ConnContext] and makes small files cheaper: it
// lets the handler hold a response's header back until the file's first bytes go
// out behind it, in one packet. A [Holder] does that best; of others the kernel
// is asked to. It is not needed, and does nothing for a connection that is neither
// a Holder nor gives its descriptor out as [syscall.Conn] has it, such as one with
// TLS, or where the system knows no such thing.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if h, ok := c.(Holder); ok {
		return context.WithValue(ctx, corkKey{}, &cork{holder: h})
	}
	sc, ok := c.(syscall.Conn)
	if !ok {
		return ctx
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return ctx
	}
	return context.WithValue(ctx, corkKey{}, &cork{socket: newSocketCork(raw)})
}

// corkKey is where the cork of a connection is in a context.
type corkKey struct{}

// corkOf finds the cork of the connection that a request came by; nil does
// nothing.
func corkOf(ctx context.Context) *cork {
	c, _ := ctx.Value(corkKey{}).(*cork)
	return c
}

// cork holds back what does not fill a packet. A connection answers one request
// at a time, so it has one user.
type cork struct {
	holder Holder
	socket *socketCork
}

// holds says whether it holds back in this process, where a call of the kernel
// is saved, and not in the kernel.
func (c *cork) holds() bool { return c != nil && c.holder != nil }

// repeater is the holder, if it can give answers again; else nil.
func (c *cork) repeater() Repeater {
	if c == nil {
		return nil
	}
	r, _ := c.holder.(Repeater)
	return r
}

// push puts the cork in.
func (c *cork) push() {
	switch {
	case c == nil:
	case c.holder != nil:
		c.holder.Hold()
	default:
		c.socket.push()
	}
}

// pull takes it out: what was held back goes.
func (c *cork) pull() error {
	switch {
	case c == nil:
	case c.holder != nil:
		return c.holder.Release()
	default:
		c.socket.pull()
	}
	return nil
}
