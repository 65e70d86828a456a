package main

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// handleSignals has SIGHUP reload and SIGUSR1 reopen the log, and a second SIGTERM or SIGINT end the server at
// once: the first has cancelled the command's context. The function it returns ends that.
func (c *serveCmd) handleSignals(s *session, srv *daemon.Server, log *daemon.AccessLog) func() {
	stop := make(chan os.Signal, 2)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	other := make(chan os.Signal, 1)
	if len(reloadSignals)+len(reopenSignals) > 0 {
		signal.Notify(other, append(reloadSignals, reopenSignals...)...)
	}
	done := make(chan struct{})
	go func() {
		for range 2 {
			select {
			case <-stop:
			case <-done:
				return
			}
		}
		srv.Kill()
	}()
	go func() {
		for {
			select {
			case sig := <-other:
				c.obey(s, sig, srv, log)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(stop)
		signal.Stop(other)
		close(done)
	}
}

// obey reloads or reopens, and says what came of it.
func (c *serveCmd) obey(s *session, sig os.Signal, srv *daemon.Server, log *daemon.AccessLog) {
	for _, r := range reopenSignals {
		if sig != r {
			continue
		}
		if log == nil {
			return
		}
		if err := log.Reopen(); err != nil {
			s.complain(err)
		}
		return
	}
	if err := srv.Reload(); err != nil {
		s.complain(err)
		return
	}
	s.note("reloaded")
}
