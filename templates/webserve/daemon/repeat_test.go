//go:build linux

package daemon_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
	"github.com/tplkit/tplkit/templates/webserve/internal/corpus"
)

func TestRepeated(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	r.put(t, "repo/index", "first")
	r.put(t, "repo/empty", "")
	r.put(t, "repo/full", strings.Repeat("x", 32<<10))
	r.put(t, "repo/large", strings.Repeat("x", 32<<10+1))
	time.Sleep(settle)

	ask := header("/repo/index")
	a := r.dial(t)
	first := a.requireOne(ask, "first")
	a.requireOne(ask, "first") // begins where it is known that a request begins
	remembered, _ := r.Repeats()
	require.Zero(t, remembered)
	a.requireOne(ask, "first") // has come before
	remembered, _ = r.Repeats()
	require.Equal(t, 1, remembered)
	require.Zero(t, r.repeated(t))
	again := a.requireOne(ask, "first")
	require.Equal(t, 1, r.repeated(t))
	require.NotEmpty(t, again.Header.Get("Etag"))
	at, err := http.ParseTime(again.Header.Get("Date"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, 5*time.Second)
	first.Header.Del("Date")
	again.Header.Del("Date")
	require.Equal(t, first.Header, again.Header)

	// By another connection: from its second request on, and told as that one's.
	b := r.dial(t)
	b.requireOne(ask, "first")
	require.Equal(t, 1, r.repeated(t))
	normal := r.last(t)
	b.requireOne(ask, "first")
	require.Equal(t, 2, r.repeated(t))
	repeated := r.last(t)
	require.Equal(t, b.LocalAddr().String(), repeated.Request.RemoteAddr)
	require.Equal(t, normal.Request.RequestURI, repeated.Request.RequestURI)
	require.Equal(t, normal.Request.Header, repeated.Request.Header)
	require.WithinDuration(t, time.Now(), repeated.Time, 5*time.Second)
	require.Positive(t, repeated.Duration)
	line := daemon.Combined(&repeated)
	require.Contains(t, line, "GET /repo/index HTTP/1.1")
	require.Contains(t, line, " peer=127.0.0.1 zone=repo decision=allowed sent=200 ")
	normal.Request, normal.Time, normal.Duration = repeated.Request, repeated.Time, repeated.Duration
	require.Equal(t, normal, repeated)
	require.Len(t, r.events, 6)

	// Files from nothing to as much as is kept, and no more.
	for name, n := range map[string]int{"empty": 0, "full": 32 << 10, "large": 32<<10 + 1} {
		before := r.repeated(t)
		for range 5 { // read, offered, remembered, and given again
			a.requireOne(header("/repo/"+name), strings.Repeat("x", n))
		}
		want := 2
		if name == "large" {
			want = 0
		}
		require.Equal(t, want, r.repeated(t)-before, name)
	}

	// Requests of other bytes are others. Those that name what the client has are not remembered.
	remembered, _ = r.Repeats()
	resp, body := a.ask(header("/repo/index", "Range: bytes=1-2"))
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	require.Equal(t, "ir", body)
	resp, _ = a.ask(header("/repo/index", "If-None-Match: "+first.Header.Get("Etag")))
	require.Equal(t, http.StatusNotModified, resp.StatusCode)
	resp, _ = a.ask(header("/repo/index", "Range: bytes=100-"))
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, resp.StatusCode)
	for range 3 {
		a.requireOne(header("/repo/index", `If-None-Match: "old"`), "first")
		a.requireOne(header("/repo/index", "Range: bytes=1-2", `If-Range: "old"`), "first")
	}
	now, _ := r.Repeats()
	require.Equal(t, remembered, now)
	a.requireOne(ask, "first")

	// The last words of a connection are not remembered as those of all.
	for range 3 {
		c := r.dial(t)
		c.requireOne(ask, "first")
		resp := c.requireOne(header("/repo/index", "Connection: close"), "first")
		require.True(t, resp.Close)
		_, err := c.in.ReadByte()
		require.ErrorIs(t, err, io.EOF)
	}
}

