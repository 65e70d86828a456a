package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// download reads a response slowly: half of it, then what is left when go on is closed.
type download struct {
	half chan struct{} // closed when the first half is there
	goOn chan struct{}
	done chan struct{}
	body []byte
	err  error
}

func slowDownload(t *testing.T, url string, size int) *download {
	t.Helper()
	d := &download{half: make(chan struct{}), goOn: make(chan struct{}), done: make(chan struct{})}
	c := dial(t, url)
	require.NoError(t, c.(*net.TCPConn).SetReadBuffer(64<<10))
	go func() {
		defer close(d.done)
		if _, d.err = io.WriteString(c, strings.Replace(request, "\r\n\r\n", "\r\nConnection: close\r\n\r\n", 1)); d.err != nil {
			return
		}
		first := make([]byte, size/2)
		if _, d.err = io.ReadFull(c, first); d.err != nil {
			return
		}
		close(d.half)
		<-d.goOn
		var rest []byte
		rest, d.err = io.ReadAll(c)
		_, d.body, _ = bytes.Cut(append(first, rest...), []byte("\r\n\r\n"))
	}()
	return d
}

func (d *download) whole(t *testing.T, want []byte) {
	t.Helper()
	<-d.done
	require.NoError(t, d.err)
	require.True(t, bytes.Equal(want, d.body), "%d bytes, want %d", len(d.body), len(want))
}

const imageSize = 24 << 20

func TestStopLetsDownloadsFinish(t *testing.T) {
	s := start(t, serveFile(fileOf(t, imageSize), nil), daemon.Options{Grace: 10 * time.Second, Admin: "127.0.0.1:0"})
	idle := dial(t, s.url) // between two requests
	_, err := io.WriteString(idle, strings.Replace(request, "GET", "HEAD", 1))
	require.NoError(t, err)
	_, err = io.ReadFull(idle, make([]byte, 20))
	require.NoError(t, err)
	fresh := dial(t, s.url) // has asked for half of a header
	_, err = io.WriteString(fresh, "GET / HTTP/1.1\r\n")
	require.NoError(t, err)
	d := slowDownload(t, s.url, imageSize)
	<-d.half
	require.Equal(t, "ready\n", get(t, s.AdminAddr()+"/readyz"))
	s.stop()

	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", host(s.url))
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 5*time.Second, 5*time.Millisecond, "it still accepts")
	_, err = fetch(s.AdminAddr() + "/readyz")
	require.ErrorContains(t, err, "503")
	require.Equal(t, "ok\n", get(t, s.AdminAddr()+"/healthz"), "the process lives")
	_, err = io.Copy(io.Discard, idle)
	require.NoError(t, err, "an idle connection is closed at once")

	// A request whose header was on its way is still answered.
	_, err = io.WriteString(fresh, "Host: x\r\n\r\n")
	require.NoError(t, err)
	status, body := readResponse(t, fresh)
	require.Equal(t, http.StatusOK, status)
	require.Len(t, body, imageSize)

	select {
	case err := <-s.done:
		t.Fatalf("it ended before its downloads: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	close(d.goOn)
	d.whole(t, pattern(imageSize))
	require.NoError(t, s.wait(t), "a clean end is success")
}

func TestStopAfterGrace(t *testing.T) {
	var told atomic.Value
	s := start(t, serveFile(fileOf(t, imageSize), nil), daemon.Options{Grace: 200 * time.Millisecond, Notice: func(m string) { told.Store(m) }})
	d := slowDownload(t, s.url, imageSize)
	<-d.half
	s.stop()
	begun := time.Now()
	require.NoError(t, s.wait(t))
	require.Less(t, time.Since(begun), 3*time.Second)
	require.Contains(t, told.Load(), "1 connection is not finished and closed")
	close(d.goOn)
	<-d.done
	require.Less(t, len(d.body), imageSize)
}

func TestKill(t *testing.T) {
	for name, opt := range map[string]daemon.Options{
		"while it serves": {}, "while it waits": {Grace: time.Hour}, "without grace": {Grace: -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, serveFile(fileOf(t, imageSize), nil), opt)
			d := slowDownload(t, s.url, imageSize)
			<-d.half
			if opt.Grace != 0 {
				s.stop()
			}
			if opt.Grace > 0 {
				time.Sleep(50 * time.Millisecond)
			}
			if opt.Grace >= 0 {
				s.Kill()
				s.Kill()
				require.ErrorIs(t, s.wait(t), daemon.ErrKilled)
			}
			require.LessOrEqual(t, opt.Grace, time.Hour)
			_ = s.wait(t)
			close(d.goOn)
			<-d.done
			require.Less(t, len(d.body), imageSize)
		})
	}
}

