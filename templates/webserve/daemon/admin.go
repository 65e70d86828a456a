package daemon

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// newAdmin makes the server of the admin listener.
func (s *Server) newAdmin() *http.Server {
	srv := &http.Server{
		Handler:           http.HandlerFunc(s.serveAdmin),
		ReadHeaderTimeout: s.opt.HeaderTimeout,
		ReadTimeout:       s.opt.HeaderTimeout,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       s.opt.KeepAlive,
		MaxHeaderBytes:    maxHeaderBytes,
	}
	setErrorLog(srv, s.opt.Errors)
	return srv
}

// serveAdmin answers /metrics, /healthz (the process lives) and /readyz (it serves, and Options.Ready agrees).
func (s *Server) serveAdmin(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		plain(w, http.StatusMethodNotAllowed, "only GET and HEAD\n")
		return
	}
	switch r.URL.Path {
	case "/metrics":
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = s.opt.Metrics.WriteTo(w)
	case "/healthz":
		plain(w, http.StatusOK, "ok\n")
	case "/readyz":
		if why := s.unready(); why != "" {
			plain(w, http.StatusServiceUnavailable, why+"\n")
			return
		}
		plain(w, http.StatusOK, "ready\n")
	default:
		plain(w, http.StatusNotFound, "/metrics, /healthz and /readyz are here\n")
	}
}

// unready says why requests should go elsewhere, "" if they need not.
func (s *Server) unready() string {
	if s.state.Load() != stateServing {
		return "not serving"
	}
	if s.opt.Ready != nil {
		if err := s.opt.Ready(); err != nil {
			return err.Error()
		}
	}
	return ""
}

func plain(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
