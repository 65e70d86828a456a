package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
)

// ErrKilled is what [Server.Run] returns after [Server.Kill].
var ErrKilled = errors.New("stopped at once: transfers were cut off")

// A Server has its sockets and serves on them. Make one with [Open].
type Server struct {
	opt     Options
	handler http.Handler
	gates   []*gate // the first len(plain) are without TLS
	secure  int     // index of the first gate with TLS
	admin   *net.TCPListener
	rules   *gateRules
	http    *http.Server
	adminS  *http.Server
	certs   *certificates // nil without TLS
	notify  *notifier

	reloading sync.Mutex // also of certs
	state     atomic.Int32
	killed    chan struct{}
	kill      sync.Once
}

// The states of a server.
const (
	stateOpen int32 = iota
	stateServing
	stateStopping
)

// Open takes the sockets and reads the certificate. Nothing is accepted before [Server.Run]. Close a server that
// is not run with [Server.Close].
func Open(ctx context.Context, h http.Handler, opt Options) (_ *Server, err error) {
	opt, err = opt.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, handler: h, killed: make(chan struct{})}
	if opt.CertFile != "" {
		s.certs = &certificates{certFile: opt.CertFile, keyFile: opt.KeyFile}
		if err := s.firstCertificate(); err != nil {
			return nil, err
		}
	}
	socks, err := openSockets(ctx, opt)
	if err != nil {
		return nil, err
	}
	if s.notify, err = newNotifier(opt.Getenv); err != nil {
		socks.close()
		return nil, err
	}
	s.rules = &gateRules{
		census:  &census{max: opt.MaxConns, each: opt.MaxConnsPerClient},
		pace:    opt.pace(),
		header:  opt.ProxyTimeout,
		metrics: opt.Metrics,
		proxies: opt.proxies,
	}
	if _, alone := h.(*webserve.Handler); alone {
		s.rules.repeats = newRepeats(opt.Metrics, opt.KeepAlive)
	}
	opt.Metrics.attach(s.rules.census, opt.AccessLog)
	for _, l := range socks.plain {
		s.gates = append(s.gates, newGate(l, s.rules))
	}
	s.secure = len(s.gates)
	for _, l := range socks.secure {
		s.gates = append(s.gates, newGate(l, s.rules))
	}
	s.admin = socks.admin
	s.http = s.newHTTP()
	s.adminS = s.newAdmin()
	return s, nil
}

// Run is [Open] and [Server.Run] in one.
func Run(ctx context.Context, h http.Handler, opt Options) error {
	s, err := Open(ctx, h, opt)
	if err != nil {
		return err
	}
	return s.Run(ctx)
}

// Addrs are the addresses that are served, as URLs: http://127.0.0.1:8080. The admin listener's is not among them.
func (s *Server) Addrs() []string {
	var out []string
	for i, g := range s.gates {
		scheme := "http://"
		if i >= s.secure {
			scheme = "https://"
		}
		out = append(out, scheme+g.Addr().String())
	}
	return out
}

// AdminAddr is the URL of the admin listener, "" where there is none.
func (s *Server) AdminAddr() string {
	if s.admin == nil {
		return ""
	}
	return "http://" + s.admin.Addr().String()
}

// newHTTP makes the server of all gates. It has no WriteTimeout, which would bound a whole transfer, and no
// ReadTimeout, whose end net/http takes for a client that has gone; what these are for is in conn and in serve.
func (s *Server) newHTTP() *http.Server {
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: s.opt.HeaderTimeout,
		IdleTimeout:       s.opt.KeepAlive,
		MaxHeaderBytes:    maxHeaderBytes,
		Protocols:         new(http.Protocols),
		ConnContext:       withConn,
		ConnState:         followConn,
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetHTTP2(s.opt.HTTP2)
	if s.certs != nil {
		srv.TLSConfig = s.certs.config()
	}
	setErrorLog(srv, s.opt.Errors)
	return srv
}

// setErrorLog has net/http complain to w instead of to the program's standard error. The logger is made from its
// type alone, so that no package that prints is imported.
func setErrorLog(srv *http.Server, w io.Writer) {
	srv.ErrorLog = newLike(srv.ErrorLog)
	srv.ErrorLog.SetOutput(quiet{w})
}

func newLike[T any](*T) *T { return new(T) }

// Run serves until ctx ends, and then stops accepting and waits for transfers to finish, as long as
// [Options.Grace] says. That is success. A socket that fails ends all and is an error; after [Server.Kill] it is
// [ErrKilled]. The sockets are closed in any case.
func (s *Server) Run(ctx context.Context) error {
	ended := make(chan error, len(s.gates)+1)
	var serving sync.WaitGroup
	serve := func(what string, f func() error) {
		serving.Go(func() { ended <- fmt.Errorf("%s: %w", what, f()) })
	}
	for i, g := range s.gates {
		if i < s.secure {
			serve("listening on "+g.Addr().String(), func() error { return s.http.Serve(g) })
		} else {
			serve("listening on "+g.Addr().String(), func() error { return s.http.ServeTLS(g, "", "") })
		}
	}
	if s.admin != nil {
		serve("the admin listener on "+s.admin.Addr().String(), func() error { return s.adminS.Serve(s.admin) })
	}
	watching, stopWatching := context.WithCancel(context.Background())
	var watcher sync.WaitGroup
	if s.certs != nil {
		watcher.Go(func() { s.watchCertificate(watching, certificateLook) })
	}
	s.opt.Metrics.loaded()
	s.state.Store(stateServing)
	s.notify.ready("serving")

	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = s.drain()
	case <-s.killed:
		err = ErrKilled
	}
	s.state.Store(stateStopping)
	stopWatching()
	_ = s.Close()
	serving.Wait()
	watcher.Wait()
	s.settle()
	return err
}

// settle waits for handlers whose connection is gone to see that. It does not wait for one that hangs in
// something else.
func (s *Server) settle() {
	for end := time.Now().Add(time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if s.opt.Metrics.inFlight.Load() == 0 && s.rules.census.open() == 0 {
			return
		}
	}
}

// Kill makes [Server.Run] cut all transfers off and return. It can be called at any time and more than once.
func (s *Server) Kill() { s.kill.Do(func() { close(s.killed) }) }

// Close closes all sockets and connections at once. [Server.Run] has done it when it returns.
func (s *Server) Close() error {
	for _, g := range s.gates {
		g.abandon()
	}
	err := errors.Join(s.http.Close(), s.adminS.Close())
	if s.admin != nil {
		_ = s.admin.Close()
	}
	s.notify.close()
	return err
}
