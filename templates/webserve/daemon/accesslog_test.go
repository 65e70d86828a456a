package daemon_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// event is a request as a log sees it.
func event(change func(*webserve.Event)) *webserve.Event {
	r := &http.Request{Method: "GET", RequestURI: "/repo/el8.xz", Proto: "HTTP/1.1", Host: "templates.example", Header: http.Header{
		"User-Agent": {"curl/8.0"}, "Range": {"bytes=0-99"},
	}}
	e := &webserve.Event{
		Request: r.WithContext(context.Background()), Time: time.Date(2026, 1, 2, 15, 4, 5, 60e6, time.UTC), Duration: 12345 * time.Microsecond,
		Peer: netip.MustParseAddr("192.0.2.1"), Client: netip.MustParseAddr("192.0.2.7"), Zone: "repo", Status: 206, Bytes: 100,
	}
	if change != nil {
		change(e)
	}
	return e
}

func TestLogLines(t *testing.T) {
	require.Equal(t, `192.0.2.7 - - [02/Jan/2026:15:04:05 +0000] "GET /repo/el8.xz HTTP/1.1" 206 100 "-" "curl/8.0" `+
		`peer=192.0.2.1 zone=repo decision=allowed sent=206 ms=12.345 range="bytes=0-99"`+"\n", daemon.Combined(event(nil)))
	require.Equal(t, `{"time":"2026-01-02T15:04:05.06Z","client":"192.0.2.7","peer":"192.0.2.1","method":"GET","target":"/repo/el8.xz",`+
		`"proto":"HTTP/1.1","host":"templates.example","status":206,"sent":206,"bytes":100,"range":"bytes=0-99","agent":"curl/8.0",`+
		`"zone":"repo","decision":"allowed","ms":12.345}`+"\n", daemon.JSONLine(event(nil)))

	denied := event(func(e *webserve.Event) {
		e.Client, e.Zone, e.Refused, e.Status = netip.Addr{}, "", "client address unknown", 403
		e.Request.Header.Del("Range")
	})
	require.Contains(t, daemon.Combined(denied), `- - - [`)
	require.Contains(t, daemon.Combined(denied), ` zone=- decision="client address unknown" sent=403 ms=12.345`+"\n")
	require.Contains(t, daemon.JSONLine(denied), `"decision":"client address unknown"`)

	gone := event(func(e *webserve.Event) { e.HungUp = true })
	require.Contains(t, daemon.Combined(gone), `" 499 100 "`)
	require.Contains(t, daemon.Combined(gone), ` sent=206 `)
	require.Contains(t, daemon.JSONLine(gone), `"status":499,"sent":206,`)
	require.Contains(t, daemon.JSONLine(gone), `"hung_up":true`)

	failed := event(func(e *webserve.Event) { e.Err = errors.New("read /x: input/output \"error\"") })
	require.Contains(t, daemon.Combined(failed), ` error="read /x: input/output \x22error\x22"`)
	require.Contains(t, daemon.JSONLine(failed), `"error":"read /x: input/output \"error\""`)
}

// Apache's combined format, as analysers read it.
var combined = regexp.MustCompile(`^(\S+) - - \[([^]]+)\] "([^"]*)" (\d{3}) (\d+) "([^"]*)" "([^"]*)"( [ -~]*)?\n$`)

// nasty is what clients have sent to logs and to those who read them.
var nasty = []string{
	"", "plain", `"`, `\`, `" 200 1 "-" "-"`, "\n", "\r\n127.0.0.1 - - [x] \"GET / HTTP/1.1\" 200 1", "\x00", "\x1b]0;title\x07", "\x1b[2J",
	"\x7f", "\u0085\u009b31m", "\u202eevil", "\ufeff", "é", "日本", "😀", "\xff\xfe", "\xc3", "%0a%0d", "\t", "${jndi:ldap://x}", "<script>",
	strings.Repeat("x", 5000), strings.Repeat("\x1b", 5000), strings.Repeat("😀", 2000),
}

func TestLogEscapes(t *testing.T) {
	for _, s := range nasty {
		checkLogEscapes(t, s)
	}
}

