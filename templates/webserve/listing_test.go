package webserve_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// names asks for a listing as JSON and gives the names in it.
func names(t *testing.T, h http.Handler, client, target string) []string {
	t.Helper()
	r := from(client, "GET", target)
	r.Header.Set("Accept", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	require.Equal(t, 200, w.Code, w.Body.String())
	require.Equal(t, strconv.Itoa(w.Body.Len()), w.Header().Get("Content-Length"))
	var entries []struct{ Name string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &entries), w.Body.String())
	var list []string
	for _, e := range entries {
		list = append(list, strings.TrimSuffix(e.Name, "/"))
	}
	return list
}

// TestZonesListed: the top names what its reader may read and is there, nothing
// else.
func TestZonesListed(t *testing.T) {
	root := newTree(t)
	write(t, root, "stray.img", "x")
	require.NoError(t, os.Mkdir(filepath.Join(root, "unruled"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(root, ".tplkit"), 0o755))
	require.NoError(t, os.Remove(filepath.Join(root, "bundles")))
	p := policyFor(403, "repo", "bundles", "yum")
	p.Zones[1].Allow = netSet("192.0.2.0/24")
	h := newHandler(t, root, webserve.Options{Policy: p})
	require.Equal(t, []string{"repo", "yum"}, names(t, h, "198.51.100.1", "/"))
	require.Equal(t, []string{"kubevirt", "repo", "yum"}, names(t, h, "192.0.2.1", "/"))
	require.NoError(t, h.SetPolicy(policyFor(403)))
	require.Empty(t, names(t, h, "192.0.2.1", "/"))
}

// TestEntriesListed: everything that is listed can be fetched under its name,
// and nothing that cannot is listed.
func TestEntriesListed(t *testing.T) {
	root := newTree(t)
	good := []string{"a b.img", "el8.xz", "index", "sub", "ü.img", "a?b", "a%2fb", "a&b<c>\"'", "~x", "x+y", "a:b", "-rf"}
	for _, name := range good {
		write(t, root, "repo/"+name, name)
	}
	require.NoError(t, os.Remove(filepath.Join(root, "repo/sub")))
	require.NoError(t, os.Mkdir(filepath.Join(root, "repo/sub"), 0o755))
	for _, name := range []string{".hidden", ".tplkit/x", "a.lock", "A.LOCK", "b.tmp", "dot.", "blank ", "back\\slash", "new\nline", "a#b", "u\xcc\x88.img", "\xff"} {
		write(t, root, "repo/"+name, name)
	}
	require.NoError(t, os.Symlink("el8.xz", filepath.Join(root, "repo/link")))
	h := newHandler(t, root, webserve.Options{})
	got := names(t, h, "192.0.2.1", "/repo/")
	require.ElementsMatch(t, good, got)
	for _, name := range got {
		if name == "sub" {
			continue
		}
		r := from("192.0.2.1", "GET", "/")
		r.URL.Path = "/repo/" + name
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, name)
		require.Equal(t, name, w.Body.String())
	}
}

// TestMountWithoutSlash: the addresses on the page are relative, so the top of a
// mounted tree needs its slash.
func TestMountWithoutSlash(t *testing.T) {
	h := http.StripPrefix("/templates", newHandler(t, newTree(t), webserve.Options{}))
	addr := start(t, h).Listener.Addr().String()
	r := ask(t, addr, "GET", "/templates?q=x")
	require.Equal(t, 301, r.status)
	require.Equal(t, "./templates/?q=x", r.header.Get("Location"))
	require.Equal(t, 200, ask(t, addr, "GET", "/templates/?q=x").status)
	require.Equal(t, "./repo/", ask(t, addr, "GET", "/templates/repo").header.Get("Location"))
}

func TestNoListing(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/sub/x", ten)
	var seen watch
	h := newHandler(t, root, webserve.Options{NoListing: true, Observe: seen.observe})
	for i, target := range []string{"/", "/repo/", "/repo/sub/"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from("192.0.2.1", "GET", target))
		require.Equal(t, 403, w.Code)
		require.Equal(t, webserve.RefusedListing, seen.wait(t, i+1)[i].Refused)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, from("192.0.2.1", "GET", "/repo/sub/x"))
	require.Equal(t, 200, w.Code)
}

