package webserve_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
)

// serveEnv has the test binary be a server for the tree it names.
const serveEnv = "TPLKIT_TEST_SERVE"

const sentSize = 8 << 20

// TestSendfile counts the bytes that the kernel copies from the file to the
// socket, with an observer set.
func TestSendfile(t *testing.T) {
	if root := os.Getenv(serveEnv); root != "" {
		var seen watch
		s := start(t, newHandler(t, root, webserve.Options{Observe: seen.observe}))
		_, err := os.Stdout.WriteString("\nURL " + s.URL + "\n")
		require.NoError(t, err)
		seen.wait(t, 3)
		return
	}
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatal("strace is not installed")
		}
		t.Skip("strace is not installed")
	}
	root := newTree(t)
	write(t, root, "repo/x.xz", strings.Repeat("x", sentSize))
	write(t, root, "repo/small", strings.Repeat("y", 4096))
	log := filepath.Join(t.TempDir(), "log")
	cmd := exec.Command(strace, "-f", "-qq", "-o", log, "-e", "trace=sendfile,read,openat2,fstat,close,lseek,fcntl,epoll_ctl", os.Args[0], "-test.run=^TestSendfile$")
	cmd.Env = append(os.Environ(), serveEnv+"="+root)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	defer func() { _ = cmd.Process.Kill() }()
	url := ""
	lines := bufio.NewScanner(out)
	for url == "" && lines.Scan() {
		url, _ = strings.CutPrefix(lines.Text(), "URL ")
		if !strings.HasPrefix(url, "http") {
			url = ""
		}
	}
	require.NotEmpty(t, url, "strace cannot trace here")
	for _, c := range []struct {
		target, ranges string
		want           int
	}{{"/repo/x.xz", "", sentSize}, {"/repo/x.xz", "bytes=1000000-", sentSize - 1000000}, {"/repo/small", "", 4096}} {
		req, err := http.NewRequest("GET", url+c.target, nil)
		require.NoError(t, err)
		if c.ranges != "" {
			req.Header.Set("Range", c.ranges)
		}
		res, err := (&http.Client{Timeout: time.Minute}).Do(req)
		require.NoError(t, err)
		n, err := io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.EqualValues(t, c.want, n)
	}
	_, _ = io.Copy(io.Discard, out)
	require.NoError(t, cmd.Wait())
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	sent, calls := 0, 0
	for _, m := range regexp.MustCompile(`sendfile(?:\(| resumed).*= (\d+)`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.Atoi(m[1])
		require.NoError(t, err)
		sent += n
		calls++
	}
	t.Log(calls, "calls of sendfile,", sent, "bytes")
	require.GreaterOrEqual(t, sent, 2*sentSize-1000000, "some of the file went another way")
}
