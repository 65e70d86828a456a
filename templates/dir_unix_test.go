//go:build unix

package templates_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

func TestDirRefusesSpecialFilesAtOnce(t *testing.T) {
	// A socket's path has a small limit, which the test's own name can pass.
	dir, err := os.MkdirTemp("", "tpl")
	require.NoError(t, err)
	defer os.RemoveAll(dir)
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o644))
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	require.NoError(t, err)
	defer l.Close()
	want := map[string]string{"fifo": "a fifo", "socket": "a socket"}
	if err := syscall.Mknod(filepath.Join(dir, "device"), syscall.S_IFCHR|0o666, 1<<8|5); err == nil {
		want["device"] = "a device"
	}
	d, err := templates.OpenDir(dir)
	require.NoError(t, err)
	defer d.Close()
	for name, what := range want {
		start := time.Now()
		_, err := d.Open(name)
		require.ErrorIs(t, err, templates.ErrNotRegular, name)
		require.ErrorContains(t, err, what)
		require.Less(t, time.Since(start), time.Second, "opening the %s blocked", name)
	}
}

// TestDirRace swaps a file for a link to a secret while it is opened again and
// again: the secret must never come out.
func TestDirRace(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "cache")
	require.NoError(t, os.Mkdir(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(top, "secret"), []byte("secret"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "good"), []byte("public"), 0o644))
	require.NoError(t, os.Symlink("../secret", filepath.Join(dir, "bad")))
	d, err := templates.OpenDir(dir)
	require.NoError(t, err)
	defer d.Close()

	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		x := filepath.Join(dir, "x")
		for {
			select {
			case <-stop:
				return
			default:
			}
			_ = os.Link(filepath.Join(dir, "good"), x+"1")
			_ = os.Rename(x+"1", x)
			_ = os.Symlink("../secret", x+"2")
			_ = os.Rename(x+"2", x)
		}
	}()
	opened := 0
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		f, err := d.Open("x")
		if err != nil {
			continue
		}
		opened++
		buf := make([]byte, 6)
		_, err = f.Read(buf)
		require.NoError(t, f.Close())
		require.NoError(t, err)
		require.Equal(t, "public", string(buf))
	}
	close(stop)
	<-done
	t.Logf("opened %d times", opened)
}
