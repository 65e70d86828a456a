//go:build linux

package daemon_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
	"github.com/tplkit/tplkit/templates/webserve/internal/corpus"
)

// repeating is a tree that is served by a handler with nothing in front.
type repeating struct {
	*running
	root    string
	handler *webserve.Handler

	mu     sync.Mutex
	events []webserve.Event
}

// settle is longer than a file must have been left alone to be kept in memory.
const settle = 2100 * time.Millisecond

func startRepeating(t *testing.T, policy *acl.Policy, opt daemon.Options) *repeating {
	t.Helper()
	r := &repeating{root: t.TempDir()}
	for _, zone := range []string{"repo", "bundles", "yum", "kubevirt"} {
		require.NoError(t, os.Mkdir(filepath.Join(r.root, zone), 0o755))
	}
	var err error
	r.handler, err = webserve.New(r.root, webserve.Options{Policy: policy, Observe: func(e *webserve.Event) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.events = append(r.events, *e)
		if opt.Metrics != nil {
			opt.Metrics.Observe(e)
		}
	}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.handler.Close()) })
	r.running = launch(t, r.handler, opt)
	return r
}

// put publishes a file as it should be: by a rename.
func (r *repeating) put(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(r.root, name)
	require.NoError(t, os.WriteFile(path+".new", []byte(content), 0o644))
	require.NoError(t, os.Rename(path+".new", path))
}

// repeated is how many requests were answered like one before.
func (r *repeating) repeated(t *testing.T) int {
	t.Helper()
	_, after, ok := strings.Cut(r.figures(t), "\ntplkit_http_repeated_total ")
	require.True(t, ok)
	n := 0
	_, err := fmt.Sscan(after, &n)
	require.NoError(t, err)
	return n
}

// asker is a connection that is kept.
type asker struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

func (r *repeating) dial(t *testing.T) *asker {
	t.Helper()
	c, err := net.Dial("tcp", host(r.url))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	return &asker{t, c, bufio.NewReader(c)}
}

// last is the event of the latest request.
func (r *repeating) last(t *testing.T) webserve.Event {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	require.NotEmpty(t, r.events)
	return r.events[len(r.events)-1]
}

// header is a request without a body.
func header(path string, lines ...string) string {
	return strings.Join(append([]string{"GET " + path + " HTTP/1.1", "Host: templates", "User-Agent: test"}, lines...), "\r\n") + "\r\n\r\n"
}

func (a *asker) send(s string) {
	a.t.Helper()
	_, err := io.WriteString(a, s)
	require.NoError(a.t, err)
}

