package livetest_test

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/internal/livetest"
)

var required = os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1"

// ending is a test that only notes how it ended.
type ending struct {
	testing.TB
	failed, skipped string
}

func (e *ending) Fatalf(format string, args ...any) {
	e.failed = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (e *ending) Fatal(args ...any) { e.Fatalf("%s", fmt.Sprint(args...)) }

func (e *ending) Skipf(format string, args ...any) {
	e.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// ends runs f as a test of its own.
func ends(t *testing.T, f func(testing.TB)) *ending {
	e := &ending{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(e)
	}()
	<-done
	return e
}

func nginx(answer string) func(string) []byte {
	return func(listen string) []byte {
		return fmt.Appendf(nil, "server { listen %s; location / { return 200 \"%s\"; } }", listen, answer)
	}
}

// Two servers run beside each other, and know who asks.
func TestServers(t *testing.T) {
	one, two := livetest.StartNginx(t, required, nginx("$remote_addr")), livetest.StartNginx(t, required, nginx("two"))
	for _, s := range []*livetest.Server{one, two} {
		conn, err := s.Dial(netip.MustParseAddr("127.0.0.77"))
		require.NoError(t, err)
		_, err = io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		require.NoError(t, err)
		answer, err := io.ReadAll(conn)
		require.NoError(t, err)
		require.Contains(t, string(answer), map[*livetest.Server]string{one: "127.0.0.77", two: "two"}[s])
		require.NoError(t, conn.Close())
		require.Empty(t, s.Log())
	}
}

// A configuration that a server refuses ends the test and tells why.
func TestRefusedConfigurations(t *testing.T) {
	bad := func(string) []byte { return []byte("nonsense;\n") }
	require.Error(t, livetest.CheckNginx(t, required, bad("")))
	require.ErrorContains(t, livetest.CheckHTTPD(t, required, bad("")), "nonsense")
	require.Contains(t, ends(t, func(tb testing.TB) { livetest.StartNginx(tb, required, bad) }).failed, "nonsense")
	require.Contains(t, ends(t, func(tb testing.TB) { livetest.StartHTTPD(tb, required, bad) }).failed, "nonsense")
}

// A program that is missing fails the test where it is required.
func TestMissingPrograms(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if _, err := os.Stat(filepath.Join(dir, "caddy")); err == nil {
			t.Skip("caddy is found without a PATH")
		}
	}
	e := ends(t, func(tb testing.TB) { livetest.StartCaddy(tb, true, nginx("")) })
	require.Equal(t, "caddy is not installed (Debian package caddy)", e.skipped)
	require.Empty(t, e.failed)
}

// Files become readable, and so do the directories on the way to them.
func TestReadable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("has no such modes")
	}
	dir := filepath.Join(t.TempDir(), "a")
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o600))
	require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "link")))
	livetest.Readable(t, dir)
	for path, want := range map[string]os.FileMode{dir: 0o755, filepath.Dir(dir): 0o755, filepath.Join(dir, "f"): 0o644} {
		fi, err := os.Stat(path)
		require.NoError(t, err)
		require.Equal(t, want, fi.Mode().Perm(), path)
	}
	require.NotEmpty(t, ends(t, func(tb testing.TB) { livetest.Readable(tb, filepath.Join(dir, "missing")) }).failed)
}
