package daemon_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// What a server in a process of its own is told.
const (
	fileEnv   = "TPLKIT_DAEMON_TEST_FILE"   // what it serves
	idleEnv   = "TPLKIT_DAEMON_TEST_IDLE"   // its idle time
	adoptEnv  = "TPLKIT_DAEMON_TEST_ADOPT"  // LISTEN_PID is to be its own, which nobody knows before it runs
	listenEnv = "TPLKIT_DAEMON_TEST_LISTEN" // where to listen, beside what systemd passes
)

// play is a server that says its addresses and its process, a line each, and serves until SIGTERM. Its standard input ending is
// a reload.
func play(role string) error {
	if role != "serve" {
		return fmt.Errorf("role %q: not known", role)
	}
	if os.Getenv(adoptEnv) != "" {
		if err := os.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid())); err != nil {
			return err
		}
	}
	daemon.LimitGarbage(208 << 20) // as tplkit serve does
	debug.SetGCPercent(800)
	idle, err := time.ParseDuration(os.Getenv(idleEnv))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	opt := daemon.Options{
		Getenv: os.Getenv, IdleTimeout: idle, MaxConns: -1, MaxConnsPerClient: -1, Grace: 10 * time.Second,
		Policy: func() *acl.Policy { return acl.Default() },
	}
	if a := os.Getenv(listenEnv); a != "" {
		opt.Listen, opt.Admin = []string{a}, "127.0.0.1:0"
	}
	s, err := daemon.Open(ctx, serveFile(os.Getenv(fileEnv), nil), opt)
	if err != nil {
		return err
	}
	for _, a := range append(s.Addrs(), s.AdminAddr(), strconv.Itoa(os.Getpid())) {
		fmt.Println(a)
	}
	go func() {
		if _, err := io.Copy(io.Discard, os.Stdin); err == nil {
			_ = s.Reload()
		}
	}()
	return s.Run(ctx)
}

// child is such a process.
type child struct {
	cmd   *exec.Cmd
	stdin io.WriteCloser
	lines []string // its addresses, and its process
}

// spawn starts this test binary as a server; with, where it is given, is a program that starts it.
func spawn(t *testing.T, n int, with []string, files []*os.File, env ...string) *child {
	t.Helper()
	args := append(with, os.Args[0])
	c := &child{cmd: exec.Command(args[0], args[1:]...)}
	c.cmd.Env = append(append(os.Environ(), roleEnv+"=serve"), env...)
	c.cmd.ExtraFiles = files
	c.cmd.Stderr = os.Stderr
	out, err := c.cmd.StdoutPipe()
	require.NoError(t, err)
	c.stdin, err = c.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, c.cmd.Start())
	t.Cleanup(func() { _ = c.cmd.Process.Kill(); _ = c.cmd.Wait() })
	sc := bufio.NewScanner(out)
	for range n {
		require.True(t, sc.Scan(), "the server does not say where it is")
		c.lines = append(c.lines, sc.Text())
	}
	return c
}

// end sends SIGTERM and wants success.
func (c *child) end(t *testing.T) {
	t.Helper()
	require.NoError(t, c.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, c.cmd.Wait())
}

// metric is a figure of the child's admin listener.
func metric(t *testing.T, admin, sample string) float64 {
	t.Helper()
	for line := range strings.Lines(get(t, admin+"/metrics")) {
		if rest, ok := strings.CutPrefix(line, sample+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			require.NoError(t, err)
			return v
		}
	}
	t.Fatalf("no %s", sample)
	return 0
}

// tool finds a program, or skips the test.
func tool(t *testing.T, name, pkg string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if errors.Is(err, exec.ErrNotFound) {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatalf("%s is required; install the Debian package %s", name, pkg)
		}
		t.Skipf("%s is not installed (Debian package %s)", name, pkg)
	}
	require.NoError(t, err)
	return path
}

// discard reads a response to its end and gives the number of bytes.
func discard(url string) (int64, error) {
	tr := &http.Transport{DisableKeepAlives: true}
	defer tr.CloseIdleConnections()
	resp, err := (&http.Client{Transport: tr}).Get(url)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	return io.Copy(io.Discard, resp.Body)
}
