package tree_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

func newTree(t *testing.T) (root string, z *tree.Zone) {
	t.Helper()
	root = t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "repo/sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/x"), []byte("0123456789"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/sub/y"), []byte("y"), 0o644))
	tr, err := tree.Open(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, tr.Close()) })
	require.Same(t, tr.Zone("repo"), tr.Zone("repo"))
	return root, tr.Zone("repo")
}

// both runs a test with openat2 and without.
func both(t *testing.T, f func(t *testing.T)) {
	t.Run("openat2", f)
	t.Run("walk", func(t *testing.T) {
		defer tree.WalkOnly()()
		f(t)
	})
}

func TestOpen(t *testing.T) {
	both(t, func(t *testing.T) {
		root, z := newTree(t)
		repo := filepath.Join(root, "repo")
		require.NoError(t, os.Symlink("x", filepath.Join(repo, "link")))
		require.NoError(t, os.Symlink("sub", filepath.Join(repo, "dirlink")))
		require.NoError(t, os.Symlink("/", filepath.Join(repo, "out")))
		require.NoError(t, syscall.Mkfifo(filepath.Join(repo, "fifo"), 0o644))
		for _, c := range []struct {
			name    string
			dirOnly bool
			want    tree.Kind
			ok      bool
		}{
			{name: "x", ok: true}, {name: "sub/y", ok: true}, {name: "sub", ok: true}, {name: "sub", dirOnly: true, ok: true}, {name: "", ok: true}, {name: "", dirOnly: true, ok: true},
			{name: "none", want: tree.Missing}, {name: "none/x", want: tree.Missing}, {name: "x/y", want: tree.Missing}, {name: "x", dirOnly: true, want: tree.Missing},
			{name: strings.Repeat("x", 300), want: tree.Missing},
			{name: "link", want: tree.Special}, {name: "fifo", want: tree.Special}, {name: "..", want: tree.Special}, {name: "../repo/x", want: tree.Special}, {name: "sub/../../repo/x", want: tree.Special},
		} {
			f, err := z.Open(c.name, c.dirOnly)
			if !c.ok {
				require.Error(t, err, c.name)
				require.Equal(t, c.want, tree.KindOf(err), "%s: %v", c.name, err)
				continue
			}
			require.NoError(t, err, c.name)
			require.NoError(t, f.Close())
			require.ErrorIs(t, f.Close(), fs.ErrClosed)
		}
		for _, name := range []string{"dirlink/y", "out/etc/passwd", "dirlink"} {
			_, err := z.Open(name, false)
			require.Error(t, err)
			require.Contains(t, []tree.Kind{tree.Special, tree.Missing}, tree.KindOf(err), name)
		}
		if os.Geteuid() != 0 {
			require.NoError(t, os.Chmod(filepath.Join(repo, "x"), 0))
			_, err := z.Open("x", false)
			require.Equal(t, tree.Unreadable, tree.KindOf(err))
		}
	})
}

// TestMount: what is mounted within a zone is not entered; a zone that is itself
// a mount is.
func TestMount(t *testing.T) {
	both(t, func(t *testing.T) {
		root, z := newTree(t)
		sub := filepath.Join(root, "repo/sub")
		if err := unix.Mount("none", sub, "tmpfs", 0, "size=64k"); err != nil {
			t.Skip("mounting is not allowed here: ", err)
		}
		defer func() { require.NoError(t, unix.Unmount(sub, unix.MNT_DETACH)) }()
		require.NoError(t, os.WriteFile(filepath.Join(sub, "m"), []byte("m"), 0o644))
		for _, name := range []string{"sub", "sub/m"} {
			_, err := z.Open(name, false)
			require.Equal(t, tree.Special, tree.KindOf(err), name)
		}
		f, err := z.Open("", true)
		require.NoError(t, err)
		defer f.Close()
		list, err := f.List(10, func(string) bool { return true })
		require.NoError(t, err)
		require.Len(t, list, 1, "the mount point is listed")

		tr, err := tree.Open(filepath.Join(root, "repo"))
		require.NoError(t, err)
		defer tr.Close()
		m, err := tr.Zone("sub").Open("m", false)
		require.NoError(t, err)
		require.NoError(t, m.Close())
	})
}

