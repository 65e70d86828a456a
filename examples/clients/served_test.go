package clients_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// served is a tree behind the true "tplkit serve".
type served struct {
	t    *testing.T
	tree string
	base string // http://127.0.0.1:PORT
	log  string // the access log
}

// servePolicy lets 127.0.0.1 alone read kubevirt/.
const servePolicy = "zone repo\n allow all\nzone bundles\n allow all\nzone yum\n allow all\nzone kubevirt\n allow 127.0.0.1\n"

// stranger is an address of this machine that the policy does not know.
const stranger = "127.0.0.9"

// serveTree serves a tree until the test ends. The server must then end well
// when it is told to.
func serveTree(t *testing.T, tree string) *served {
	t.Helper()
	dir := t.TempDir()
	s := &served{t: t, tree: tree, log: filepath.Join(dir, "access.log")}
	policy := filepath.Join(dir, "policy")
	require.NoError(t, os.WriteFile(policy, []byte(servePolicy), 0o644))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	s.base = "http://" + address

	cmd := exec.Command(command(t), "serve", tree, "--listen", address, "--config", policy, "--access-log", s.log)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case err := <-ended:
			require.NoError(t, err, "%s", &said)
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
			t.Errorf("the server did not end:\n%s", &said)
		}
	})
	for range 100 {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
			return s
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v\n%s", err, &said)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("the server does not listen")
	return nil
}

// put writes a file into the tree.
func (s *served) put(name string, data []byte) string {
	s.t.Helper()
	path := filepath.Join(s.tree, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(s.t, os.WriteFile(path, data, 0o644))
	return path
}

// inLog matches a line of the access log's combined format, of a request that
// this program made.
var inLog = regexp.MustCompile(`"([A-Z]+ \S+) HTTP/1\.[01]" (\d+) \d+ "[^"]*" "Go-http-client/`)

// asked waits until the log holds so many of this program's requests behind the
// first skip, and gives them sorted: each is written when it has ended.
func (s *served) asked(skip, want int) []string {
	s.t.Helper()
	var lines []string
	for range 200 {
		text, err := os.ReadFile(s.log)
		require.NoError(s.t, err)
		lines = nil
		for _, m := range inLog.FindAllStringSubmatch(string(text), -1) {
			lines = append(lines, m[1]+" "+m[2])
		}
		if len(lines) >= skip+want {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	require.GreaterOrEqual(s.t, len(lines), skip, lines)
	return slices.Sorted(slices.Values(lines[skip:]))
}

// patterned is content no two parts of which are the same.
func patterned(size int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "%015d\n", i)
	}
	return b.Bytes()[:size]
}

// namesBelow lists the files below a directory, with "/" in their paths.
func namesBelow(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	for path := range fingerprint(t, dir) {
		rel, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		names = append(names, filepath.ToSlash(rel))
	}
	return slices.Sorted(slices.Values(names))
}

// sameTree holds that two directories hold the same files.
func sameTree(t *testing.T, want, got string) {
	t.Helper()
	names := namesBelow(t, want)
	require.Equal(t, names, namesBelow(t, got))
	for _, name := range names {
		sameBytes(t, filepath.Join(want, name), filepath.Join(got, name))
	}
}

// fails runs a client that must not succeed, and gives all that it says and its
// status.
func fails(t *testing.T, program string, args ...string) (said string, status int) {
	t.Helper()
	out, err := client(t, program, args...).CombinedOutput()
	require.Error(t, err, "%s", out)
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	return strings.TrimSpace(string(out)), exit.ExitCode()
}
