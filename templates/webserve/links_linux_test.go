package webserve_test

import (
	"flag"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/webserve"
)

// swapFor is how long TestSwap races; the whole test is 10 s.
var swapFor = flag.Duration("swap", time.Second, "how long TestSwap exchanges a directory and a link")

// linkTop makes a link out of a zone to the top of the tree.
func linkTop(root, zone string) error { return os.Symlink("..", filepath.Join(root, zone, "link")) }

// TestLinks: whatever stands in a zone beside regular files and directories is
// not there for clients, and opening it does not hang.
func TestLinks(t *testing.T) {
	// A socket's path has a small limit, which the test's own name can pass.
	root, err := os.MkdirTemp("", "tpl")
	require.NoError(t, err)
	defer os.RemoveAll(root)
	write(t, root, "kubevirt/secret.img", "secret")
	write(t, root, "kubevirt/dir/secret.img", "secret")
	write(t, root, "repo/dir/x.img", "public")
	write(t, root, "repo/x.img", "public")
	repo := filepath.Join(root, "repo")
	for name, to := range map[string]string{
		"file": "../kubevirt/secret.img", "absolute": filepath.Join(root, "kubevirt/secret.img"), "dirlink": "../kubevirt", "dir/up": "../../kubevirt/dir",
		"chain1": "chain2", "chain2": "chain3", "chain3": "../kubevirt/secret.img", "loop": "loop", "inside": "x.img", "insidedir": "dir", "self": ".",
		"dangling": "none", "proc": "/proc/self/root" + root + "/kubevirt/secret.img", "fd": "/proc/self/fd",
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(repo, name)))
	}
	require.NoError(t, os.Symlink("kubevirt", filepath.Join(root, "yum"))) // a whole zone
	require.NoError(t, syscall.Mkfifo(filepath.Join(repo, "fifo"), 0o644))
	l, err := net.Listen("unix", filepath.Join(repo, "socket"))
	require.NoError(t, err)
	defer l.Close()
	special := []string{"fifo", "socket", "file", "absolute", "chain1", "loop", "inside", "dangling", "proc"}
	if syscall.Mknod(filepath.Join(repo, "device"), syscall.S_IFCHR|0o666, 1<<8|5) == nil {
		special = append(special, "device")
	}

	var seen watch
	h := newHandler(t, root, webserve.Options{Policy: policyFor(403, "repo", "yum", "bundles"), Observe: seen.observe})
	get := func(target string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		begin := time.Now()
		h.ServeHTTP(w, from("192.0.2.7", "GET", target))
		require.Less(t, time.Since(begin), time.Second, "%s blocked", target)
		require.NotContains(t, w.Body.String(), "secret", target)
		return w
	}
	n := 0
	for _, name := range special {
		for _, end := range []string{"", "/"} {
			require.Equal(t, 404, get("/repo/"+name+end).Code, name)
			n++
		}
	}
	for _, e := range seen.wait(t, n) {
		require.NoError(t, e.Err)
	}
	for _, target := range []string{
		"/repo/dirlink", "/repo/dirlink/", "/repo/dirlink/secret.img", "/repo/dir/up/secret.img", "/repo/insidedir/x.img", "/repo/insidedir/", "/repo/self/x.img",
		"/repo/self/self/dirlink/secret.img", "/repo/fd/3", "/yum/secret.img", "/yum/", "/yum", "/yum/dir/secret.img", "/bundles/", "/bundles/x",
	} {
		require.Equal(t, 404, get(target).Code, target)
	}
	require.Equal(t, "public", get("/repo/x.img").Body.String())
	page := get("/repo/").Body.String()
	require.Contains(t, page, "x.img")
	for _, name := range append(special, "dirlink", "insidedir", "self", "chain2", "fd") {
		require.NotContains(t, page, `href="`+name, name)
	}
	top := get("/").Body.String()
	require.Contains(t, top, "repo/")
	require.NotContains(t, top, "yum/", "a zone that is a link is no zone")
	require.NotContains(t, top, "bundles/", "a zone that is not there")
	require.NotContains(t, top, "kubevirt/")

	// A hard link cannot be told from the file: this is what the audit warns of.
	require.NoError(t, os.Link(filepath.Join(root, "kubevirt/dir/secret.img"), filepath.Join(repo, "hard.img")))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, from("192.0.2.7", "GET", "/repo/hard.img"))
	require.Equal(t, 200, w.Code)
	require.Equal(t, "secret", w.Body.String())
}

// TestSwap exchanges a directory, and a file, with links to secrets while both
// are asked for.
func TestSwap(t *testing.T) {
	root := newTree(t)
	write(t, root, "kubevirt/d/x.img", "secret")
	write(t, root, "repo/d/x.img", "public")
	write(t, root, "repo/f.img", "public")
	repo := filepath.Join(root, "repo")
	require.NoError(t, os.Symlink("../kubevirt/d", filepath.Join(repo, "l")))
	require.NoError(t, os.Symlink("../kubevirt/d/x.img", filepath.Join(repo, "m.img")))
	h := newHandler(t, root, webserve.Options{Policy: policyFor(403, "repo")})

	var stop atomic.Bool
	var swaps, served, missing atomic.Int64
	var wg sync.WaitGroup
	exchange := func(a, b string) {
		for !stop.Load() {
			if unix.Renameat2(unix.AT_FDCWD, filepath.Join(repo, a), unix.AT_FDCWD, filepath.Join(repo, b), unix.RENAME_EXCHANGE) != nil {
				t.Error("cannot exchange")
				return
			}
			swaps.Add(1)
		}
	}
	wg.Go(func() { exchange("d", "l") })
	wg.Go(func() { exchange("f.img", "m.img") })
	for range 4 {
		wg.Go(func() {
			for !stop.Load() {
				for _, target := range []string{"/repo/d/x.img", "/repo/f.img", "/repo/l/x.img", "/repo/m.img", "/repo/d/", "/repo/"} {
					w := httptest.NewRecorder()
					h.ServeHTTP(w, from("192.0.2.7", "GET", target))
					switch {
					case w.Code == 404:
						missing.Add(1)
					case w.Code == 200 && target[len(target)-1] == '/':
					case w.Code == 200 && w.Body.String() == "public":
						served.Add(1)
					default:
						t.Errorf("%s: %d %q", target, w.Code, w.Body.String())
						stop.Store(true)
						return
					}
				}
			}
		})
	}
	time.Sleep(*swapFor)
	stop.Store(true)
	wg.Wait()
	t.Log(swaps.Load(), "exchanges,", served.Load(), "served,", missing.Load(), "missing")
	require.Positive(t, served.Load())
	require.Positive(t, missing.Load())
}
