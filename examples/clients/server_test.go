package clients_test

import (
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// serve serves a directory as any static server would, and tells its base URL
// and, in order, what was asked for and how it was answered.
func serve(t *testing.T, dir string) (base string, asked func() []string) {
	t.Helper()
	log := new(requestLog)
	files := http.FileServer(http.Dir(dir))
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.ServeHTTP(log.add(w, r), r)
	})}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
	return "http://" + listener.Addr().String(), log.all
}

// requestLog keeps requests in the order in which they came, not in that in
// which they were done with.
type requestLog struct {
	mu       sync.Mutex
	requests []*logged
}

type logged struct {
	http.ResponseWriter
	log    *requestLog
	what   string
	status int
}

func (l *requestLog) add(w http.ResponseWriter, r *http.Request) *logged {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := &logged{w, l, r.Method + " " + r.URL.Path, http.StatusOK}
	l.requests = append(l.requests, e)
	return e
}

func (l *requestLog) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []string
	for _, e := range l.requests {
		lines = append(lines, fmt.Sprintf("%s %d", e.what, e.status))
	}
	return lines
}

func (e *logged) WriteHeader(status int) {
	e.log.mu.Lock()
	e.status = status
	e.log.mu.Unlock()
	e.ResponseWriter.WriteHeader(status)
}
