package daemon

import (
	"context"
	"fmt"
	"time"
)

// Reload reads the certificate and calls [Options.Reload]: either both are in force afterwards or neither, and
// then the error says why. Connections are not touched; requests that come later see what is new.
func (s *Server) Reload() error {
	s.notify.reloading()
	err := s.reload()
	s.opt.Metrics.reloaded(err == nil)
	if err != nil {
		s.notify.ready("serving; the last reload failed")
		return fmt.Errorf("reload: %w; what was in force stays in force", err)
	}
	s.notify.ready("serving")
	return nil
}

func (s *Server) reload() error {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if s.certs == nil {
		return s.reloadOthers()
	}
	pair, err := s.certs.renew()
	if err != nil {
		s.opt.Metrics.certificate(false, time.Time{})
		return err
	}
	if err := s.reloadOthers(); err != nil {
		return err
	}
	s.certs.now.Store(pair)
	s.opt.Metrics.certificate(true, pair.Leaf.NotAfter)
	return nil
}

func (s *Server) reloadOthers() error {
	if s.opt.Reload == nil {
		return nil
	}
	return s.opt.Reload()
}

// firstCertificate reads the pair of a server that opens. One whose time is over is better than no server.
func (s *Server) firstCertificate() error {
	pair, err := s.certs.read()
	if err != nil {
		return err
	}
	if err := inTime(s.opt.CertFile, pair); err != nil {
		s.opt.Notice(err.Error())
	}
	s.certs.now.Store(pair)
	s.opt.Metrics.certificate(true, pair.Leaf.NotAfter)
	return nil
}

// watchCertificate reads the pair again when its files have changed. While one of the two is replaced they may
// not belong together: the old pair stays until they do.
func (s *Server) watchCertificate(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			s.lookAtCertificate()
		}
	}
}

func (s *Server) lookAtCertificate() {
	s.reloading.Lock()
	defer s.reloading.Unlock()
	if !s.certs.changed() {
		return
	}
	pair, err := s.certs.renew()
	if err != nil {
		s.opt.Metrics.certificate(false, time.Time{})
		s.opt.Notice(fmt.Sprintf("%v; the certificate in force stays in force", err))
		return
	}
	s.certs.now.Store(pair)
	s.opt.Metrics.certificate(true, pair.Leaf.NotAfter)
	s.opt.Notice("the certificate has changed and is in force")
}