// answer reads one.
func (a *asker) answer() (resp *http.Response, body string) {
	a.t.Helper()
	resp, err := http.ReadResponse(a.in, nil)
	require.NoError(a.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	require.NoError(a.t, err)
	return resp, string(b)
}

func (a *asker) ask(s string) (*http.Response, string) {
	a.t.Helper()
	a.send(s)
	return a.answer()
}

// requireOne wants an answer of 200 with a body.
func (a *asker) requireOne(s, want string) *http.Response {
	a.t.Helper()
	resp, body := a.ask(s)
	require.Equal(a.t, http.StatusOK, resp.StatusCode)
	require.Equal(a.t, want, body)
	return resp
}

// everyone may read all.
const everyone = "zone repo\nallow all\nzone bundles\nallow all\nzone yum\nallow all\nzone kubevirt\nallow all\n"

func parsePolicy(t *testing.T, text string) *acl.Policy {
	t.Helper()
	p, err := acl.Parse("policy", strings.NewReader(text), nil)
	require.NoError(t, err)
	return p
}

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
	a.requireOne(ask, "first") // begins where it is known that a request begins: from here on it is remembered
	require.Zero(t, r.repeated(t))
	third := a.requireOne(ask, "first")
	require.Equal(t, 1, r.repeated(t))
	require.NotEmpty(t, third.Header.Get("Etag"))
	at, err := http.ParseTime(third.Header.Get("Date"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, 5*time.Second)
	first.Header.Del("Date")
	third.Header.Del("Date")
	require.Equal(t, first.Header, third.Header)

	// By another connection: from its second request on, and told as that one's.
	b := r.dial(t)
	b.requireOne(ask, "first")
	require.Equal(t, 1, r.repeated(t))
	normal := r.last(t)
	b.requireOne(ask, "first")
	require.Equal(t, 2, r.repeated(t))
	again := r.last(t)
	require.Equal(t, b.LocalAddr().String(), again.Request.RemoteAddr)
	require.Equal(t, normal.Request.RequestURI, again.Request.RequestURI)
	require.Equal(t, normal.Request.Header, again.Request.Header)
	require.WithinDuration(t, time.Now(), again.Time, 5*time.Second)
	require.Positive(t, again.Duration)
	line := daemon.Combined(&again)
	require.Contains(t, line, "GET /repo/index HTTP/1.1")
	require.Contains(t, line, " peer=127.0.0.1 zone=repo decision=allowed sent=200 ")
	normal.Request, normal.Time, normal.Duration = again.Request, again.Time, again.Duration
	require.Equal(t, normal, again)
	require.Len(t, r.events, 5)

	// Files from nothing to as much as is kept, and no more.
	for name, n := range map[string]int{"empty": 0, "full": 32 << 10, "large": 32<<10 + 1} {
		before := r.repeated(t)
		for range 4 {
			a.requireOne(header("/repo/"+name), strings.Repeat("x", n))
		}
		more := r.repeated(t) - before
		switch name {
		case "large":
			require.Zero(t, more)
		case "full":
			require.GreaterOrEqual(t, more, 2)
		}
	}

	// Requests of other bytes are others. Those that name what the client has are not remembered.
	remembered, _ := r.Repeats()
	resp, body := a.ask(header("/repo/index", "Range: bytes=1-2"))
	require.Equal(t, http.StatusPartialContent, resp.StatusCode)
	require.Equal(t, "ir", body)
	resp, _ = a.ask(header("/repo/index", "If-None-Match: "+first.Header.Get("Etag")))
	require.Equal(t, http.StatusNotModified, resp.StatusCode)
	resp, _ = a.ask(header("/repo/index", "Range: bytes=100-"))
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, resp.StatusCode)
	for range 2 {
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
		for range 2 {
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

// TestRepeatedPipelined: requests that come together are answered one after the other, whatever is remembered.
func TestRepeatedPipelined(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	r.put(t, "repo/a", "A")
	r.put(t, "repo/b", "B")
	time.Sleep(settle)
	one, two := header("/repo/a"), header("/repo/b")
	a := r.dial(t)
	for range 3 {
		a.requireOne(one, "A")
		a.requireOne(two, "B")
	}
	require.Positive(t, r.repeated(t))
	for _, parts := range [][]string{
		{one + two + one},
		{one, two, one}, // sent one by one, and not waited for
		{one[:20], one[20:] + two, one},
		{two + one[:7], one[7:], two, one},
	} {
		b := r.dial(t)
		b.requireOne(one, "A")
		b.requireOne(one, "A")
		for _, p := range parts {
			b.send(p)
			time.Sleep(20 * time.Millisecond)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(strings.Join(parts, ""), one, "A"), two, "B")
		for _, w := range want {
			_, body := b.answer()
			require.Equal(t, string(w), body, "%q", parts)
		}
	}
}

// TestRepeatedKeepAlive: a connection is kept from its last request on, of whichever kind, and a header has its own time.
func TestRepeatedKeepAlive(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{KeepAlive: 1500 * time.Millisecond, HeaderTimeout: 500 * time.Millisecond})
	r.put(t, "repo/index", "index")
	time.Sleep(settle)
	ask := header("/repo/index")
	a := r.dial(t)
	began := time.Now()
	for time.Since(began) < 3*time.Second {
		a.requireOne(ask, "index")
		time.Sleep(300 * time.Millisecond)
	}
	require.Positive(t, r.repeated(t))
	a.requireOne(ask, "index")
	began = time.Now()
	_, err := a.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.Greater(t, time.Since(began), time.Second)
	require.Less(t, time.Since(began), 10*time.Second)

	b := r.dial(t)
	for range 3 {
		b.requireOne(ask, "index")
	}
	b.send(ask[:10])
	began = time.Now()
	_, err = io.ReadAll(b.in)
	require.NoError(t, err)
	require.Less(t, time.Since(began), 1300*time.Millisecond, "it has the time of a header, not of a pause")
}

// TestRepeatedUntilTheEnd: a server that stops cuts no answer off.
func TestRepeatedUntilTheEnd(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	content := strings.Repeat("0123456789abcdef", 1<<11)
	r.put(t, "repo/index", content)
	time.Sleep(settle)
	ask := header("/repo/index")
	var clients sync.WaitGroup
	var whole atomic.Int64
	for range 8 {
		a := r.dial(t)
		clients.Go(func() {
			for {
				if _, err := io.WriteString(a, ask); err != nil {
					return
				}
				if _, err := a.in.Peek(1); err != nil {
					return // closed between two answers
				}
				resp, err := http.ReadResponse(a.in, nil)
				if err != nil {
					t.Errorf("header: %v", err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil || string(body) != content {
					t.Errorf("%d bytes of %d: %v", len(body), len(content), err)
					return
				}
				whole.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return r.repeated(t) > 1000 }, 20*time.Second, time.Millisecond)
	r.stop()
	require.NoError(t, r.wait(t))
	clients.Wait()
	require.Greater(t, whole.Load(), int64(1000))
}

// TestRepeatedWhileReplaced: no answer is a mixture, or older than what had been published when it was asked for.
func TestRepeatedWhileReplaced(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	const versions = 3
	content := func(v int) string { return strings.Repeat(fmt.Sprintf("version %d\n", v), 400) }
	var published atomic.Int64
	r.put(t, "repo/index", content(0))
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		a := r.dial(t)
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				least := int(published.Load())
				if _, err := io.WriteString(a, header("/repo/index")); err != nil {
					t.Error(err)
					return
				}
				resp, err := http.ReadResponse(a.in, nil)
				if err != nil {
					t.Error(err)
					return
				}
				body, err := io.ReadAll(resp.Body)
				if err != nil {
					t.Error(err)
					return
				}
				v := -1
				_, _ = fmt.Sscanf(string(body), "version %d", &v)
				if v < least || string(body) != content(v) {
					t.Errorf("version %d, %d bytes, when %d had been published", v, len(body), least)
					return
				}
			}
		})
	}
	for v := 1; v <= versions; v++ {
		time.Sleep(settle + 300*time.Millisecond)
		require.Positive(t, r.repeated(t))
		r.put(t, "repo/index", content(v))
		published.Store(int64(v))
	}
	close(done)
	clients.Wait()
}

// TestManyRepeated: what is remembered is bounded, and what goes for its sake is asked for anew.
func TestManyRepeated(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	content := strings.Repeat("x", 30<<10)
	r.put(t, "repo/index", content)
	time.Sleep(settle)
	a := r.dial(t)
	for i := range 500 { // 15 MiB in all
		a.requireOne(header("/repo/index", fmt.Sprintf("X: %d", i)), content)
	}
	remembered, size := r.Repeats()
	require.Less(t, size, 4<<20+1)
	require.Greater(t, remembered, 100)
	for i := range 500 {
		a.requireOne(header("/repo/index", fmt.Sprintf("X: %d", i)), content)
	}
	require.Positive(t, r.repeated(t))
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
