package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// socketFile is a listening socket as systemd holds it.
func socketFile(t *testing.T) (*os.File, string) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	f, err := ln.(*net.TCPListener).File()
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	return f, ln.Addr().String()
}

// notifySocket hears what a service tells systemd.
func notifySocket(t *testing.T, name string) chan string {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	heard := make(chan string, 100)
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			heard <- string(buf[:n])
		}
	}()
	return heard
}

func hear(t *testing.T, heard chan string, want string) string {
	t.Helper()
	select {
	case s := <-heard:
		require.Regexp(t, want, s)
		return s
	case <-time.After(10 * time.Second):
		t.Fatalf("nothing was told; want %s", want)
		return ""
	}
}

func TestSystemdSocketsAndNotify(t *testing.T) {
	path := fileOf(t, 100_000)
	for name, socket := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": fmt.Sprintf("@tplkit-test-%d", os.Getpid()),
	} {
		t.Run(name, func(t *testing.T) {
			heard := notifySocket(t, socket)
			web, webAddr := socketFile(t)
			admin, adminAddr := socketFile(t)
			c := spawn(t, 2, nil, []*os.File{web, admin}, fileEnv+"="+path, idleEnv+"=1m", adoptEnv+"=1",
				"LISTEN_FDS=2", "LISTEN_FDNAMES=tplkit.socket:admin", "NOTIFY_SOCKET="+socket)
			require.Equal(t, []string{"http://" + webAddr, "http://" + adminAddr}, c.lines, "no other sockets are opened")
			hear(t, heard, `^READY=1\nSTATUS=serving$`)
			require.Len(t, get(t, "http://"+webAddr), 100_000)
			require.Equal(t, "ready\n", get(t, "http://"+adminAddr+"/readyz"))

			require.NoError(t, c.stdin.Close()) // a reload
			said := hear(t, heard, `^RELOADING=1\nMONOTONIC_USEC=\d+\n`)
			usec, err := strconv.ParseInt(regexp.MustCompile(`USEC=(\d+)`).FindStringSubmatch(said)[1], 10, 64)
			require.NoError(t, err)
			uptime, err := os.ReadFile("/proc/uptime")
			require.NoError(t, err)
			seconds, err := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
			require.NoError(t, err)
			require.InDelta(t, seconds, float64(usec)/1e6, 5, "the clock is the kernel's")
			hear(t, heard, `^READY=1\n`)

			c.end(t)
			hear(t, heard, `^STOPPING=1\n`)
		})
	}
}

// Systemd keeps the socket while a service is restarted: no request is lost.
func TestRestartLosesNothing(t *testing.T) {
	path := fileOf(t, 300_000)
	want := pattern(300_000)
	web, addr := socketFile(t)
	spawnOne := func() *child {
		return spawn(t, 1, nil, []*os.File{web}, fileEnv+"="+path, idleEnv+"=1m", adoptEnv+"=1", "LISTEN_FDS=1")
	}
	c := spawnOne()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var whole atomic.Int64
	for range 6 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				body, err := fetch("http://" + addr)
				if err != nil || !bytes.Equal(want, body) {
					t.Errorf("%d bytes: %v", len(body), err)
					return
				}
				whole.Add(1)
			}
		})
	}
	for range 5 {
		time.Sleep(150 * time.Millisecond)
		c.end(t)
		c = spawnOne()
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wg.Wait()
	c.end(t)
	require.Greater(t, whole.Load(), int64(20))
	t.Logf("%d requests over 5 restarts, none lost", whole.Load())
}

func TestSystemdSocketActivate(t *testing.T) {
	activate := tool(t, "systemd-socket-activate", "systemd")
	path := fileOf(t, 100_000)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	addr := free.Addr().String()
	require.NoError(t, free.Close())
	with := []string{activate, "--listen=" + addr, "--fdname=http"}
	for _, v := range []string{roleEnv + "=serve", fileEnv + "=" + path, idleEnv + "=1m"} {
		with = append(with, "--setenv="+v)
	}
	c := spawn(t, 0, with, nil)
	// It starts the server when the first client is there, and passes the client on.
	require.Eventually(t, func() bool {
		body, err := fetch("http://" + addr)
		return err == nil && len(body) == 100_000
	}, 20*time.Second, 50*time.Millisecond)
	c.end(t)
}

func TestPassedSocketsThatAreNone(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "file"))
	require.NoError(t, err)
	defer file.Close()
	unix, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unix"})
	require.NoError(t, err)
	defer unix.Close()
	unixFile, err := unix.File()
	require.NoError(t, err)
	defer unixFile.Close()
	web, _ := socketFile(t)
	other, _ := socketFile(t)
	for name, c := range map[string]struct {
		files []*os.File
		fds   string
		names string
		want  string
	}{
		"a file":            {[]*os.File{file}, "1", "", `descriptor 3, "", from systemd: expected a listening TCP socket`},
		"a unix socket":     {[]*os.File{unixFile}, "1", "x", `descriptor 3, "x", from systemd: expected a TCP socket, found unix`},
		"second is a file":  {[]*os.File{web, file}, "2", "http:log", `descriptor 4, "log"`},
		"not there":         {nil, "1", "", "descriptor 3"},
		"two admins":        {[]*os.File{web, other}, "2", "admin:admin", `two sockets "admin"`},
		"https without any": {[]*os.File{web}, "1", "https", "needs a certificate"},
		"no number":         {nil, "many", "", `LISTEN_FDS="many"`},
		"too many":          {nil, "1000", "", "expected a number up to 100"},
		"negative":          {nil, "-1", "", "LISTEN_FDS"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := spawnFailing(t, c.files, "LISTEN_FDS="+c.fds, "LISTEN_FDNAMES="+c.names)
			require.Contains(t, cmd, c.want)
		})
	}

	// What was meant for another process is left alone.
	s, err := daemon.Open(context.Background(), whoAsks, daemon.Options{Listen: []string{"127.0.0.1:0"}, Getenv: func(n string) string {
		return map[string]string{"LISTEN_FDS": "1", "LISTEN_PID": "1"}[n]
	}})
	require.NoError(t, err)
	require.Len(t, s.Addrs(), 1)
	require.NoError(t, s.Close())
}
