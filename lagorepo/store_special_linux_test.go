package lagorepo_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// Real special files, on a real file system: nothing blocks, nothing is
// followed, and the template beside them is recovered.
func TestRecoverAmongSpecialFiles(t *testing.T) {
	s, dir := newStore(t).complete("r:good:v1", disk(1, 900), "{}"), t.TempDir()
	at := func(name string) string { return filepath.Join(s.dir, name) }
	require.NoError(t, syscall.Mkfifo(at("r:fifo:v1"), 0o644))
	require.NoError(t, syscall.Mkfifo(at("r:lockfifo:v1.lock"), 0o644))
	require.NoError(t, os.Symlink("/etc/passwd", at("r:link:v1")))
	require.NoError(t, os.Symlink("r:good:v1", at("r:inner:v1")))
	require.NoError(t, os.Symlink("/etc/passwd", at("r:good2:v1.metadata")))
	s.put("r:good2:v1", disk(2, 900))
	// A socket's path is short: bound by a relative name, from the directory.
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", shortPath(t, s.dir, "r:sock:v1"))
	require.NoError(t, err)
	defer l.Close()
	if os.Getuid() == 0 {
		// The null device; not every container lets root make one.
		_ = syscall.Mknod(at("r:null:v1"), syscall.S_IFCHR|0o666, 1<<8|3)
	}
	done := make(chan *templates.Report, 1)
	go func() { done <- s.recoverOnce(dir, lagorepo.PlanOptions{}) }()
	select {
	case r := <-done:
		for _, it := range r.Items {
			switch it.Source {
			case "r:good:v1":
				require.Equal(t, templates.PackedState, it.State, it.Error)
			case "r:lockfifo:v1":
				require.Equal(t, templates.Skipped, it.State)
			default:
				require.Equal(t, templates.Failed, it.State, it.Source)
				require.Contains(t, it.Error, "not a regular file")
			}
		}
		require.GreaterOrEqual(t, len(r.Items), 7)
	case <-time.After(time.Minute):
		t.Fatal("blocked on a special file")
	}
}

// shortPath gives a path to dir/name that fits a socket address.
func shortPath(t *testing.T, dir, name string) string {
	t.Helper()
	link := filepath.Join(os.TempDir(), filepath.Base(t.TempDir())+"-tplkit-sock")
	_ = os.Remove(link)
	require.NoError(t, os.Symlink(dir, link))
	t.Cleanup(func() { _ = os.Remove(link) })
	return filepath.Join(link, name)
}

func TestNormalizeToAnotherFileSystem(t *testing.T) {
	const shm = "/dev/shm"
	s := newStore(t).complete(el8, disk(1, 900), el8Metadata)
	var here, there syscall.Stat_t
	require.NoError(t, syscall.Stat(s.dir, &here))
	if syscall.Stat(shm, &there) != nil || here.Dev == there.Dev {
		t.Skip("no second file system: needs " + shm)
	}
	dir, err := os.MkdirTemp(shm, "tplkit-test")
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	source := snapshot(t, s.dir)
	for mode, done := range map[templates.Mode]string{templates.ModeLink: "linked", templates.ModeMove: "moved"} {
		it := only(t, s.normalizeOnce(dir, mode))
		require.Equal(t, templates.Failed, it.State)
		require.Contains(t, it.Error, "cannot be "+done+" to another file system; use the mode copy")
		require.Empty(t, names(t, dir))
		require.Equal(t, source, snapshot(t, s.dir))
	}
	require.Equal(t, templates.RenamedState, only(t, s.normalizeOnce(dir, templates.ModeCopy)).State)
}