// TestRepeatedIsNeverOld: what has changed is seen by the next request.
func TestRepeatedIsNeverOld(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	ask := header("/repo/index")
	a := r.dial(t)
	known := func(want string) {
		t.Helper()
		time.Sleep(settle)
		before := r.repeated(t)
		for range 4 {
			a.requireOne(ask, want)
		}
		require.Greater(t, r.repeated(t), before)
	}
	r.put(t, "repo/index", "first")
	known("first")
	r.put(t, "repo/index", "other") // of the same length
	a.requireOne(ask, "other")
	known("other")
	require.NoError(t, os.WriteFile(filepath.Join(r.root, "repo/index"), []byte("third"), 0o644)) // in its place
	a.requireOne(ask, "third")
	known("third")

	require.NoError(t, r.handler.SetPolicy(parsePolicy(t, "zone repo\nallow 192.0.2.0/24\n")))
	for range 3 {
		resp, body := a.ask(ask)
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
		require.NotContains(t, body, "third")
	}
	require.NoError(t, r.handler.SetPolicy(parsePolicy(t, everyone)))
	known("third")

	// The catalogue's zone is replaced as a whole.
	require.NoError(t, os.Rename(filepath.Join(r.root, "repo"), filepath.Join(r.root, "old")))
	require.NoError(t, os.Mkdir(filepath.Join(r.root, "repo"), 0o755))
	r.put(t, "repo/index", "new tree")
	require.Eventually(t, func() bool {
		_, body := a.ask(ask)
		return body == "new tree"
	}, 5*time.Second, 20*time.Millisecond)
	known("new tree")
	require.NoError(t, os.Remove(filepath.Join(r.root, "repo/index")))
	resp, _ := a.ask(ask)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.NoError(t, os.Symlink("../old/index", filepath.Join(r.root, "repo/index")))
	resp, _ = a.ask(ask)
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
}

// TestOfferIsForOneAnswer: what is found out about one file says nothing about the next answer of the connection.
func TestOfferIsForOneAnswer(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	r.put(t, "repo/index", "index")
	require.NoError(t, os.Mkdir(filepath.Join(r.root, "repo/sub"), 0o755))
	r.put(t, "repo/sub/file", "before")
	time.Sleep(settle)
	a := r.dial(t)
	tag := a.requireOne(header("/repo/index"), "index").Header.Get("Etag")
	for range 3 {
		resp, _ := a.ask(header("/repo/index", "If-None-Match: "+tag)) // offered, and not released
		require.Equal(t, http.StatusNotModified, resp.StatusCode)
		a.requireOne(header("/repo/sub/file"), "before") // released, and not kept
	}
	require.Zero(t, r.repeated(t))
	r.put(t, "repo/sub/file", "behind")
	a.requireOne(header("/repo/sub/file"), "behind")
}

// TestRepeatedForWhomItIsMeant: one client's answer is not another's, though they ask in the same words.
func TestRepeatedForWhomItIsMeant(t *testing.T) {
	t.Parallel()
	policy := parsePolicy(t, "proxy-protocol 127.0.0.1\nzone kubevirt\nallow 192.0.2.0/24\n")
	r := startRepeating(t, policy, daemon.Options{Policy: func() *acl.Policy { return policy }})
	r.put(t, "kubevirt/secret", "secret")
	time.Sleep(settle)
	dial := func(client string) *asker {
		a := r.dial(t)
		a.send("PROXY TCP4 " + client + " 127.0.0.1 4711 80\r\n")
		return a
	}
	ask := header("/kubevirt/secret")
	friend, stranger := dial("192.0.2.7"), dial("198.51.100.1")
	for i := range 5 {
		friend.requireOne(ask, "secret")
		for range 2 {
			resp, body := stranger.ask(ask)
			require.Equal(t, http.StatusForbidden, resp.StatusCode)
			require.NotContains(t, body, "secret")
			require.Equal(t, acl.ReasonNotListed, r.last(t).Refused, "%d", i)
		}
	}
	before := r.repeated(t)
	for range 5 {
		friend.requireOne(ask, "secret")
	}
	require.Greater(t, r.repeated(t), before)
	ev := r.last(t)
	require.Equal(t, netip.MustParseAddr("192.0.2.7"), ev.Peer)
	require.Equal(t, netip.MustParseAddr("192.0.2.7"), ev.Client)
	require.Contains(t, daemon.Combined(&ev), " via=127.0.0.1 ")
}

