package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

var stalledClients = flag.Int("daemon.stalled", 150, "how many clients stall at once; 5000 is what the server is made for")

// A test binary that finds roleEnv in its environment is a server that a test wants as a process of its own.
const roleEnv = "TPLKIT_DAEMON_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		if err := play(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// running is a server under test.
type running struct {
	*daemon.Server
	url     string // of the first listener
	metrics *daemon.Metrics
	done    chan error
	stop    context.CancelFunc
	once    sync.Once
	err     error
}

// start runs a server on a port of its own until the test ends. It leaves no goroutine behind.
func start(t *testing.T, h http.Handler, opt daemon.Options) *running {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() { requireGoroutines(t, before) })
	return launch(t, h, opt)
}

// launch is start for tests that run beside each other.
func launch(t *testing.T, h http.Handler, opt daemon.Options) *running {
	t.Helper()
	if len(opt.Listen) == 0 {
		opt.Listen = []string{"127.0.0.1:0"}
	}
	if opt.Metrics == nil {
		opt.Metrics = new(daemon.Metrics)
	}
	if opt.Grace == 0 {
		opt.Grace = 5 * time.Second
	}
	s, err := daemon.Open(context.Background(), h, opt)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Server: s, url: s.Addrs()[0], metrics: opt.Metrics, done: make(chan error, 1), stop: cancel}
	go func() { r.done <- s.Run(ctx) }()
	t.Cleanup(func() {
		s.Kill() // does nothing where the test has ended it
		_ = r.wait(t)
	})
	return r
}

// wait waits until Run has returned.
func (r *running) wait(t *testing.T) error {
	t.Helper()
	r.once.Do(func() {
		select {
		case r.err = <-r.done:
		case <-time.After(20 * time.Second):
			t.Fatal("the server does not end")
		}
		r.stop()
	})
	return r.err
}

// requireGoroutines waits until there are no more goroutines than before.
func requireGoroutines(t *testing.T, before int) {
	t.Helper()
	http.DefaultClient.CloseIdleConnections()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Fatalf("%d goroutines, were %d:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
}

// figures are the metrics as text.
func (r *running) figures(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	_, err := r.metrics.WriteTo(&b)
	require.NoError(t, err)
	return b.String()
}

// figure waits until a sample has a value.
func (r *running) figure(t *testing.T, sample, value string) {
	t.Helper()
	require.Eventually(t, func() bool { return strings.Contains(r.figures(t), "\n"+sample+" "+value+"\n") },
		10*time.Second, 5*time.Millisecond, "%s %s not in\n%s", sample, value, r.figures(t))
}

// fileOf makes a file of n bytes that differ.
func fileOf(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(path, pattern(n), 0o644))
	return path
}

func pattern(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// serveFile serves one file under every name, as webserve does it, and tells observe of the end.
func serveFile(path string, observe func(*webserve.Event)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := time.Now()
		f, err := os.Open(path)
		if err != nil {
			http.Error(w, "gone", http.StatusNotFound)
			return
		}
		defer f.Close()
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeContent(w, r, "", time.Time{}, f)
		if observe == nil {
			return
		}
		peer, _ := netip.ParseAddrPort(r.RemoteAddr)
		observe(&webserve.Event{Request: r, Time: begun, Duration: time.Since(begun), Peer: peer.Addr(), Client: peer.Addr(), Zone: "repo", Status: 200})
	})
}

// whoAsks answers with the address of the client.
var whoAsks = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.RemoteAddr) })

// get asks once, over a connection of its own.
func get(t *testing.T, url string) string {
	t.Helper()
	body, err := fetch(url)
	require.NoError(t, err)
	return string(body)
}

func fetch(url string) ([]byte, error) {
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr, Timeout: 30 * time.Second}).Get(url)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", resp.Status, body)
	}
	return body, err
}

// readResponse reads one response from a raw connection: its status and its body.
func readResponse(t *testing.T, r io.Reader) (int, string) {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(r), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(body)
}

// host is the address of a URL.
func host(url string) string {
	_, h, _ := strings.Cut(url, "://")
	return h
}
