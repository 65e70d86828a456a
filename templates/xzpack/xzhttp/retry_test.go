package xzhttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/transfer"
)

// hangUp breaks the connection in the middle of an answer.
func hangUp(http.ResponseWriter) { panic(http.ErrAbortHandler) }

func TestTransientFailuresPass(t *testing.T) {
	file := noise(3 * pageSize)
	partly := func(w http.ResponseWriter, r *http.Request) { // half of what was asked for
		var rec recorder
		rec.Header().Set("ETag", `"1"`)
		http.ServeContent(&rec, r, "", time.Time{}, bytes.NewReader(file))
		for k, v := range rec.header {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.status)
		w.Write(rec.body.Bytes()[:rec.body.Len()/2])
		w.(http.Flusher).Flush()
		hangUp(w)
	}
	for name, fail := range map[string]func(w http.ResponseWriter, r *http.Request){
		"503":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"429":        func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", "0"); w.WriteHeader(429) },
		"500":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"hangs up":   func(w http.ResponseWriter, _ *http.Request) { hangUp(w) },
		"broken off": partly,
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, file, func(n int64, w http.ResponseWriter, r *http.Request) bool {
				if n%3 == 0 {
					return false
				}
				fail(w, r)
				return true
			})
			src := open(t, s, atOnce)
			got := make([]byte, len(file))
			_, err := src.ReadAt(got, 0)
			require.NoError(t, err)
			require.True(t, bytes.Equal(file, got))
		})
	}
	t.Run("too often", func(t *testing.T) {
		s := serve(t, file, func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				return false
			}
			w.WriteHeader(502)
			return true
		})
		opt := atOnce
		opt.Policy.Retries = 2
		_, err := open(t, s, opt).ReadAt(make([]byte, 10), pageSize)
		require.ErrorContains(t, err, "found 502 Bad Gateway (attempt 3, the last)")
		require.Equal(t, int64(4), s.requests.Load())
	})
	t.Run("truncated", func(t *testing.T) {
		s := serve(t, file, func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 1 {
				return false
			}
			partly(w, r)
			return true
		})
		opt := atOnce
		opt.Policy.Retries = 1
		n, err := open(t, s, opt).ReadAt(make([]byte, 2*pageSize), pageSize)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, 2*pageSize*3/4, n, "each attempt goes on where the last broke off")
	})
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header {
	if r.header == nil {
		r.header = make(http.Header)
	}
	return r.header
}
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func TestRetryAfterIsHeeded(t *testing.T) {
	s := serve(t, noise(10), func(n int64, w http.ResponseWriter, _ *http.Request) bool {
		if n == 1 {
			w.Header().Set("Retry-After", strconv.Itoa(1))
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return n == 1
	})
	start := time.Now()
	open(t, s, atOnce)
	require.GreaterOrEqual(t, time.Since(start), time.Second)
}

func TestSlowServers(t *testing.T) {
	file := noise(3 * pageSize)
	wait := func(r *http.Request) { <-r.Context().Done() }
	t.Run("nothing comes", func(t *testing.T) {
		s := serve(t, file, func(n int64, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 { // not even an answer
				wait(r)
			} else if n == 3 { // nothing behind the beginning
				w.Header().Set("Content-Range", "bytes 65536-131071/196608")
				w.Header().Set("Content-Length", "65536")
				w.WriteHeader(206)
				w.Write(file[pageSize : pageSize+100])
				w.(http.Flusher).Flush()
				wait(r)
			}
			return n == 2 || n == 3
		})
		opt := atOnce
		opt.Policy.Stall = 50 * time.Millisecond
		p := make([]byte, pageSize)
		_, err := open(t, s, opt).ReadAt(p, pageSize)
		require.NoError(t, err)
		require.True(t, bytes.Equal(file[pageSize:2*pageSize], p))
		require.Equal(t, int64(4), s.requests.Load())
	})
	t.Run("slow but steady", func(t *testing.T) {
		s := serve(t, file, func(n int64, w http.ResponseWriter, _ *http.Request) bool {
			if n == 1 {
				return false
			}
			w.Header().Set("Content-Range", "bytes 65536-131071/196608")
			w.Header().Set("Content-Length", "65536")
			w.WriteHeader(206)
			for i := range 8 {
				w.Write(file[pageSize+i*pageSize/8 : pageSize+(i+1)*pageSize/8])
				w.(http.Flusher).Flush()
				time.Sleep(30 * time.Millisecond)
			}
			return true
		})
		opt := atOnce
		opt.Policy.Stall = 150 * time.Millisecond // less than it takes in all
		p := make([]byte, pageSize)
		_, err := open(t, s, opt).ReadAt(p, pageSize)
		require.NoError(t, err)
		require.True(t, bytes.Equal(file[pageSize:2*pageSize], p))
		require.Equal(t, int64(2), s.requests.Load())
	})
	t.Run("for ever", func(t *testing.T) {
		s := serve(t, file, func(_ int64, _ http.ResponseWriter, r *http.Request) bool { wait(r); return true })
		opt := atOnce
		opt.Policy.Stall, opt.Policy.Retries = 20*time.Millisecond, 1
		_, err := Open(t.Context(), s.URL, opt)
		require.ErrorIs(t, err, transfer.ErrStalled)
	})
}

func TestCancelling(t *testing.T) {
	cause := errors.New("the operator pressed Ctrl-C")
	file := noise(3 * pageSize)
	ctx, cancel := context.WithCancelCause(t.Context())
	s := serve(t, file, func(n int64, _ http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			cancel(cause)
			<-r.Context().Done()
		}
		return n > 1
	})
	src, err := Open(ctx, s.URL, Options{})
	require.NoError(t, err)
	_, err = src.ReadAt(make([]byte, pageSize), pageSize)
	require.ErrorIs(t, err, cause)
	_, err = src.ReadAt(make([]byte, 10), pageSize)
	require.ErrorIs(t, err, cause)
	_, err = Open(ctx, s.URL, Options{})
	require.ErrorIs(t, err, cause)

	// And while it waits for the next attempt.
	ctx, cancel = context.WithCancelCause(t.Context())
	busy := serve(t, file, func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(503)
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		return true
	})
	start := time.Now()
	_, err = Open(ctx, busy.URL, Options{})
	require.ErrorIs(t, err, cause)
	require.Less(t, time.Since(start), 10*time.Second)
}