// TestRepeatedCorpus: whatever one client may read, by whatever name, another one who asks for the same after him gets
// nothing of it.
func TestRepeatedCorpus(t *testing.T) {
	t.Parallel()
	const denied, allowed = "198.51.100.1", "192.0.2.7"
	policy := parsePolicy(t, "proxy-protocol 127.0.0.1\nzone kubevirt\nallow 192.0.2.0/24\nzone repo\nallow all\n")
	r := startRepeating(t, policy, daemon.Options{Policy: func() *acl.Policy { return policy }})
	r.put(t, "kubevirt/secret.img", "the secret")
	r.put(t, "repo/known", "known to all")
	time.Sleep(settle)
	conns := map[string]*asker{}
	// ask asks on a kept connection, that has been asked before, and gives status and body.
	ask := func(client, request string) (int, string) {
		a := conns[client]
		if a == nil {
			a = r.dial(t)
			conns[client] = a
			a.send("PROXY TCP4 " + client + " 127.0.0.1 4711 80\r\n")
			a.requireOne(header("/repo/known"), "known to all")
		}
		resp, body := a.ask(request)
		if resp.Close {
			a.Close()
			delete(conns, client)
		}
		return resp.StatusCode, body
	}
	served := 0
	for _, target := range corpus.Targets() {
		raw := target.For("kubevirt", "secret.img")
		request := header(raw)
		status, body := ask(allowed, request)
		if target.Serves {
			require.Equal(t, http.StatusOK, status, "%q", raw)
			require.Equal(t, "the secret", body)
			served++
		}
		for range 3 {
			again, same := ask(allowed, request)
			require.Equal(t, status, again, "%q", raw)
			require.Equal(t, body, same, "%q", raw)
		}
		for range 2 {
			status, body := ask(denied, request)
			require.NotContains(t, body, "the secret", "%q", raw)
			if target.Serves {
				require.Equal(t, http.StatusForbidden, status, "%q", raw)
			}
		}
	}
	require.Greater(t, served, 5)
	require.GreaterOrEqual(t, r.repeated(t), served)
}

// TestRepeatedHeadersOfProxies: whom a trusted proxy speaks for is part of the request.
func TestRepeatedHeadersOfProxies(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, "trusted-proxies 127.0.0.1\nzone kubevirt\nallow 192.0.2.0/24\n"), daemon.Options{})
	r.put(t, "kubevirt/secret", "secret")
	time.Sleep(settle)
	a := r.dial(t)
	for range 5 {
		a.requireOne(header("/kubevirt/secret", "X-Forwarded-For: 192.0.2.7"), "secret")
		resp, _ := a.ask(header("/kubevirt/secret", "X-Forwarded-For: 198.51.100.1"))
		require.Equal(t, http.StatusForbidden, resp.StatusCode)
	}
	require.Positive(t, r.repeated(t))
	require.Equal(t, "198.51.100.1", r.last(t).Client.String())
}

// TestNotRepeated: nothing is remembered where others are in front of the handler, or TLS is.
func TestNotRepeated(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(root, "repo"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/index"), []byte("index"), 0o644))
	time.Sleep(settle)
	h, err := webserve.New(root, webserve.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })

	var asked atomic.Int64
	wrapped := launch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h.ServeHTTP(w, r)
	}), daemon.Options{})
	a := (&repeating{running: wrapped}).dial(t)
	for range 5 {
		a.requireOne(header("/repo/index"), "index")
	}
	require.EqualValues(t, 5, asked.Load())

	pair := newPair(t, "127.0.0.1")
	secure := launch(t, h, daemon.Options{CertFile: pair.certFile, KeyFile: pair.keyFile})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	defer client.CloseIdleConnections()
	for range 5 {
		resp, err := client.Get(secure.url + "/repo/index")
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, "index", string(body))
	}
	secure.figure(t, "tplkit_http_repeated_total", "0")
}

func TestSplitAnswer(t *testing.T) {
	t.Parallel()
	const good = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nDate: now\r\nEtag: \"x\"\r\n\r\nbody"
	require.Equal(t, strings.Replace(good, "now", "then", 1), daemon.SplitAnswer(good, "then"))
	last := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nDate: now\r\n\r\n"
	require.Equal(t, strings.Replace(last, "now", "then", 1), daemon.SplitAnswer(last, "then"))
	for _, bad := range []string{
		"", "\r\n\r\n", good[:len(good)-1], good + "x",
		strings.Replace(good, "200 OK", "206 Partial Content", 1),
		strings.Replace(good, "HTTP/1.1", "HTTP/1.0", 1),
		strings.Replace(good, "Date: ", "Late: ", 1),
		strings.Replace(good, "Etag: ", "Connection: ", 1),
		strings.Replace(good, "Content-Length: 4", "Transfer-Encoding: chunked", 1),
		strings.Replace(good, "Length: 4", "Length: 14", 1),
	} {
		require.Empty(t, daemon.SplitAnswer(bad, "then"), "%q", bad)
	}
}
