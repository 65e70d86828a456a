package imagespec

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/transfer"
)

const mib = 1 << 20

func TestDownloadGoesOn(t *testing.T) {
	disk := rawDisk(1, 8*mib)
	tests := map[string]struct {
		server *fileServer
		ranges []string // as they are asked for; nil: not looked at
	}{
		"after a break": {
			&fileServer{content: disk, tag: `"a"`, cutAfter: 3 * mib, cuts: 1},
			[]string{"", "bytes=3145728-"},
		},
		"after many": {
			&fileServer{content: disk, tag: `"a"`, cutAfter: mib, cuts: -1},
			[]string{"", "bytes=1048576-", "bytes=2097152-", "bytes=3145728-", "bytes=4194304-", "bytes=5242880-", "bytes=6291456-", "bytes=7340032-"},
		},
		"by the date": {
			&fileServer{content: disk, date: time.Unix(1_700_000_000, 0), cutAfter: 3 * mib, cuts: 1},
			[]string{"", "bytes=3145728-"},
		},
		"by the date, not by a weak tag": {
			&fileServer{content: disk, tag: `W/"a"`, date: time.Unix(1_700_000_000, 0), cutAfter: 3 * mib, cuts: 1},
			[]string{"", "bytes=3145728-"},
		},
		"from the beginning without a mark": {
			&fileServer{content: disk, cutAfter: 3 * mib, cuts: 2}, []string{"", "", ""},
		},
		"from the beginning without ranges": {
			&fileServer{content: disk, tag: `"a"`, noRanges: true, cutAfter: 3 * mib, cuts: 2},
			[]string{"", "bytes=3145728-", "bytes=3145728-"},
		},
		"when the server is busy": {
			&fileServer{content: disk, tag: `"a"`, status: []int{503, 429, 500, 408}}, []string{"", "", "", "", ""},
		},
		"without a length": {&fileServer{content: disk, chunked: true}, nil},
		"without a length after a break": {
			&fileServer{content: disk, chunked: true, tag: `"a"`, cutAfter: 3 * mib, cuts: 2}, nil,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := tt.server
			s.t = t
			src := s.base("/image")
			src.Sum = &Sum{Algorithm: hashutil.SHA1, Hex: sumOf(t, hashutil.SHA1, disk)}
			got := fetchTo(t, t.Context(), src, FetchOptions{})
			require.NoError(t, got.err)
			require.True(t, bytes.Equal(disk, got.content))
			if tt.ranges != nil {
				require.Equal(t, tt.ranges, s.requested())
			}
		})
	}
}

// Whatever becomes of the file on the server, what is fetched is one version of
// it.
func TestDownloadOfAFileThatChanges(t *testing.T) {
	old, other := rawDisk(1, 8*mib), rawDisk(2, 8*mib)
	short := rawDisk(3, 2*mib)
	for name, tt := range map[string]struct {
		next    []byte
		answers func(w http.ResponseWriter, r *http.Request) bool // instead of the right one
	}{
		"another": {next: other},
		"a short": {next: short},
		"If-Range ignored": {next: other, answers: func(w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("If-Range")
			return false
		}},
		"If-Range ignored, short": {next: short, answers: func(w http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("If-Range")
			return false
		}},
		"another part": {next: other, answers: partial("bytes 5-8388607/8388608")},
		"less":         {next: other, answers: partial("bytes 3145728-3145730/8388608")},
		"no length":    {next: other, answers: partial("bytes 3145728-8388607/*")},
		"nonsense":     {next: other, answers: partial("3")},
		"no range":     {next: other, answers: partial("")},
	} {
		t.Run(name, func(t *testing.T) {
			s := &fileServer{t: t, content: old, tag: `"old"`, cutAfter: 3 * mib, cuts: 1}
			s.after = func() { s.content, s.tag = tt.next, `"new"` }
			src := Base{Kind: BaseSimple, Ref: s.start()}
			if tt.answers != nil {
				src.Ref = wrap(t, s, tt.answers)
			}
			got := fetchTo(t, t.Context(), src, FetchOptions{})
			require.NoError(t, got.err)
			require.True(t, bytes.Equal(tt.next, got.content))
			require.Equal(t, sumOf(t, hashutil.SHA256, tt.next), got.digests[hashutil.SHA256])
		})
	}
}

// partial answers a request for a part with a Content-Range of its own.
func partial(contentRange string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Header.Get("Range") == "" {
			return false
		}
		w.Header().Set("Content-Range", contentRange)
		w.Header().Set("ETag", `"old"`)
		w.WriteHeader(http.StatusPartialContent)
		fmt.Fprint(w, "abc")
		return true
	}
}

// wrap serves what instead leaves to s.
func wrap(t *testing.T, s *fileServer, instead func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	return startServer(t, func(w http.ResponseWriter, r *http.Request) {
		if !instead(w, r) {
			s.ServeHTTP(w, r)
		}
	})
}

