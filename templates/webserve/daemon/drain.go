package daemon

import (
	"context"
	"fmt"
	"time"
)

// settleHTTP2 is how long new clients of HTTP/1 have before those of HTTP/2 are told to go.
const settleHTTP2 = time.Second

// drain stops accepting and waits until every connection is closed, as long as the grace allows.
//
// http.Server.Shutdown alone would drop requests: one whose header is read after it was called gets no answer.
// So connections that were accepted get theirs first, and are closed behind it. Only HTTP/2 knows of nothing but
// Shutdown.
func (s *Server) drain() error {
	s.state.Store(stateStopping)
	s.notify.stopping()
	for _, g := range s.gates {
		_ = g.Close()
	}
	s.http.SetKeepAlivesEnabled(false)
	end := time.Now().Add(s.opt.Grace)
	if n := s.rules.census.open(); n > 0 {
		s.opt.Notice(fmt.Sprintf("stopping: %s %v to finish", some(n, "has", "have"), s.opt.Grace))
	}
	first := end
	if s.opt.HTTP2 {
		first = earlier(end, time.Now().Add(settleHTTP2))
	}
	if s.waitClosed(first) {
		return nil
	}
	if s.opt.HTTP2 {
		ctx, cancel := context.WithDeadline(context.Background(), end)
		defer cancel()
		go func() {
			select {
			case <-s.killed:
				cancel()
			case <-ctx.Done():
			}
		}()
		_ = s.http.Shutdown(ctx) // its error says that the time is over
	}
	if s.waitClosed(end) {
		return nil
	}
	select {
	case <-s.killed:
		return ErrKilled
	default:
	}
	s.opt.Notice(fmt.Sprintf("stopping: the time is over, %s not finished and closed", some(s.rules.census.open(), "is", "are")))
	return nil
}

// waitClosed waits until there is no connection. False: the time was over, or the server was killed.
func (s *Server) waitClosed(end time.Time) bool {
	over := time.NewTimer(time.Until(end))
	defer over.Stop()
	step := time.NewTicker(5 * time.Millisecond)
	defer step.Stop()
	for {
		if s.rules.census.open() == 0 {
			return true
		}
		select {
		case <-step.C:
		case <-over.C:
			return false
		case <-s.killed:
			return false
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// some is "1 connection has", or "5 connections have".
func some(n int, one, many string) string {
	if n == 1 {
		return "1 connection " + one
	}
	return fmt.Sprintf("%d connections %s", n, many)
}
