package webserve

import (
	"context"
	"net"
	"syscall"
)

// ConnContext is for [http.Server.ConnContext] and makes small files cheaper: it
// lets the handler hold a response's header back until the file's first bytes go
// out behind it, in one packet. It is not needed, and does nothing for a
// connection that does not give its descriptor out as [syscall.Conn] has it, such
// as one with TLS, or where the system knows no such thing.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return ctx
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return ctx
	}
	return context.WithValue(ctx, corkKey{}, newCork(raw))
}

// corkKey is where the cork of a connection is in a context.
type corkKey struct{}

// corkOf finds the cork of the connection that a request came by; nil does
// nothing.
func corkOf(ctx context.Context) *cork {
	c, _ := ctx.Value(corkKey{}).(*cork)
	return c
}
