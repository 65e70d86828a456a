package xzhttp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/transfer"
	"github.com/tplkit/tplkit/templates/xzpack"
)

func noise(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, n)
	for i := range p {
		p[i] = byte(rnd.Uint32())
	}
	return p
}

// server serves a file and counts requests. before may answer in its place, and then returns true.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	file     []byte
	tag      string
	requests atomic.Int64
}

func serve(t *testing.T, file []byte, before func(n int64, w http.ResponseWriter, r *http.Request) bool) *server {
	t.Helper()
	s := &server{file: file, tag: `"1"`}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := s.requests.Add(1)
		if before != nil && before(n, w, r) {
			return
		}
		s.mu.Lock()
		file, tag := s.file, s.tag
		s.mu.Unlock()
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		http.ServeContent(w, r, "disk.img.xz", time.Time{}, bytes.NewReader(file))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) replace(file []byte, tag string) {
	s.mu.Lock()
	s.file, s.tag = file, tag
	s.mu.Unlock()
}

// atOnce does not wait between attempts.
var atOnce = Options{Policy: transfer.Policy{Pause: func(int) time.Duration { return 0 }}}

func open(t *testing.T, s *server, opt Options) *Source {
	t.Helper()
	src, err := Open(t.Context(), s.URL+"/disk.img.xz?secret=1", opt)
	require.NoError(t, err)
	return src
}

func TestSourceIsAReaderAt(t *testing.T) {
	for _, n := range []int{0, 1, 1000, pageSize - 1, pageSize, pageSize + 1, 5*pageSize + 7} {
		file := noise(n)
		src := open(t, serve(t, file, nil), Options{})
		require.Equal(t, int64(n), src.Size())
		require.NoError(t, iotest.TestReader(io.NewSectionReader(src, 0, src.Size()), file), "%d bytes", n)
		p := make([]byte, 2*pageSize)
		m, err := src.ReadAt(p, max(0, int64(n)-100))
		require.Equal(t, io.EOF, err)
		require.Equal(t, file[max(0, n-100):], p[:m:m])
	}
	_, err := open(t, serve(t, noise(10), nil), Options{}).ReadAt(make([]byte, 1), -1)
	require.ErrorContains(t, err, "negative offset")
}

// TestOpeningCostsFewRequests: an image has hundreds of blocks, and a request for each would take minutes.
func TestOpeningCostsFewRequests(t *testing.T) {
	content := noise(4 << 20)
	clear(content[1<<20 : 2<<20])
	file := pack(t, content, 16<<10)
	s := serve(t, file, nil)
	src := open(t, s, Options{})
	disk, err := xzpack.Open(src, src.Size(), xzpack.OpenOptions{LazyHeaders: true})
	require.NoError(t, err)
	require.Equal(t, 256, disk.NumBlocks())
	require.LessOrEqual(t, s.requests.Load(), int64(3))

	before := s.requests.Load()
	p := make([]byte, 100)
	_, err = disk.ReadAt(p, 3<<20)
	require.NoError(t, err)
	require.Equal(t, content[3<<20:3<<20+100], p)
	require.LessOrEqual(t, s.requests.Load()-before, int64(2))

	var got bytes.Buffer
	require.NoError(t, disk.Copy(t.Context(), &got, xzpack.UnpackOptions{Jobs: 4}))
	require.True(t, bytes.Equal(content, got.Bytes()))
	require.Less(t, s.requests.Load(), int64(100), "small blocks are read together")
}

func pack(t *testing.T, content []byte, block int64) []byte {
	t.Helper()
	var out bytes.Buffer
	_, err := xzpack.Pack(context.Background(), &out, bytes.NewReader(content), int64(len(content)), xzpack.PackOptions{BlockSize: block, Level: xzpack.Fast})
	require.NoError(t, err)
	return out.Bytes()
}

func TestManyReadersShareAPage(t *testing.T) {
	s := serve(t, noise(10*pageSize), nil)
	src := open(t, s, Options{})
	before := s.requests.Load()
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if _, err := src.ReadAt(make([]byte, 100), 5*pageSize+10); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.Equal(t, before+1, s.requests.Load())
	for i := range int64(10) { // more than are kept would be
		_, err := src.ReadAt(make([]byte, 1), i*pageSize)
		require.NoError(t, err)
	}
}