func TestZoneLink(t *testing.T) {
	root, _ := newTree(t)
	require.NoError(t, os.Symlink("repo", filepath.Join(root, "yum")))
	require.NoError(t, os.WriteFile(filepath.Join(root, "bundles"), nil, 0o644))
	tr, err := tree.Open(root)
	require.NoError(t, err)
	for _, name := range []string{"yum", "bundles", "none"} {
		_, err := tr.Zone(name).Open("x", false)
		require.Contains(t, []tree.Kind{tree.Special, tree.Missing}, tree.KindOf(err))
	}
	require.NoError(t, tr.Close())
	_, err = tr.Zone("repo").Open("x", false)
	require.Equal(t, tree.Busy, tree.KindOf(err))
	_, err = tree.Open(filepath.Join(root, "none"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = tree.Open(filepath.Join(root, "bundles"))
	require.ErrorContains(t, err, "is no directory")
}

func TestRead(t *testing.T) {
	_, z := newTree(t)
	f, err := z.Open("x", false)
	require.NoError(t, err)
	defer f.Close()
	require.NoError(t, iotest.TestReader(f, []byte("0123456789")))
	size, err := f.Seek(0, io.SeekEnd)
	require.NoError(t, err)
	require.EqualValues(t, 10, size)
	_, err = f.Seek(-1, io.SeekStart)
	require.ErrorIs(t, err, fs.ErrInvalid)
	_, err = f.Seek(0, 7)
	require.ErrorIs(t, err, fs.ErrInvalid)

	// What takes the descriptor moves the position.
	_, err = f.Seek(2, io.SeekStart)
	require.NoError(t, err)
	raw, err := f.SyscallConn()
	require.NoError(t, err)
	buf := make([]byte, 3)
	require.NoError(t, raw.Read(func(fd uintptr) bool {
		n, err := unix.Read(int(fd), buf)
		return err == nil && n == 3
	}))
	require.Equal(t, "234", string(buf))
	rest, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "56789", string(rest))
	require.NoError(t, raw.Control(func(uintptr) {}))
	at, err := f.Seek(-1, io.SeekCurrent)
	require.NoError(t, err)
	require.EqualValues(t, 9, at)
	require.NoError(t, raw.Control(func(uintptr) {}))
	_, err = f.Seek(0, io.SeekStart)
	require.NoError(t, err)
	rest, err = io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(rest))
	require.Error(t, raw.Write(nil))

	d, err := z.Open("sub", false)
	require.NoError(t, err)
	_, err = d.Read(buf)
	require.ErrorIs(t, err, syscall.EISDIR)
	_, err = d.ReadAt(buf, 0)
	require.ErrorIs(t, err, syscall.EISDIR)
	require.NoError(t, d.Close())
	_, err = d.Read(buf)
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = d.ReadAt(buf, 0)
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = d.Seek(0, io.SeekStart)
	require.ErrorIs(t, err, fs.ErrClosed)
	_, err = d.List(1, nil)
	require.ErrorIs(t, err, fs.ErrClosed)
	raw, err = d.SyscallConn()
	require.NoError(t, err)
	require.ErrorIs(t, raw.Control(func(uintptr) {}), fs.ErrClosed)
}

func TestList(t *testing.T) {
	root, z := newTree(t)
	repo := filepath.Join(root, "repo")
	require.NoError(t, os.Symlink("x", filepath.Join(repo, "link")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(repo, "fifo"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(repo, ".hidden"), nil, 0o644))
	f, err := z.Open("", true)
	require.NoError(t, err)
	defer f.Close()
	for range 2 { // more than once
		list, err := f.List(10, func(name string) bool { return !strings.HasPrefix(name, ".") })
		require.NoError(t, err)
		require.Len(t, list, 2)
		require.Equal(t, "sub", list[0].Name)
		require.True(t, list[0].Mode.IsDir())
		require.Equal(t, "x", list[1].Name)
		require.EqualValues(t, 10, list[1].Size)
	}
	_, err = f.List(3, func(string) bool { return true })
	require.ErrorIs(t, err, tree.ErrTooMany)
	file, err := z.Open("x", false)
	require.NoError(t, err)
	defer file.Close()
	_, err = file.List(1, func(string) bool { return true })
	require.Error(t, err)
}

func TestFS(t *testing.T) {
	root, z := newTree(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "repo/.hidden"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/.hidden/z"), nil, 0o644))
	require.NoError(t, os.Symlink("x", filepath.Join(root, "repo/link")))
	fsys := tree.FS{Zone: z, Hidden: func(e string) bool { return strings.HasPrefix(e, ".") && e != "." }, Limit: 10}
	require.NoError(t, fstest.TestFS(fsys, "x", "sub/y"))
	for _, name := range []string{".hidden", ".hidden/z", "link", "none"} {
		_, err := fsys.Open(name)
		require.ErrorIs(t, err, fs.ErrNotExist, name)
	}
	_, err := fsys.Open("/x")
	require.ErrorIs(t, err, fs.ErrInvalid)
	data, err := fs.ReadFile(fsys, "x")
	require.NoError(t, err)
	require.Equal(t, "0123456789", string(data))
}

// TestFresh: a directory that is replaced while it is in use by many is noticed,
// and its descriptor is given back.
func TestFresh(t *testing.T) {
	root, z := newTree(t)
	before := descriptors(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if f, err := z.Open("", true); err == nil {
					_ = f.Close()
				}
			}
		})
	}
	for i := range 4 {
		require.NoError(t, os.Rename(filepath.Join(root, "repo"), filepath.Join(root, "old"+string(rune('0'+i)))))
		require.NoError(t, os.Mkdir(filepath.Join(root, "repo"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, "repo/new"+string(rune('0'+i))), nil, 0o644))
		require.Eventually(t, func() bool {
			f, err := z.Open("new"+string(rune('0'+i)), false)
			if err == nil {
				_ = f.Close()
			}
			return err == nil
		}, 2*tree.Fresh, 5*time.Millisecond)
	}
	close(stop)
	wg.Wait()
	require.LessOrEqual(t, descriptors(t), before+1)
}

func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}
