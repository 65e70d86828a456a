//go:build linux

package daemon_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
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

// errEnded is that of a connection that was closed before an answer began.
var errEnded = errors.New("closed between two answers")

// try asks from a goroutine that may not end its test.
func (a *asker) try(s string) (body string, err error) {
	if _, err := io.WriteString(a, s); err != nil {
		return "", errEnded
	}
	if _, err := a.in.Peek(1); err != nil {
		return "", errEnded
	}
	resp, err := http.ReadResponse(a.in, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
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