// TestListingFails: a directory that cannot be read is no empty one.
func TestListingFails(t *testing.T) {
	root := newTree(t)
	h := newHandler(t, root, webserve.Options{})
	h.SetOpener(func(_ string, real func() (*tree.File, error)) (*tree.File, error) {
		f, err := real()
		if err == nil {
			err = f.Close() // what is done with it fails
		}
		return f, err
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, from("192.0.2.1", "GET", "/repo/"))
	require.Equal(t, 503, w.Code)
}

// TestBaseURL: the snippets on the page lead to where the visitor came.
func TestBaseURL(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/el8.xz", "x")
	known := func(context.Context, fs.FS) ([]templates.Published, error) {
		return []templates.Published{{Name: "el8", Version: "v1", Handle: "el8", File: "el8.xz", Latest: true}}, nil
	}
	plain := newHandler(t, root, webserve.Options{Catalogue: known})
	public := newHandler(t, root, webserve.Options{Catalogue: known, PublicURL: "https://templates.example.org/t/"})
	behind := policyFor(403, "repo")
	behind.TrustedProxies = netSet("10.0.0.1/32")
	proxied := newHandler(t, root, webserve.Options{Catalogue: known, Policy: behind})
	for name, c := range map[string]struct {
		h      http.Handler
		target string
		edit   func(r *http.Request)
		want   string
	}{
		"plain":          {plain, "http://h:8080/repo/", nil, "http://h:8080"},
		"a name":         {plain, "http://a-b.example.org/repo/", nil, "http://a-b.example.org"},
		"IPv6":           {plain, "http://[2001:db8::1]:80/repo/", nil, "http://[2001:db8::1]:80"},
		"TLS":            {plain, "https://h/repo/", nil, "https://h"},
		"public":         {public, "http://h/repo/", nil, "https://templates.example.org/t"},
		"mounted":        {http.StripPrefix("/templates", plain), "http://h/templates/repo/", nil, "http://h/templates"},
		"mounted deeper": {http.StripPrefix("/a/b/", plain), "http://h/a/b/repo/", nil, "http://h/a/b"},
		"no host":        {plain, "http://h/repo/", func(r *http.Request) { r.Host = "" }, "http://localhost"},
		"an odd host":    {plain, "http://h/repo/", func(r *http.Request) { r.Host = "h/<script>" }, "http://localhost"},
		"a liar":         {proxied, "http://h/repo/", func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }, "http://h"},
		"a proxy": {proxied, "http://h/repo/", func(r *http.Request) {
			r.RemoteAddr = "10.0.0.1:1"
			r.Header.Set("X-Forwarded-For", "192.0.2.1")
			r.Header.Set("X-Forwarded-Proto", "https")
		}, "https://h"},
	} {
		t.Run(name, func(t *testing.T) {
			r := from("192.0.2.1", "GET", c.target+"?template=el8")
			r.RequestURI = r.URL.RequestURI()
			if c.edit != nil {
				c.edit(r)
			}
			w := httptest.NewRecorder()
			c.h.ServeHTTP(w, r)
			require.Equal(t, 200, w.Code)
			require.Contains(t, w.Body.String(), c.want+"/repo/el8.xz")
		})
	}
}

// TestCork: held-back headers come with the body, at once, whatever follows on
// the connection.
func TestCork(t *testing.T) {
	root := newTree(t)
	for _, size := range []int{0, 1, 3000, 4096, 100_000, 1 << 20} {
		write(t, root, "repo/"+strconv.Itoa(size), strings.Repeat("x", size))
	}
	s := httptest.NewUnstartedServer(newHandler(t, root, webserve.Options{}))
	s.Config.ConnContext = webserve.ConnContext
	s.Start()
	defer s.Close()
	begin := time.Now()
	for range 10 {
		for _, size := range []int{0, 1, 3000, 4096, 100_000, 1 << 20} {
			for _, header := range []string{"", "Range: bytes=-10", "If-None-Match: *"} {
				h := []string{"Connection: keep-alive"}
				if header != "" {
					h[0] = header
				}
				r := ask(t, s.Listener.Addr().String(), "GET", "/repo/"+strconv.Itoa(size), h...)
				require.NoError(t, r.err)
				if header == "" {
					require.Len(t, r.body, size)
				}
			}
		}
	}
	res, err := s.Client().Get(s.URL + "/repo/4096")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Less(t, time.Since(begin), 10*time.Second, "held back for too long")
}