func TestDownloadFailures(t *testing.T) {
	disk := rawDisk(1, 4*mib)
	gzipped := http.Header{"Content-Encoding": {"gzip"}}
	tests := map[string]struct {
		server   *fileServer
		opt      FetchOptions
		want     string
		requests int
	}{
		"not there":             {&fileServer{status: []int{404}}, FetchOptions{}, "404 Not Found: check the URL", 1},
		"forbidden":             {&fileServer{status: []int{403}}, FetchOptions{}, "403", 1},
		"odd status":            {&fileServer{status: []int{206}}, FetchOptions{}, "206", 1},
		"busy for ever":         {&fileServer{status: []int{503, 503, 503, 503, 503, 503}}, FetchOptions{}, "attempt 5", 5},
		"busy, no further try":  {&fileServer{status: []int{503, 503}}, FetchOptions{Policy: transfer.Policy{Retries: -1}}, "attempt 1", 1},
		"busy for long":         {&fileServer{status: []int{503}, header: http.Header{"Retry-After": {"3600"}}}, FetchOptions{}, "1h0m0s", 1},
		"does not get on":       {&fileServer{content: disk, tag: `"a"`, cutAfter: 1000, cuts: -1}, FetchOptions{Policy: transfer.Policy{Retries: 2}}, "attempt 3", 3},
		"nor without a mark":    {&fileServer{content: disk, cutAfter: mib, cuts: -1}, FetchOptions{Policy: transfer.Policy{Retries: 2}}, "byte 1048576", 0},
		"sends nothing":         {&fileServer{silent: time.Minute}, FetchOptions{Policy: transfer.Policy{Retries: 1, Stall: 50 * time.Millisecond}}, "sends nothing", 0},
		"content encoding":      {&fileServer{content: disk, header: gzipped}, FetchOptions{}, "Content-Encoding", 1},
		"too large":             {&fileServer{content: disk}, FetchOptions{Limit: mib}, "4194304 bytes or more, and 1048576 are the limit", 1},
		"too large, no length":  {&fileServer{content: disk, chunked: true}, FetchOptions{Limit: mib}, "are the limit", 1},
		"too large, compressed": {&fileServer{content: xzOf(t, make([]byte, 4*mib))}, FetchOptions{Limit: mib}, "4194304 bytes or more", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := tt.server
			s.t = t
			src := s.base("/dir/image?token=secret")
			src.Ref = strings.Replace(src.Ref, "://", "://user:hunter2@", 1)
			got := fetchTo(t, t.Context(), src, tt.opt)
			require.ErrorContains(t, got.err, tt.want)
			require.ErrorContains(t, got.err, "/dir/image")
			require.NotContains(t, got.err.Error(), "secret")
			require.NotContains(t, got.err.Error(), "hunter2")
			if tt.requests > 0 {
				require.Len(t, s.requested(), tt.requests)
			}
		})
	}
}

// A length that is not that of the body: the rest never comes.
func TestDownloadOfAWrongLength(t *testing.T) {
	disk := rawDisk(1, mib)
	src := Base{Kind: BaseSimple, Ref: startServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(disk)+1))
		_, _ = w.Write(disk)
	})}
	got := fetchTo(t, t.Context(), src, FetchOptions{Policy: transfer.Policy{Retries: 1}})
	require.ErrorContains(t, got.err, "unexpected EOF")
}

func TestDownloadWithoutAServer(t *testing.T) {
	src := Base{Kind: BaseSimple, Ref: "http://127.0.0.1:1/image?token=secret"}
	got := fetchTo(t, t.Context(), src, FetchOptions{Policy: transfer.Policy{Retries: 1}})
	require.ErrorContains(t, got.err, "GET http://127.0.0.1:1/image at byte 0: ")
	require.ErrorContains(t, got.err, "attempt 2")
}

func TestDownloadIsCancelled(t *testing.T) {
	disk := rawDisk(1, 8*mib)
	t.Run("on the way", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		src := (&fileServer{t: t, content: disk}).base("/image")
		got := fetchTo(t, ctx, src, FetchOptions{Progress: func(done, _ int64) {
			if done > mib {
				cancel(errStopped)
			}
		}})
		require.ErrorIs(t, got.err, errStopped)
	})
	t.Run("while the server is silent", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(errStopped) })
		src := (&fileServer{t: t, silent: time.Minute}).base("/image")
		require.ErrorIs(t, fetchTo(t, ctx, src, FetchOptions{}).err, errStopped)
	})
	t.Run("while it waits", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(errStopped) })
		src := (&fileServer{t: t, status: []int{503, 503}}).base("/image")
		require.ErrorIs(t, fetchTo(t, ctx, src, FetchOptions{Policy: transfer.Policy{Pause: func(int) time.Duration { return time.Hour }}}).err, errStopped)
	})
}