func checkLogEscapes(t *testing.T, s string) {
	t.Helper()
	e := event(func(e *webserve.Event) {
		e.Request.RequestURI, e.Request.Method, e.Request.Proto, e.Request.Host = s, s, s, s
		e.Request.Header = http.Header{"User-Agent": {s}, "Referer": {s}, "Range": {s}}
		e.Zone, e.Refused, e.Err = s, s, errors.New(s)
	})
	for _, line := range []string{daemon.Combined(e), daemon.JSONLine(e)} {
		require.Equal(t, 1, strings.Count(line, "\n"), "%q", line)
		for _, c := range []byte(strings.TrimSuffix(line, "\n")) {
			require.True(t, c >= ' ' && c < 0x7f, "%q in %q", c, line)
		}
		require.Less(t, len(line), 64<<10)
	}
	m := combined.FindStringSubmatch(daemon.Combined(e))
	require.NotNil(t, m, "%q", daemon.Combined(e))
	require.Equal(t, []string{"192.0.2.7", "206", "100"}, []string{m[1], m[4], m[5]})
	var doc map[string]any
	require.NoError(t, json.Unmarshal([]byte(daemon.JSONLine(e)), &doc), "%q", daemon.JSONLine(e))
	if len(s) > 0 && len(s) < 500 {
		require.Equal(t, strings.ToValidUTF8(s, "\ufffd"), strings.ReplaceAll(doc["target"].(string), "\ufffd\ufffd", "\ufffd"))
	}
}

func FuzzLogEscapes(f *testing.F) {
	for _, s := range nasty {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(strings.ToValidUTF8(s, "\ufffd"), "\ufffd") {
			s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\ufffd", "") + "\xff"
		}
		checkLogEscapes(t, s)
	})
}

func TestLogFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "access.log")
	log, err := daemon.OpenAccessLog(path, daemon.LogOptions{Flush: time.Hour})
	require.NoError(t, err)
	log.Observe(event(nil))
	require.Empty(t, read(t, path), "not yet")
	require.NoError(t, log.Flush())
	require.Equal(t, 1, strings.Count(read(t, path), "\n"))
	if fi, err := os.Stat(path); err == nil && os.PathSeparator == '/' {
		require.Zero(t, fi.Mode().Perm()&0o007, "not for everyone")
	}

	// Rotation: what is written before Reopen is in the old file, nothing is lost and nothing doubled.
	log.Observe(event(nil))
	require.NoError(t, os.Rename(path, path+".1"))
	log.Observe(event(nil))
	require.NoError(t, log.Reopen())
	log.Observe(event(nil))
	require.NoError(t, log.Close())
	require.NoError(t, log.Close(), "twice")
	require.Equal(t, 3, strings.Count(read(t, path+".1"), "\n"))
	require.Equal(t, 1, strings.Count(read(t, path), "\n"))
	log.Observe(event(nil)) // too late, and no harm

	// A directory that is gone: the old file stays.
	log, err = daemon.OpenAccessLog(path, daemon.LogOptions{Format: daemon.LogJSON, Flush: time.Millisecond})
	require.NoError(t, err)
	require.NoError(t, os.Rename(dir, dir+".moved"))
	require.ErrorContains(t, log.Reopen(), "the old file stays in use")
	log.Observe(event(nil))
	require.Eventually(t, func() bool { return strings.Count(read(t, filepath.Join(dir+".moved", "access.log")), "\n") == 2 },
		5*time.Second, time.Millisecond, "written by itself")
	require.NoError(t, log.Close())
	require.NoError(t, os.Rename(dir+".moved", dir))

	_, err = daemon.OpenAccessLog(filepath.Join(dir, "none", "log"), daemon.LogOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = daemon.OpenAccessLog(path, daemon.LogOptions{Format: "common"})
	require.ErrorContains(t, err, `"common": expected combined or json`)
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(b)
}

