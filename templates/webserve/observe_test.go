package webserve_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

func TestEvents(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", ten)
	var seen watch
	addr := start(t, newHandler(t, root, webserve.Options{Observe: seen.observe})).Listener.Addr().String()
	for i, c := range []struct {
		method, target, header string
		zone, refused          string
		status                 int
		bytes                  int64
	}{
		{"GET", "/repo/x", "", "repo", "", 200, 10},
		{"HEAD", "/repo/x", "", "repo", "", 200, 0},
		{"GET", "/repo/x", "Range: bytes=2-4", "repo", "", 206, 3},
		{"GET", "/repo/x", "Range: bytes=20-", "repo", webserve.RefusedRange, 416, -1},
		{"GET", "/repo/x", "If-None-Match: *", "repo", "", 304, 0},
		{"GET", "/repo/none", "", "repo", "", 404, -1},
		{"GET", "/repo/.x", "", "repo", webserve.RefusedHidden, 404, -1},
		{"GET", "/kubevirt/x", "", "kubevirt", acl.ReasonNotListed, 403, -1},
		{"GET", "/none/x", "", "", acl.ReasonNoZone, 404, -1},
		{"GET", "/repo/..", "", "", webserve.RefusedPath, 400, -1},
		{"PUT", "/repo/x", "", "", webserve.RefusedMethod, 405, -1},
		{"GET", "/", "", "", "", 200, -1},
		{"GET", "/repo/", "", "repo", "", 200, -1},
		{"GET", "/repo", "", "repo", "", 301, -1},
	} {
		header := []string{"X: y"}
		if c.header != "" {
			header = []string{c.header}
		}
		got := ask(t, addr, c.method, c.target, header...)
		e := seen.wait(t, i+1)[i]
		require.Equal(t, c.status, got.status)
		require.Equal(t, c.status, e.Status)
		require.Equal(t, c.zone, e.Zone, c.target)
		require.Equal(t, c.refused, e.Refused, c.target)
		if c.bytes >= 0 {
			require.Equal(t, c.bytes, e.Bytes, c.target)
		} else {
			require.Equal(t, int64(len(got.body)), e.Bytes, c.target)
		}
		require.False(t, e.HungUp)
		require.NoError(t, e.Err)
		require.Equal(t, c.method, e.Request.Method)
		require.WithinDuration(t, time.Now(), e.Time, 10*time.Second)
		require.Greater(t, e.Duration, time.Duration(0))
		if c.status != 400 && c.status != 405 {
			require.Equal(t, "127.0.0.1", e.Peer.String())
			require.Equal(t, "127.0.0.1", e.Client.String())
		}
	}
}

// TestHangUp replays how lago reads: it opens an image, closes it without
// reading, and opens it again.
func TestHangUp(t *testing.T) {
	root := newTree(t)
	const size = 64 << 20
	write(t, root, "repo/x.xz", "")
	require.NoError(t, os.Truncate(filepath.Join(root, "repo/x.xz"), size))
	var seen watch
	addr := start(t, newHandler(t, root, webserve.Options{Observe: seen.observe})).Listener.Addr().String()
	for range 3 {
		c, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		_, err = io.WriteString(c, "GET /repo/x.xz HTTP/1.1\r\nHost: h\r\n\r\n")
		require.NoError(t, err)
		_, err = io.ReadFull(c, make([]byte, 100))
		require.NoError(t, err)
		require.NoError(t, c.Close())
	}
	for _, e := range seen.wait(t, 3) {
		require.True(t, e.HungUp)
		require.Equal(t, 200, e.Status)
		require.NoError(t, e.Err)
		require.Less(t, e.Bytes, int64(size))
	}
	require.Len(t, ask(t, addr, "GET", "/repo/x.xz").body, size)
	e := seen.wait(t, 4)[3]
	require.False(t, e.HungUp)
	require.Equal(t, int64(size), e.Bytes)

	// Several ranges, cut off in between: nothing is left that reads the file.
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	_, err = io.WriteString(c, "GET /repo/x.xz HTTP/1.1\r\nHost: h\r\nRange: bytes=0-30000000,30000001-60000000\r\n\r\n")
	require.NoError(t, err)
	_, err = io.ReadFull(c, make([]byte, 100))
	require.NoError(t, err)
	require.NoError(t, c.Close())
	require.True(t, seen.wait(t, 5)[4].HungUp)
}

