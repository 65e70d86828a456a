package tree_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// settle waits until the files that were just made may be kept.
func settle() { time.Sleep(tree.Settled + 50*time.Millisecond) }

// readAll opens, reads and closes a file, and says whether the content was known.
func readAll(t *testing.T, z *tree.Zone, name string) (content string, known bool) {
	t.Helper()
	f, err := z.Open(name, false)
	require.NoError(t, err, name)
	_, err = f.SyscallConn()
	known = err != nil
	got, err := io.ReadAll(f)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	return string(got), known
}

// requireKnown asks for a file twice.
func requireKnown(t *testing.T, z *tree.Zone, name, want string) {
	t.Helper()
	got, _ := readAll(t, z, name)
	require.Equal(t, want, got)
	got, known := readAll(t, z, name)
	require.True(t, known, name)
	require.Equal(t, want, got)
}

func TestKept(t *testing.T) {
	t.Parallel()
	root, z := newTree(t)
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/large"), make([]byte, 32<<10+1), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/empty"), nil, 0o644))
	_, known := readAll(t, z, "x")
	require.False(t, known)
	_, known = readAll(t, z, "x")
	require.False(t, known, "it may be changing still")
	settle()
	requireKnown(t, z, "x", "0123456789")
	requireKnown(t, z, "empty", "")
	for _, name := range []string{"large", "sub/y"} {
		for range 2 {
			_, known := readAll(t, z, name)
			require.False(t, known, name)
		}
	}

	f, err := z.Open("x", false)
	require.NoError(t, err)
	require.Equal(t, int64(10), f.Info().Size)
	p := make([]byte, 3)
	n, err := f.ReadAt(p, 8)
	require.Equal(t, 2, n)
	require.ErrorIs(t, err, io.EOF)
	at, err := f.Seek(-3, io.SeekEnd)
	require.NoError(t, err)
	require.Equal(t, int64(7), at)
	_, err = io.ReadFull(f, p)
	require.NoError(t, err)
	require.Equal(t, "789", string(p))
	_, err = f.List(1, nil)
	require.ErrorIs(t, err, os.ErrClosed)
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Close(), os.ErrClosed)
	for _, err := range []error{second(f.Read(p)), second(f.ReadAt(p, 0)), second(f.Seek(0, io.SeekStart))} {
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

func second[T any](_ T, err error) error { return err }

// TestKeptIsCurrent: whatever becomes of a file whose content is known, that content is not given out any more.
func TestKeptIsCurrent(t *testing.T) {
	t.Parallel()
	root, z := newTree(t)
	repo := filepath.Join(root, "repo")
	path := func(name string) string { return filepath.Join(repo, name) }
	names := []string{"written", "backdated", "replaced", "chmod", "link", "gone", "dir", "moved"}
	old := time.Now().Add(-time.Hour)
	for _, name := range names {
		require.NoError(t, os.WriteFile(path(name), []byte("before"), 0o644))
		require.NoError(t, os.Chtimes(path(name), old, old))
	}
	settle()
	for _, name := range names {
		requireKnown(t, z, name, "before")
	}
	overwrite := func(name string) {
		f, err := os.OpenFile(path(name), os.O_WRONLY, 0)
		require.NoError(t, err)
		_, err = f.WriteAt([]byte("behind"), 0)
		require.NoError(t, err)
		require.NoError(t, f.Close())
	}
	overwrite("written")
	overwrite("backdated")
	require.NoError(t, os.Chtimes(path("backdated"), old, old))
	require.NoError(t, os.WriteFile(path("new"), []byte("behind"), 0o644))
	require.NoError(t, os.Chtimes(path("new"), old, old))
	require.NoError(t, os.Rename(path("new"), path("replaced")))
	require.NoError(t, os.Chmod(path("chmod"), 0o600))
	require.NoError(t, os.Rename(path("link"), path("elsewhere")))
	require.NoError(t, os.Symlink("elsewhere", path("link")))
	require.NoError(t, os.Remove(path("gone")))
	require.NoError(t, os.Remove(path("dir")))
	require.NoError(t, os.Mkdir(path("dir"), 0o755))
	require.NoError(t, os.Rename(path("moved"), path("sub/moved")))

	for _, name := range []string{"written", "backdated", "replaced"} {
		got, known := readAll(t, z, name)
		require.Equal(t, "behind", got, name)
		require.False(t, known, name)
	}
	_, known := readAll(t, z, "chmod")
	require.False(t, known, "another may be allowed to read it now")
	for name, want := range map[string]tree.Kind{"link": tree.Special, "gone": tree.Missing, "moved": tree.Missing} {
		_, err := z.Open(name, false)
		require.Error(t, err, name)
		require.Equal(t, want, tree.KindOf(err), name)
	}
	f, err := z.Open("dir", false)
	require.NoError(t, err)
	require.True(t, f.Info().Mode.IsDir())
	require.NoError(t, f.Close())
}

// TestKeptZoneReplaced: a name in another directory is another file.
func TestKeptZoneReplaced(t *testing.T) {
	t.Parallel()
	root, z := newTree(t)
	settle()
	requireKnown(t, z, "x", "0123456789")
	require.NoError(t, os.Rename(filepath.Join(root, "repo"), filepath.Join(root, "old")))
	require.NoError(t, os.Mkdir(filepath.Join(root, "repo"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo/x"), []byte("abcdefghij"), 0o644))
	require.Eventually(t, func() bool {
		got, _ := readAll(t, z, "x")
		return got == "abcdefghij"
	}, 10*time.Second, 10*time.Millisecond)
}

// TestKeptIsBounded: of many files only some are kept, and all are right.
func TestKeptIsBounded(t *testing.T) {
	t.Parallel()
	root, z := newTree(t)
	const n = 600
	content := func(i int) string { return string(bytes.Repeat([]byte{byte(i), byte(i >> 8)}, 15<<10)) }
	for i := range n {
		require.NoError(t, os.WriteFile(filepath.Join(root, "repo", fmt.Sprint(i)), []byte(content(i)), 0o644))
	}
	settle()
	var known int
	for range 2 {
		known = 0
		for i := range n {
			got, k := readAll(t, z, fmt.Sprint(i))
			require.True(t, got == content(i), "file %d", i)
			if k {
				known++
			}
		}
	}
	require.Positive(t, known)
	require.Positive(t, tree.KeptSize(z))
	require.LessOrEqual(t, tree.KeptSize(z), 8<<20)
}

// TestKeptTogether: requests at the same time as changes get one of the contents that there were, whole.
func TestKeptTogether(t *testing.T) {
	t.Parallel()
	root, z := newTree(t)
	x := filepath.Join(root, "repo/x")
	settle()
	end := time.Now().Add(300 * time.Millisecond)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for time.Now().Before(end) {
				f, err := z.Open("x", false)
				if err != nil {
					t.Errorf("open: %v", err)
					return
				}
				got, err := io.ReadAll(f)
				if err != nil || len(got) != 10 || bytes.Count(got, got[:1]) != 10 && string(got) != "0123456789" {
					t.Errorf("%q, %v", got, err)
				}
				_ = f.Close()
			}
		})
	}
	for i := 0; time.Now().Before(end); i++ {
		require.NoError(t, os.WriteFile(x+".new", bytes.Repeat([]byte{'a' + byte(i%26)}, 10), 0o644))
		require.NoError(t, os.Rename(x+".new", x))
	}
	readers.Wait()
}
