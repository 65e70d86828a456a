package webserve_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/webserve"
)

// TestReplace replaces a file 200 times, half of them by renaming a new file over
// it and half by exchanging its directory, while 16 clients download it and
// resume what was cut off. Nobody ever gets a mixture, and each part belongs to
// the version its tag names.
func TestReplace(t *testing.T) {
	const size, renames, clients = 1 << 20, 200, 16
	root := newTree(t)
	content := func(v int) []byte { return bytes.Repeat([]byte(fmt.Sprintf("version %05d\n", v)), size/14) }
	put := func(name string, v int) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), content(v), 0o644))
	}
	put("bundles/live/x", 0)
	put("bundles/next/x", 1)
	h := newHandler(t, root, webserve.Options{})
	// Files settle at once, so that there are strong tags to resume by.
	h.SetClock(later)
	s := start(t, h)

	var done atomic.Bool
	var wg sync.WaitGroup
	var whole, resumed, restarted atomic.Int64
	var tags sync.Map // tag → version
	for c := range clients {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(c)))
			for !done.Load() {
				got, tag, parts, err := download(s.URL+"/bundles/live/x", r, &restarted)
				if err != nil {
					t.Error(err)
					return
				}
				v := -1
				if _, err := fmt.Sscanf(string(got[:14]), "version %d\n", &v); err != nil || !bytes.Equal(got, content(v)) {
					t.Errorf("tag %s: a mixture, it begins with %q and ends with %q", tag, got[:14], got[len(got)-14:])
					return
				}
				if was, loaded := tags.LoadOrStore(tag, v); loaded && was != v {
					t.Errorf("tag %s of version %v and of %d", tag, was, v)
					return
				}
				whole.Add(1)
				resumed.Add(int64(parts))
			}
		})
	}
	live, next := filepath.Join(root, "bundles/live"), filepath.Join(root, "bundles/next")
	for v := range renames {
		if v%2 == 0 {
			put("bundles/new", v+2)
			require.NoError(t, os.Rename(filepath.Join(root, "bundles/new"), live+"/x"))
		} else {
			require.NoError(t, unix.Renameat2(unix.AT_FDCWD, live, unix.AT_FDCWD, next, unix.RENAME_EXCHANGE))
		}
		time.Sleep(10 * time.Millisecond)
	}
	done.Store(true)
	wg.Wait()
	t.Log(whole.Load(), "downloads,", resumed.Load(), "resumed parts,", restarted.Load(), "begun again")
	require.Positive(t, resumed.Load())
	require.Positive(t, restarted.Load())
}

// download gets a file in pieces of random length, each of which is resumed by
// the tag; a 200 begins again, with another version.
func download(url string, r *rand.Rand, restarted *atomic.Int64) (got []byte, tag string, parts int, err error) {
	for {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			return nil, "", 0, err
		}
		if len(got) > 0 {
			req.Header.Set("Range", fmt.Sprintf("bytes=%d-", len(got)))
			req.Header.Set("If-Range", tag)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, "", 0, err
		}
		switch {
		case res.StatusCode == http.StatusOK:
			if len(got) > 0 {
				restarted.Add(1)
			}
			got, tag, parts = nil, res.Header.Get("Etag"), 0
		case res.StatusCode == http.StatusPartialContent && res.Header.Get("Etag") == tag:
			parts++
		default:
			res.Body.Close()
			return nil, "", 0, fmt.Errorf("status %d with tag %s, asked for %s", res.StatusCode, res.Header.Get("Etag"), tag)
		}
		length := res.ContentLength
		piece := min(length, 100_000+r.Int64N(700_000))
		more, err := io.ReadAll(io.LimitReader(res.Body, piece))
		res.Body.Close()
		if err != nil {
			return nil, "", 0, err
		}
		got = append(got, more...)
		if piece == length {
			return got, tag, parts, nil
		}
	}
}