func TestChangedFilesAreNoticed(t *testing.T) {
	file := noise(4 * pageSize)
	other := bytes.Clone(file)
	other[3*pageSize] ^= 1
	for name, change := range map[string]func(s *server){
		"another ETag":       func(s *server) { s.replace(other, `"2"`) },
		"shorter":            func(s *server) { s.replace(file[:2*pageSize], `"2"`) },
		"longer, same ETag":  func(s *server) { s.replace(append(bytes.Clone(file), 0), `"1"`) },
		"shorter, same ETag": func(s *server) { s.replace(file[:2*pageSize], `"1"`) },
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, file, nil)
			src := open(t, s, Options{})
			change(s)
			_, err := src.ReadAt(make([]byte, pageSize), 3*pageSize)
			require.ErrorIs(t, err, xzpack.ErrChanged)
			require.ErrorContains(t, err, "open it again")
		})
	}
	t.Run("weak ETag", func(t *testing.T) {
		s := serve(t, file, nil)
		s.replace(file, `W/"1"`)
		src := open(t, s, Options{})
		_, err := src.ReadAt(make([]byte, pageSize), pageSize)
		require.NoError(t, err)
		s.replace(other, `W/"2"`)
		_, err = src.ReadAt(make([]byte, pageSize), 3*pageSize)
		require.ErrorIs(t, err, xzpack.ErrChanged)
	})
	t.Run("Last-Modified", func(t *testing.T) {
		var date atomic.Int64
		s := serve(t, file, func(_ int64, w http.ResponseWriter, r *http.Request) bool {
			http.ServeContent(w, r, "", time.Unix(1_700_000_000+date.Load(), 0), bytes.NewReader(file))
			return true
		})
		src := open(t, s, Options{})
		_, err := src.ReadAt(make([]byte, pageSize), pageSize)
		require.NoError(t, err)
		date.Store(5)
		_, err = src.ReadAt(make([]byte, pageSize), 3*pageSize)
		require.ErrorIs(t, err, xzpack.ErrChanged)
	})
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	file := noise(100)
	answer := func(status int, body string, header ...string) func(int64, http.ResponseWriter, *http.Request) bool {
		return func(_ int64, w http.ResponseWriter, _ *http.Request) bool {
			for i := 0; i < len(header); i += 2 {
				w.Header().Set(header[i], header[i+1])
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
			return true
		}
	}
	for name, tc := range map[string]struct {
		before func(int64, http.ResponseWriter, *http.Request) bool
		err    string
	}{
		"no ranges":       {answer(200, "everything"), "the server does not give parts of the file: expected status 206, found 200 OK"},
		"not there":       {answer(404, "no"), "/disk.img.xz at byte 0: expected status 206, found 404 Not Found"},
		"forbidden":       {answer(403, "no"), "403 Forbidden"},
		"no range said":   {answer(206, "x"), "expected a header Content-Range, found none"},
		"unknown length":  {answer(206, "x", "Content-Range", "bytes 0-0/*"), `expected a Content-Range with both ends and the length, found "bytes 0-0/*"`},
		"another range":   {answer(206, "x", "Content-Range", "bytes 5-5/100"), "expected the bytes 0-99"},
		"nonsense":        {answer(206, "x", "Content-Range", "lines 1-2/3"), "Content-Range"},
		"backwards":       {answer(206, "x", "Content-Range", "bytes 9-2/30"), "Content-Range"},
		"compressed":      {answer(206, "x", "Content-Range", "bytes 0-0/1", "Content-Encoding", "gzip"), `found Content-Encoding "gzip"`},
		"another length":  {answer(206, "xy", "Content-Range", "bytes 0-0/1"), "Content-Length 2"},
		"unsatisfiable":   {answer(416, ""), "416"},
		"asks for an age": {answer(503, "", "Retry-After", "3600"), "the server asks to wait for 1h0m0s, 1m0s is the longest allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, file, tc.before)
			_, err := Open(t.Context(), s.URL+"/disk.img.xz?secret=1", atOnce)
			require.ErrorContains(t, err, tc.err)
			require.NotContains(t, err.Error(), "secret")
			require.Equal(t, int64(1), s.requests.Load(), "tried again in vain")
			require.Equal(t, name == "no ranges", errors.Is(err, ErrNoRanges))
		})
	}
	for _, address := range []string{"ftp://host/file", "file", "http:///x", "http://user:secret@[", ""} {
		_, err := Open(t.Context(), address, Options{})
		require.Error(t, err, address)
		require.NotContains(t, err.Error(), "secret")
	}
	src := open(t, serve(t, nil, answer(416, "", "Content-Range", "bytes */0")), Options{})
	require.Zero(t, src.Size())
}

func TestNobodyListens(t *testing.T) {
	s := serve(t, nil, nil)
	s.Close()
	_, err := Open(t.Context(), s.URL+"/x?secret=1", atOnce)
	require.ErrorContains(t, err, "(attempt 5, the last)")
	require.NotContains(t, err.Error(), "secret")
	_, err = Open(t.Context(), s.URL, Options{Policy: transfer.Policy{Retries: -1}})
	require.ErrorContains(t, err, "(attempt 1, the last)")
	_, err = Open(t.Context(), "http://name.invalid/", atOnce)
	require.Error(t, err)
}

func TestUntrustedCertificate(t *testing.T) {
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	_, err := Open(t.Context(), s.URL, atOnce)
	require.ErrorContains(t, err, "certificate")
	require.NotContains(t, err.Error(), "the last", "tried again in vain")
	_, err = Open(t.Context(), s.URL, Options{Client: s.Client()})
	require.ErrorContains(t, err, "404", "the client given is the one used")
}

func TestHeadersAreSent(t *testing.T) {
	s := serve(t, noise(10), func(_ int64, w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Authorization") != "Bearer x" || r.Header.Get("Accept-Encoding") != "identity" || r.Method != http.MethodGet {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		return false
	})
	open(t, s, Options{Header: http.Header{"Authorization": {"Bearer x"}}})
	_, err := Open(t.Context(), s.URL, Options{})
	require.ErrorContains(t, err, "401")
}

func TestRedirects(t *testing.T) {
	file := noise(3 * pageSize)
	behind := serve(t, file, nil)
	s := serve(t, nil, func(_ int64, w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, behind.URL+"/elsewhere", http.StatusFound)
		return true
	})
	src := open(t, s, Options{})
	got, err := io.ReadAll(io.NewSectionReader(src, 0, src.Size()))
	require.NoError(t, err)
	require.True(t, bytes.Equal(file, got))
}

func TestURLsInErrorsAreBare(t *testing.T) {
	s := serve(t, nil, func(_ int64, w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(404); return true })
	_, err := Open(t.Context(), strings.Replace(s.URL, "http://", "http://user:password@", 1)+"/a?token=1#f", atOnce)
	require.ErrorContains(t, err, "/a at byte 0")
	for _, secret := range []string{"user", "password", "token"} {
		require.NotContains(t, err.Error(), secret)
	}
}