// A pipe that nobody reads, and a disk that is full, stop no request.
func TestLogThatCannotBeWritten(t *testing.T) {
	r, w := io.Pipe()
	log, err := daemon.NewAccessLog(w, daemon.LogOptions{Flush: time.Millisecond})
	require.NoError(t, err)
	begun := time.Now()
	for range 40_000 {
		log.Observe(event(nil))
	}
	require.Less(t, time.Since(begun), 20*time.Second)
	lost := log.Lost()
	require.Positive(t, lost)
	lines := make(chan int64)
	go func() {
		n := int64(0)
		for sc := bufio.NewScanner(r); sc.Scan(); {
			n++
		}
		lines <- n
	}()
	require.NoError(t, log.Close())
	w.Close()
	require.EqualValues(t, 40_000, <-lines+lost, "every line is written or counted")
	require.NoError(t, log.Reopen())

	full, err := daemon.NewAccessLog(failing{}, daemon.LogOptions{Flush: time.Hour})
	require.NoError(t, err)
	m := new(daemon.Metrics)
	s := start(t, whoAsks, daemon.Options{AccessLog: full, Metrics: m})
	full.Observe(event(nil))
	full.Observe(event(nil))
	require.ErrorContains(t, full.Flush(), "no space")
	s.figure(t, "tplkit_access_log_lost_total", "2")
	require.NoError(t, full.Close())
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestLogFromManyRequests(t *testing.T) {
	var out lockedBuffer
	log, err := daemon.NewAccessLog(&out, daemon.LogOptions{Format: daemon.LogJSON, Flush: time.Millisecond})
	require.NoError(t, err)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 2000 {
				log.Observe(event(func(e *webserve.Event) { e.Request.RequestURI = fmt.Sprintf("/repo/%d-%d", i, j) }))
			}
		})
	}
	wg.Wait()
	require.NoError(t, log.Close())
	seen := make(map[string]bool)
	for line := range strings.Lines(out.String()) {
		var doc struct{ Target string }
		require.NoError(t, json.Unmarshal([]byte(line), &doc))
		seen[doc.Target] = true
	}
	require.Len(t, seen, 16_000)
	require.Zero(t, log.Lost())
}

// What the log says of the connection: the proxy it came through, TLS, and that the server cut it.
func TestLogOfConnections(t *testing.T) {
	var out lockedBuffer
	log, err := daemon.NewAccessLog(&out, daemon.LogOptions{Format: daemon.LogJSON, Flush: time.Millisecond})
	require.NoError(t, err)
	path := fileOf(t, imageSize)
	pair := newPair(t, "x")
	s := start(t, serveFile(path, log.Observe), daemon.Options{
		Listen: []string{"http://127.0.0.1:0", "https://127.0.0.1:0"}, CertFile: pair.certFile, KeyFile: pair.keyFile,
		IdleTimeout: 300 * time.Millisecond, Policy: proxied(),
	})
	c := dial(t, s.url)
	require.NoError(t, c.(*net.TCPConn).SetReadBuffer(4096))
	_, err = io.WriteString(c, goodProxy["v2 IPv6"].header+request)
	require.NoError(t, err)
	find := func(parts ...string) {
		t.Helper()
		require.Eventually(t, func() bool {
			for line := range strings.Lines(out.String()) {
				n := 0
				for _, p := range parts {
					if strings.Contains(line, p) {
						n++
					}
				}
				if n == len(parts) {
					return true
				}
			}
			return false
		}, 10*time.Second, 5*time.Millisecond, "%q", out.String())
	}
	find(`"client":"2001:db8::1","peer":"2001:db8::1","via":"127.0.0.1"`, `"cut":"idle"`)
	s.figure(t, `tplkit_connections_cut_total{reason="idle"}`, "1")

	// The proxy's own header goes before the handshake.
	resp, err := (&http.Client{Transport: proxyTransport(t, goodProxy["v1 IPv4"].header)}).Get(s.Addrs()[1])
	require.NoError(t, err)
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	require.NoError(t, err)
	require.True(t, bytes.Equal(pattern(imageSize), body))
	find(`"client":"192.0.2.1"`, `"tls":"TLS 1.3"`)
	require.NoError(t, log.Close())
}

// proxyTransport sends a PROXY header first.
func proxyTransport(t *testing.T, header string) *http.Transport {
	tr := client(t, false).Transport.(*http.Transport)
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			_, err = io.WriteString(c, header)
		}
		return c, err
	}
	return tr
}