func TestFailedListenerIsAnError(t *testing.T) {
	s := start(t, whoAsks, daemon.Options{Admin: "127.0.0.1:0"})
	get(t, s.url)
	s.CloseGate(0)
	err := s.wait(t)
	require.ErrorContains(t, err, "listening on 127.0.0.1:")
	require.ErrorIs(t, err, net.ErrClosed)
	_, err = fetch(s.AdminAddr() + "/healthz")
	require.Error(t, err, "all of it ends")
}

func TestOpenErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		opt  daemon.Options
		want string
	}{
		"port taken":             {daemon.Options{Listen: []string{taken.Addr().String()}}, "address already in use"},
		"admin port taken":       {daemon.Options{Listen: []string{"127.0.0.1:0"}, Admin: taken.Addr().String()}, "address already in use"},
		"second port taken":      {daemon.Options{Listen: []string{"127.0.0.1:0", taken.Addr().String()}}, "address already in use"},
		"no port":                {daemon.Options{Listen: []string{"127.0.0.1"}}, `listen address "127.0.0.1": expected an address and a port`},
		"https alone":            {daemon.Options{Listen: []string{"https://127.0.0.1:0"}}, "needs a certificate"},
		"key alone":              {daemon.Options{KeyFile: "x"}, "expected both or neither"},
		"HTTP/2 alone":           {daemon.Options{HTTP2: true}, "needs a certificate"},
		"no such certificate":    {daemon.Options{CertFile: dir + "/c", KeyFile: dir + "/k"}, "no such file"},
		"negative idle":          {daemon.Options{IdleTimeout: -1}, "idle timeout -1ns"},
		"a socket for notifying": {daemon.Options{Listen: []string{"127.0.0.1:0"}, Getenv: env("NOTIFY_SOCKET", "there")}, "NOTIFY_SOCKET"},
		"nobody is notified":     {daemon.Options{Listen: []string{"127.0.0.1:0"}, Getenv: env("NOTIFY_SOCKET", dir+"/none")}, "NOTIFY_SOCKET"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := daemon.Open(context.Background(), whoAsks, c.opt)
			require.ErrorContains(t, err, c.want)
			require.Nil(t, s)
			require.Error(t, daemon.Run(context.Background(), whoAsks, c.opt))
		})
	}
}

func env(name, value string) func(string) string {
	return func(n string) string {
		if n == name {
			return value
		}
		return ""
	}
}

func TestClosedWithoutRun(t *testing.T) {
	s, err := daemon.Open(context.Background(), whoAsks, daemon.Options{Listen: []string{"http://127.0.0.1:0", "[::1]:0"}})
	if err != nil && strings.Contains(err.Error(), "assign requested address") {
		t.Skip("no IPv6 here")
	}
	require.NoError(t, err)
	require.Len(t, s.Addrs(), 2)
	require.Empty(t, s.AdminAddr())
	require.NoError(t, s.Close())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.NoError(t, daemon.Run(ctx, whoAsks, daemon.Options{Listen: []string{"127.0.0.1:0"}}))
}