// TestFileShrinks: what was promised and cannot be kept ends the connection, and
// is not the client's fault.
func TestFileShrinks(t *testing.T) {
	root := newTree(t)
	const size = 64 << 20
	write(t, root, "repo/x.xz", "")
	path := filepath.Join(root, "repo/x.xz")
	require.NoError(t, os.Truncate(path, size))
	var seen watch
	addr := start(t, newHandler(t, root, webserve.Options{Observe: seen.observe})).Listener.Addr().String()
	res, err := http.Get("http://" + addr + "/repo/x.xz")
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.ReadFull(res.Body, make([]byte, 1000))
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 1000))
	_, err = io.Copy(io.Discard, res.Body)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	e := seen.wait(t, 1)[0]
	require.False(t, e.HungUp)
	require.ErrorContains(t, e.Err, "shorter")
}

// TestObserveAfterPanic: the event comes also when the answer is broken off.
func TestObserveAfterPanic(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", strings.Repeat("x", 100_000))
	var seen watch
	h := newHandler(t, root, webserve.Options{Observe: seen.observe})
	require.Panics(t, func() {
		h.ServeHTTP(panicWriter{httptest.NewRecorder()}, from("192.0.2.7", "GET", "/repo/x"))
	})
	require.Len(t, seen.wait(t, 1), 1)
}

type panicWriter struct{ http.ResponseWriter }

func (panicWriter) Write([]byte) (int, error) { panic(http.ErrAbortHandler) }

// TestPlainWriter: a ResponseWriter that can nothing but write is served, too.
func TestPlainWriter(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", strings.Repeat("x", 100_000))
	h := newHandler(t, root, webserve.Options{})
	rec := httptest.NewRecorder()
	h.ServeHTTP(struct{ http.ResponseWriter }{rec}, from("192.0.2.7", "GET", "/repo/x"))
	require.Equal(t, 200, rec.Code)
	require.Len(t, rec.Body.String(), 100_000)
}

// TestSendingFails tells faults of the disk from clients that go away.
func TestSendingFails(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", strings.Repeat("x", 100_000))
	var seen watch
	h := newHandler(t, root, webserve.Options{Observe: seen.observe})
	for i, c := range []struct {
		err    error
		hungUp bool
	}{{syscall.EPIPE, true}, {syscall.ECONNRESET, true}, {os.ErrDeadlineExceeded, true}, {net.ErrClosed, true}, {syscall.EIO, false}, {syscall.ESTALE, false}} {
		h.ServeHTTP(failingWriter{httptest.NewRecorder(), c.err}, from("192.0.2.7", "GET", "/repo/x"))
		e := seen.wait(t, i+1)[i]
		require.Equal(t, c.hungUp, e.HungUp, c.err)
		require.Equal(t, int64(1000), e.Bytes)
		require.Equal(t, 200, e.Status)
		if !c.hungUp {
			require.ErrorIs(t, e.Err, c.err)
		}
	}
}

// failingWriter takes 1,000 bytes.
type failingWriter struct {
	http.ResponseWriter
	err error
}

func (w failingWriter) ReadFrom(r io.Reader) (int64, error) {
	n, _ := io.CopyN(io.Discard, r, 1000)
	return n, &net.OpError{Op: "sendfile", Err: w.err}
}

// TestHTTP2 has no sendfile, and everything else.
func TestHTTP2(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x.xz", strings.Repeat(ten, 100_000))
	var seen watch
	s := httptest.NewUnstartedServer(newHandler(t, root, webserve.Options{Observe: seen.observe}))
	s.EnableHTTP2 = true
	s.Config.ConnContext = webserve.ConnContext
	s.StartTLS()
	defer s.Close()
	req, err := http.NewRequest("GET", s.URL+"/repo/x.xz", nil)
	require.NoError(t, err)
	for i, ranges := range []string{"", "bytes=-1000"} {
		req.Header.Set("Range", ranges)
		res, err := s.Client().Do(req)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 2, res.ProtoMajor)
		require.EqualValues(t, len(body), res.ContentLength)
		require.Equal(t, []int{1_000_000, 1000}[i], len(body))
		require.Equal(t, int64(len(body)), seen.wait(t, i+1)[i].Bytes)
	}
	// Larger than what is in flight before the client says that it has enough.
	require.NoError(t, os.Truncate(filepath.Join(root, "repo/x.xz"), 64<<20))
	req.Header.Del("Range")
	res, err := s.Client().Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close()) // unread
	e := seen.wait(t, 3)[2]
	require.True(t, e.HungUp)
	require.NoError(t, e.Err)
}
