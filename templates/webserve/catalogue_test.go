package webserve_test

import (
	"context"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve"
)

// digests reads a catalogue that knows the digest of each .xz, as it is now.
func digests(calls *atomic.Int64) func(context.Context, fs.FS) ([]templates.Published, error) {
	return func(ctx context.Context, repo fs.FS) ([]templates.Published, error) {
		calls.Add(1)
		names, err := fs.Glob(repo, "*.xz")
		var list []templates.Published
		for _, name := range names {
			data, err := fs.ReadFile(repo, name)
			if err != nil {
				return nil, err
			}
			sum := sha512.Sum512(data)
			handle := name[:len(name)-len(".xz")]
			list = append(list, templates.Published{Name: handle, Version: "v1", Handle: handle, File: name, PackedSize: int64(len(data)), SHA512: hex.EncodeToString(sum[:])})
		}
		return list, err
	}
}

func reprDigest(content string) string {
	sum := sha512.Sum512([]byte(content))
	return "sha-512=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// indexed writes the index, at least one tick of the kernel's clock after what
// was written before.
func indexed(t *testing.T, root, content string) {
	t.Helper()
	time.Sleep(20 * time.Millisecond)
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/index"), []byte(content), 0o644))
}

func TestReprDigest(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/el8.xz", "packed")
	write(t, root, "repo/el9-v1.xz", "packed too")
	write(t, root, "repo/el9.hash", "hash")
	write(t, root, "repo/sub/el8.xz", "packed")
	write(t, root, "bundles/el8.xz", "packed")
	indexed(t, root, "first")
	var calls atomic.Int64
	h := newHandler(t, root, webserve.Options{Catalogue: digests(&calls)})
	h.SetClock(later)
	addr := start(t, h).Listener.Addr().String()
	digest := func(target string, header ...string) string {
		return ask(t, addr, "GET", target, header...).header.Get("Repr-Digest")
	}
	eventually := func(target, want string) {
		t.Helper()
		require.Eventually(t, func() bool { return digest(target) == want }, 10*time.Second, 20*time.Millisecond)
	}
	eventually("/repo/el8.xz", reprDigest("packed"))
	require.Equal(t, reprDigest("packed"), digest("/repo/el8.xz", "Range: bytes=0-1"), "it speaks of the whole file")
	require.Equal(t, reprDigest("packed"), ask(t, addr, "HEAD", "/repo/el8.xz").header.Get("Repr-Digest"))
	require.Empty(t, digest("/repo/el8.xz", "Range: bytes=99-"))
	for _, target := range []string{"/repo/el9.hash", "/repo/sub/el8.xz", "/bundles/el8.xz", "/repo/index", "/repo/none.xz"} {
		require.Empty(t, digest(target), target)
	}
	// A name that holds the version keeps its content for ever.
	require.Equal(t, "public, max-age=31536000, immutable, no-transform", ask(t, addr, "GET", "/repo/el9-v1.xz").header.Get("Cache-Control"))
	require.Equal(t, "no-cache, no-transform", ask(t, addr, "GET", "/repo/el8.xz").header.Get("Cache-Control"))

	// Changed after the index was written, with the same size and time: not sure.
	write(t, root, "repo/el8.xz", "PACKED")
	require.Empty(t, digest("/repo/el8.xz"))
	require.Equal(t, reprDigest("packed too"), digest("/repo/el9-v1.xz"))
	// The index comes after: sure again.
	indexed(t, root, "second index")
	eventually("/repo/el8.xz", reprDigest("PACKED"))
	// Replaced by a rename: the file is old, its name is not.
	write(t, root, "repo/aside", "Packed")
	indexed(t, root, "third")
	require.NoError(t, os.Rename(filepath.Join(root, "repo/aside"), filepath.Join(root, "repo/el8.xz")))
	require.Empty(t, digest("/repo/el8.xz"))
	// An index whose time lies before the file's proves nothing.
	indexed(t, root, "fourth")
	require.NoError(t, os.Chtimes(filepath.Join(root, "repo/index"), past, past))
	time.Sleep(1500 * time.Millisecond)
	require.Empty(t, digest("/repo/el8.xz"))
	// No index, nothing sure.
	require.NoError(t, os.Remove(filepath.Join(root, "repo/index")))
	time.Sleep(1500 * time.Millisecond)
	require.Empty(t, digest("/repo/el9-v1.xz"))
}

// TestCatalogueIsCached: it is read once for as long as the indexes stay, and
// not more often than it may be while they change; no download waits for it.
func TestCatalogueIsCached(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/el8.xz", "packed")
	indexed(t, root, "first")
	var calls, running atomic.Int64
	gate := make(chan struct{})
	read := func(ctx context.Context, repo fs.FS) ([]templates.Published, error) {
		calls.Add(1)
		if running.Add(1) > 1 {
			t.Error("two readings at a time")
		}
		defer running.Add(-1)
		select {
		case <-gate:
			return nil, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	h := newHandler(t, root, webserve.Options{Catalogue: read})
	get := func(target string) int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from("192.0.2.7", "GET", target))
		return w.Code
	}
	begin := time.Now()
	for range 200 {
		require.Equal(t, 200, get("/repo/el8.xz"))
	}
	require.Less(t, time.Since(begin), 5*time.Second, "downloads wait for the catalogue")
	require.Eventually(t, func() bool { return calls.Load() == 1 }, 5*time.Second, time.Millisecond)
	// A page that is given up on does not wait either.
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	h.ServeHTTP(httptest.NewRecorder(), from("192.0.2.7", "GET", "/repo/").WithContext(ctx))
	close(gate)
	for range 50 {
		require.Equal(t, 200, get("/repo/"))
	}
	require.LessOrEqual(t, calls.Load(), int64(1))

	begin = time.Now()
	for i := range 40 {
		require.NoError(t, os.WriteFile(filepath.Join(root, "repo/index"), make([]byte, i), 0o644))
		require.Equal(t, 200, get("/repo/el8.xz"))
		time.Sleep(50 * time.Millisecond)
	}
	most := int64(time.Since(begin)/time.Second) + 3
	require.LessOrEqual(t, calls.Load(), most)
	require.Greater(t, calls.Load(), int64(1))
}

// TestCatalogueFails: a fault, also a panic, is no end; it is read again.
func TestCatalogueFails(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/el8.xz", "packed")
	indexed(t, root, "first")
	var calls atomic.Int64
	good := digests(&calls)
	read := func(ctx context.Context, repo fs.FS) ([]templates.Published, error) {
		switch calls.Load() {
		case 0:
			calls.Add(1)
			return nil, errors.New("unreadable")
		case 1:
			calls.Add(1)
			panic("bug")
		}
		return good(ctx, repo)
	}
	h := newHandler(t, root, webserve.Options{Catalogue: read})
	addr := start(t, h).Listener.Addr().String()
	require.Eventually(t, func() bool {
		require.Equal(t, 200, ask(t, addr, "GET", "/repo/").status)
		return ask(t, addr, "GET", "/repo/el8.xz").header.Get("Repr-Digest") == reprDigest("packed")
	}, 20*time.Second, 50*time.Millisecond)
	require.GreaterOrEqual(t, calls.Load(), int64(3))
}

// TestCatalogueWithFaults: what is wrong with single entries is no reason to read everything for each visitor.
func TestCatalogueWithFaults(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/el8.xz", "packed")
	indexed(t, root, "first")
	var calls atomic.Int64
	good := digests(&calls)
	h := newHandler(t, root, webserve.Options{Catalogue: func(ctx context.Context, repo fs.FS) ([]templates.Published, error) {
		list, err := good(ctx, repo)
		return list, errors.Join(err, errors.New("el9: named by the index, and not there"))
	}})
	addr := start(t, h).Listener.Addr().String()
	begin := time.Now()
	for range 20 {
		require.Equal(t, 200, ask(t, addr, "GET", "/repo/?view=templates").status)
	}
	require.Equal(t, int64(1), calls.Load())
	require.Less(t, time.Since(begin), 5*time.Second)
	require.Equal(t, reprDigest("packed"), ask(t, addr, "GET", "/repo/el8.xz").header.Get("Repr-Digest"))
}

// TestCloseStopsTheCatalogue: a reading that hangs ends with the handler.
func TestCloseStopsTheCatalogue(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/el8.xz", "packed")
	began := make(chan struct{})
	h, err := webserve.New(root, webserve.Options{Catalogue: func(ctx context.Context, _ fs.FS) ([]templates.Published, error) {
		close(began)
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	require.NoError(t, err)
	h.ServeHTTP(httptest.NewRecorder(), from("192.0.2.7", "GET", "/repo/el8.xz"))
	<-began
	require.NoError(t, h.Close())
}

func TestVersioned(t *testing.T) {
	for _, c := range []struct {
		handle, version string
		want            bool
	}{
		{"el8-base-v1", "v1", true}, {"el8.2", "2", true}, {"el8+3", "3", true}, {"el8_3", "3", true},
		{"el8", "v1", false}, {"el8-latest", "latest", false}, {"el8v1", "v1", false}, {"v1", "v1", false}, {"el8", "", false}, {"", "", false},
	} {
		require.Equal(t, c.want, webserve.Versioned(c.handle, c.version), "%+v", c)
	}
}