// Downloads go on while all is read again and again, and a reload that fails changes nothing.
func TestReloadUnderLoad(t *testing.T) {
	cert := newPair(t, "one")
	var inForce, reloads atomic.Int64
	var bad atomic.Bool
	s := start(t, serveFile(fileOf(t, imageSize), nil), daemon.Options{
		Listen: []string{"http://127.0.0.1:0", "https://127.0.0.1:0"}, CertFile: cert.certFile, KeyFile: cert.keyFile,
		Reload: func() error {
			if bad.Load() {
				return errors.New("policy:3: no such zone")
			}
			inForce.Store(reloads.Add(1))
			return nil
		},
	})
	want := pattern(imageSize)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var whole atomic.Int64
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				body, err := fetch(s.url)
				if err != nil || !bytes.Equal(want, body) {
					t.Errorf("%d bytes: %v", len(body), err)
					return
				}
				whole.Add(1)
			}
		})
	}
	d := slowDownload(t, s.url, imageSize)
	<-d.half
	for i := range 50 {
		bad.Store(i%5 == 4)
		err := s.Reload()
		if i%5 == 4 {
			require.ErrorContains(t, err, "policy:3: no such zone; what was in force stays in force")
			require.Equal(t, reloads.Load(), inForce.Load())
		} else {
			require.NoError(t, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	close(d.goOn)
	d.whole(t, want)
	close(stop)
	wg.Wait()
	require.Positive(t, whole.Load())
	require.EqualValues(t, 40, inForce.Load())
	s.figure(t, `tplkit_reloads_total{outcome="done"}`, "40")
	s.figure(t, `tplkit_reloads_total{outcome="failed"}`, "10")
	s.figure(t, "tplkit_last_reload_failed", "1")
	require.NoError(t, func() error { bad.Store(false); return s.Reload() }())
	s.figure(t, "tplkit_last_reload_failed", "0")
	t.Logf("%d downloads of %d MiB beside 50 reloads", whole.Load(), imageSize>>20)
}

func TestComplaintsGoWhereTheyShould(t *testing.T) {
	var log lockedBuffer
	s := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("\x1b[31mtrouble") }), daemon.Options{Errors: &log})
	_, err := fetch(s.url)
	require.Error(t, err)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "panic serving 127.0.0.1:") }, 5*time.Second, time.Millisecond)
	require.Contains(t, log.String(), "?[31mtrouble")
	require.NotContains(t, log.String(), "\x1b")

	quiet := start(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("nobody hears it") }), daemon.Options{})
	_, err = fetch(quiet.url)
	require.Error(t, err)
}

// lockedBuffer is a buffer that servers write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestAdmin(t *testing.T) {
	var ready atomic.Bool
	s := start(t, serveFile(fileOf(t, 1000), nil), daemon.Options{Admin: "127.0.0.1:0", Ready: func() error {
		if ready.Load() {
			return nil
		}
		return errors.New("the tree is not mounted")
	}})
	require.Equal(t, "ok\n", get(t, s.AdminAddr()+"/healthz"))
	_, err := fetch(s.AdminAddr() + "/readyz")
	require.EqualError(t, err, "503 Service Unavailable: the tree is not mounted\n")
	ready.Store(true)
	require.Equal(t, "ready\n", get(t, s.AdminAddr()+"/readyz"))
	require.Contains(t, get(t, s.AdminAddr()+"/metrics"), "tplkit_connections_open 0\n")
	for _, path := range []string{"/", "/repo/", "/metrics/", "//metrics", "/healthz/x"} {
		_, err := fetch(s.AdminAddr() + path)
		require.ErrorContains(t, err, "404", "%s: it never serves the tree", path)
	}
	resp, err := http.Post(s.AdminAddr()+"/metrics", "text/plain", strings.NewReader("x"))
	require.NoError(t, err)
	resp.Body.Close()
	require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode)
	require.Equal(t, "GET, HEAD", resp.Header.Get("Allow"))
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		body := get(t, s.url+path)
		require.Len(t, body, 1000, "the tree's own listener knows nothing of %s", path)
	}
}