// TestYoungFiles: while a file may still be written to, nothing is resumed.
func TestYoungFiles(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", ten)
	h := newHandler(t, root, webserve.Options{})
	addr := start(t, h).Listener.Addr().String()
	r := ask(t, addr, "GET", "/repo/x")
	weak, date := r.header.Get("Etag"), r.header.Get("Last-Modified")
	require.True(t, strings.HasPrefix(weak, `W/"`), weak)
	for _, ifRange := range []string{weak, weak[2:], date} {
		require.Equal(t, 200, ask(t, addr, "GET", "/repo/x", "Range: bytes=0-1", "If-Range: "+ifRange).status, ifRange)
	}
	require.Equal(t, 206, ask(t, addr, "GET", "/repo/x", "Range: bytes=0-1").status)
	require.Equal(t, 304, ask(t, addr, "GET", "/repo/x", "If-None-Match: "+weak).status)
	require.Equal(t, 412, ask(t, addr, "GET", "/repo/x", "If-Match: "+weak).status)

	h.SetClock(later)
	strong := ask(t, addr, "GET", "/repo/x").header.Get("Etag")
	require.Equal(t, weak[2:], strong)
	for _, ifRange := range []string{strong, date} {
		require.Equal(t, 206, ask(t, addr, "GET", "/repo/x", "Range: bytes=0-1", "If-Range: "+ifRange).status, ifRange)
	}
	// Written in place, with the time put back: the tag tells.
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/x"), []byte("9876543210"), 0o644))
	require.NoError(t, os.Chtimes(filepath.Join(root, "repo/x"), past, past))
	require.NotEqual(t, strong, ask(t, addr, "GET", "/repo/x").header.Get("Etag"))
	require.Equal(t, 200, ask(t, addr, "GET", "/repo/x", "Range: bytes=0-1", "If-Range: "+strong).status)
	// A time in the future is not told.
	future := later().Add(time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(root, "repo/x"), future, future))
	require.Empty(t, ask(t, addr, "GET", "/repo/x").header.Get("Last-Modified"))
}

// TestZoneIsReplaced: a zone that is put in the place of another is noticed.
func TestZoneIsReplaced(t *testing.T) {
	root := newTree(t)
	write(t, root, "yum/x", "old")
	write(t, root, "new/x", "new")
	addr := start(t, newHandler(t, root, webserve.Options{})).Listener.Addr().String()
	require.Equal(t, "old", ask(t, addr, "GET", "/yum/x").body)
	require.NoError(t, os.Rename(filepath.Join(root, "yum"), filepath.Join(root, "old")))
	require.NoError(t, os.Rename(filepath.Join(root, "new"), filepath.Join(root, "yum")))
	require.Eventually(t, func() bool { return ask(t, addr, "GET", "/yum/x").body == "new" }, time.Second, 20*time.Millisecond)
	require.NoError(t, os.RemoveAll(filepath.Join(root, "yum")))
	require.Eventually(t, func() bool { return ask(t, addr, "GET", "/yum/").status == 404 }, time.Second, 20*time.Millisecond)
	require.NoError(t, os.Mkdir(filepath.Join(root, "yum"), 0o755))
	require.Eventually(t, func() bool { return ask(t, addr, "GET", "/yum/").status == 200 }, time.Second, 20*time.Millisecond)
}

// TestRootIsSwitched: a whole tree can be put in the place of another by turning
// the link that leads to it.
func TestRootIsSwitched(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"one", "two"} {
		write(t, top, name+"/repo/x", name)
	}
	link, next := filepath.Join(top, "current"), filepath.Join(top, "next")
	require.NoError(t, os.Symlink("one", link))
	addr := start(t, newHandler(t, link, webserve.Options{})).Listener.Addr().String()
	require.Equal(t, "one", ask(t, addr, "GET", "/repo/x").body)
	require.NoError(t, os.Symlink("two", next))
	require.NoError(t, os.Rename(next, link))
	require.Eventually(t, func() bool { return ask(t, addr, "GET", "/repo/x").body == "two" }, time.Second, 20*time.Millisecond)
}
