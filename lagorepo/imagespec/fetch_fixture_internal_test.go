package imagespec

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/xzpack"
)

var errStopped = errors.New("stopped by the test")

// rawDisk is a disk of n bytes, of which the first and the last quarter are
// data.
func rawDisk(seed uint64, n int) []byte {
	disk := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed)})
	_, _ = r.Read(disk[:n/4])
	_, _ = r.Read(disk[n-n/4:])
	disk[0] = 0
	return disk
}

// qcow2Disk has a right header, with a backing file if that is named.
func qcow2Disk(backing string) []byte {
	disk := rawDisk(7, 64<<10)
	clear(disk[:112])
	copy(disk, "QFI\xfb")
	binary.BigEndian.PutUint32(disk[4:], 3)
	binary.BigEndian.PutUint32(disk[20:], 16)
	binary.BigEndian.PutUint64(disk[24:], 1<<30)
	binary.BigEndian.PutUint32(disk[100:], 104)
	if backing != "" {
		binary.BigEndian.PutUint64(disk[8:], 512)
		binary.BigEndian.PutUint32(disk[16:], uint32(len(backing)))
		copy(disk[512:], backing)
	}
	return disk
}

func xzOf(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := xzpack.PackReader(t.Context(), &b, bytes.NewReader(content), xzpack.PackOptions{BlockSize: 64 << 10})
	require.NoError(t, err)
	return b.Bytes()
}

func gzipOf(t *testing.T, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(content)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return b.Bytes()
}

// sumOf is the digest of p.
func sumOf(t *testing.T, alg hashutil.Algorithm, p []byte) string {
	t.Helper()
	sums, _, err := hashutil.Sum(context.Background(), bytes.NewReader(p), alg)
	require.NoError(t, err)
	return sums[alg]
}

// fetched is what a fetch led to.
type fetched struct {
	format  string
	digests hashutil.Digests
	err     error
	content []byte
}

// fetchTo fetches into a directory of its own and checks that there is the image
// and nothing else, or nothing at all.
func fetchTo(t *testing.T, ctx context.Context, src Base, opt FetchOptions) fetched {
	t.Helper()
	dir := t.TempDir()
	if opt.Policy.Pause == nil {
		opt.Policy.Pause = func(int) time.Duration { return time.Millisecond }
	}
	dst := filepath.Join(dir, "base")
	var got fetched
	got.format, got.digests, got.err = fetchSource(ctx, src, dst, opt)
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	if got.err != nil {
		require.Empty(t, list, "something is left behind")
		require.Empty(t, got.format)
		return got
	}
	require.Len(t, list, 1)
	got.content, err = os.ReadFile(dst)
	require.NoError(t, err)
	return got
}

// fileServer serves one file as a web server does, and as bad ones do.
type fileServer struct {
	t *testing.T

	mu       sync.Mutex
	content  []byte
	tag      string
	date     time.Time     // zero: no Last-Modified
	cutAfter int           // bytes of an answer after which the connection breaks; 0: never
	cuts     int           // how many answers are cut; negative: all
	noRanges bool          // every answer is the whole file
	chunked  bool          // no Content-Length
	silent   time.Duration // before each body
	status   []int         // of the first answers, instead of the file
	header   http.Header   // of all answers
	ranges   []string      // of the requests so far
	after    func()        // called, locked, after each answer
}

func (s *fileServer) start() string { return startServer(s.t, s.ServeHTTP) }

// startServer gives the URL of a server that runs as long as the test.
func startServer(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv.URL
}

func (s *fileServer) base(path string) Base {
	return Base{Kind: BaseSimple, Ref: s.start() + path}
}

// requested are the ranges of the requests so far.
func (s *fileServer) requested() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ranges
}

func (s *fileServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.after != nil {
		defer s.after()
	}
	s.ranges = append(s.ranges, r.Header.Get("Range"))
	for k, v := range s.header {
		w.Header()[k] = v
	}
	if len(s.status) > 0 {
		status := s.status[0]
		s.status = s.status[1:]
		http.Error(w, "no", status)
		return
	}
	if s.tag != "" {
		w.Header().Set("ETag", s.tag)
	}
	if s.noRanges {
		r.Header.Del("Range")
	}
	out := w
	if s.cutAfter > 0 && s.cuts != 0 {
		s.cuts--
		out = &cutWriter{ResponseWriter: w, left: s.cutAfter}
	}
	if s.silent > 0 {
		w.Header().Set("Content-Length", "10")
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		select {
		case <-time.After(s.silent):
		case <-r.Context().Done():
		}
		return
	}
	if s.chunked {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		_, _ = out.Write(s.content)
		return
	}
	http.ServeContent(out, r, "", s.date, bytes.NewReader(s.content))
}

// cutWriter breaks the connection after so many bytes.
type cutWriter struct {
	http.ResponseWriter
	left int
}

func (w *cutWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p[:min(len(p), w.left)])
	if w.left -= n; w.left == 0 {
		w.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	return n, err
}
