package webserve_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// zones are the directories of a template server.
var zones = []string{"repo", "bundles", "yum", "kubevirt"}

// write makes a file with its parents. Its time is a whole second long ago.
func write(t testing.TB, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
	require.NoError(t, os.Chtimes(path, past, past))
}

var past = time.Date(2020, time.March, 1, 12, 30, 0, 0, time.UTC)

// later is a clock by which every file has settled.
func later() time.Time { return time.Now().Add(time.Hour) }

// newTree makes a root with the four zones, empty.
func newTree(t testing.TB) string {
	t.Helper()
	root := t.TempDir()
	for _, z := range zones {
		require.NoError(t, os.Mkdir(filepath.Join(root, z), 0o755))
	}
	return root
}

// policyFor allows everyone the zones that are named, and nobody the others.
func policyFor(denied int, open ...string) *acl.Policy {
	p := &acl.Policy{Denied: denied}
	for _, name := range []string{"bundles", "kubevirt", "repo", "yum"} {
		z := acl.Zone{Name: name}
		for _, o := range open {
			if o == name {
				z.Allow = acl.Everyone()
			}
		}
		p.Zones = append(p.Zones, z)
	}
	return p
}

func newHandler(t testing.TB, root string, opt webserve.Options) *webserve.Handler {
	t.Helper()
	h, err := webserve.New(root, opt)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

func start(t testing.TB, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// response is an answer, read to its end.
type response struct {
	status int
	header http.Header
	body   string
	err    error // of reading the body
	closes bool  // the server ends the connection
}

// same gives what must not differ between two refusals.
func (r response) same() string {
	h := r.header.Clone()
	h.Del("Date")
	return fmt.Sprint(r.status, h, r.body)
}

// ask sends a request byte by byte as it is given, over a connection of its own,
// and reads the answer.
func ask(t testing.TB, addr, method, target string, header ...string) response {
	t.Helper()
	return send(t, addr, method, method+" "+target+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"+lines(header)+"\r\n")
}

func lines(header []string) string {
	var b strings.Builder
	for _, h := range header {
		b.WriteString(h + "\r\n")
	}
	return b.String()
}

func send(t testing.TB, addr, method, text string) response {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	// A large header may be refused before it is read whole.
	go func() { _, _ = io.WriteString(c, text) }()
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: method})
	require.NoError(t, err, "%.300q", text)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	r := response{status: res.StatusCode, header: res.Header, body: string(body), err: err, closes: res.Close}
	if len(res.TransferEncoding) > 0 {
		r.header["Transfer-Encoding"] = res.TransferEncoding
	}
	return r
}

// watch collects events.
type watch struct {
	mu     sync.Mutex
	events []*webserve.Event
}

func (w *watch) observe(e *webserve.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// wait gives the events once there are n.
func (w *watch) wait(t testing.TB, n int) []*webserve.Event {
	t.Helper()
	var got []*webserve.Event
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		got = append([]*webserve.Event(nil), w.events...)
		return len(got) >= n
	}, 20*time.Second, 5*time.Millisecond)
	require.Len(t, got, n)
	return got
}

// from is a request as if it came from an address.
func from(addr, method, target string) *http.Request {
	r := httptest.NewRequest(method, target, nil)
	r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(addr), 4711).String()
	return r
}

// netSet is a set of one network.
func netSet(prefix string) acl.Set { return acl.NewSet(netip.MustParsePrefix(prefix)) }
