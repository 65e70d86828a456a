package daemon

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
)

type connKey struct{}

// withConn makes the connection known to the log and, without TLS, to webserve.
func withConn(ctx context.Context, nc net.Conn) context.Context {
	t, secure := nc.(*tls.Conn)
	if secure {
		nc = t.NetConn()
	}
	c, ok := nc.(*conn)
	if !ok {
		return ctx
	}
	if !secure {
		ctx = webserve.ConnContext(ctx, c)
	}
	return context.WithValue(ctx, connKey{}, c)
}

// followConn tells a connection that net/http wants the next request.
func followConn(nc net.Conn, state http.ConnState) {
	if c, ok := nc.(*conn); ok && state == http.StateIdle {
		c.idle()
	}
}

// connOf is the connection of a request, nil where it is not one of ours.
func connOf(r *http.Request) *conn {
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// serve hands a request on. The response writer stays net/http's own, which sends files by itself.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	s.opt.Metrics.inFlight.Add(1)
	defer s.opt.Metrics.inFlight.Add(-1)
	if r.Body != nil && r.Body != http.NoBody {
		// net/http reads what is left of a body, without a limit of time.
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.opt.HeaderTimeout))
	}
	if r.ProtoMajor == 2 {
		w = &streamWriter{ResponseWriter: w, idle: s.opt.IdleTimeout, cut: func() { s.opt.Metrics.cutOff(cutIdle) }}
	}
	s.handler.ServeHTTP(w, r)
}

// A streamWriter gives a stream of HTTP/2 the idle time for each step: a client can stop one stream while its
// connection goes on, which the connection does not see.
type streamWriter struct {
	http.ResponseWriter
	idle time.Duration
	cut  func()
}

// streamStep is what must be taken in an idle time.
const streamStep = 32 << 10

func (w *streamWriter) Write(p []byte) (total int, err error) {
	for {
		step := p[total:min(len(p), total+streamStep)]
		err := http.NewResponseController(w.ResponseWriter).SetWriteDeadline(time.Now().Add(w.idle))
		if err != nil {
			return total, err
		}
		n, err := w.ResponseWriter.Write(step)
		total += n
		if errors.Is(err, os.ErrDeadlineExceeded) {
			w.cut()
		}
		if err != nil || total == len(p) {
			return total, err
		}
	}
}

// Unwrap lets http.ResponseController get at the stream.
func (w *streamWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// quiet takes what a terminal would obey out of complaints, which can quote a client.
type quiet struct{ w io.Writer }

func (q quiet) Write(p []byte) (int, error) {
	out := make([]byte, 0, len(p))
	for _, b := range p {
		if b != '\n' && b != '\t' && (b < ' ' || b >= 0x7f) {
			b = '?'
		}
		out = append(out, b)
	}
	if _, err := q.w.Write(out); err != nil {
		return 0, err
	}
	return len(p), nil
}
