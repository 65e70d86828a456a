package webserve_test

import (
	"errors"
	"io/fs"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

func TestFailures(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", ten)
	write(t, root, "repo/d/x", ten)
	for _, c := range []struct {
		err     error
		status  int
		refused string
		ours    bool
	}{
		{syscall.EMFILE, 503, webserve.RefusedBusy, true},
		{syscall.ENFILE, 503, webserve.RefusedBusy, true},
		{syscall.ENOMEM, 503, webserve.RefusedBusy, true},
		{syscall.EAGAIN, 503, webserve.RefusedBusy, true},
		{fs.ErrClosed, 503, webserve.RefusedBusy, true},
		{syscall.EIO, 500, "", true},
		{syscall.EINVAL, 500, "", true},
		{syscall.ESTALE, 500, "", true},
		{errors.New("something"), 500, "", true},
		{syscall.EACCES, 403, webserve.RefusedMode, false},
		{syscall.EPERM, 403, webserve.RefusedMode, false},
		{syscall.ENOENT, 404, "", false},
		{syscall.ENOTDIR, 404, "", false},
		{syscall.ENAMETOOLONG, 404, "", false},
		{syscall.ELOOP, 404, webserve.RefusedSpecial, false},
		{syscall.EXDEV, 404, webserve.RefusedSpecial, false},
		{syscall.ENXIO, 404, webserve.RefusedSpecial, false},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			var seen watch
			h := newHandler(t, root, webserve.Options{Observe: seen.observe})
			h.SetOpener(func(name string, _ func() (*tree.File, error)) (*tree.File, error) {
				return nil, &fs.PathError{Op: "open", Path: name, Err: c.err}
			})
			addr := start(t, h).Listener.Addr().String()
			n := 0
			for _, target := range []string{"/repo/x", "/repo/d", "/repo/d/", "/repo/"} {
				for _, method := range []string{"GET", "HEAD"} {
					n++
					r := ask(t, addr, method, target, "Range: bytes=0-1", "If-None-Match: *")
					require.Equal(t, c.status, r.status)
					for _, name := range []string{"Etag", "Last-Modified", "Cache-Control", "Accept-Ranges", "Content-Range", "Location"} {
						require.Empty(t, r.header.Get(name), name)
					}
					require.Equal(t, "text/plain; charset=utf-8", r.header.Get("Content-Type"))
					wait, err := strconv.Atoi(r.header.Get("Retry-After"))
					if c.status == 503 {
						require.NoError(t, err)
						require.GreaterOrEqual(t, wait, 2)
						require.LessOrEqual(t, wait, 5)
					} else {
						require.Error(t, err)
					}
				}
			}
			for _, e := range seen.wait(t, n) {
				require.Equal(t, c.refused, e.Refused)
				if c.ours {
					require.ErrorIs(t, e.Err, c.err)
					require.ErrorContains(t, e.Err, `"/repo/`)
				} else {
					require.NoError(t, e.Err)
				}
			}
		})
	}
}

// TestTopFails: a list of the zones that lacks one because of a fault would be a
// lie.
func TestTopFails(t *testing.T) {
	h := newHandler(t, newTree(t), webserve.Options{})
	var fail error
	h.SetOpener(func(_ string, real func() (*tree.File, error)) (*tree.File, error) {
		if fail != nil {
			return nil, fail
		}
		return real()
	})
	addr := start(t, h).Listener.Addr().String()
	for err, status := range map[error]int{syscall.EMFILE: 503, syscall.EIO: 500, syscall.EACCES: 200, nil: 200} {
		fail = err
		require.Equal(t, status, ask(t, addr, "GET", "/").status)
	}
}
