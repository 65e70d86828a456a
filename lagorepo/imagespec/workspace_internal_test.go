//go:build unix

package imagespec

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, root.Close()) })
	return root
}

// staged lists the workspaces in a directory.
func staged(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, workspacePrefix+"*"))
	require.NoError(t, err)
	return names
}

func TestWorkspace(t *testing.T) {
	top := t.TempDir()
	root := openRoot(t, top)
	w, err := newWorkspace(root, top, false)
	require.NoError(t, err)
	fi, err := os.Stat(w.path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o700), fi.Mode().Perm())
	require.DirExists(t, w.temp())
	for _, id := range []string{"el7-base", "lock", "keep", "tmp", ".hidden", "zażółć", "a b", "..."} {
		d, err := w.dir(id)
		require.NoError(t, err)
		require.True(t, filepath.IsAbs(d))
		require.NoError(t, os.WriteFile(filepath.Join(d, "image"), []byte("x"), 0o644))
		again, err := w.dir(id)
		require.NoError(t, err)
		require.Equal(t, d, again)
		require.FileExists(t, filepath.Join(d, "image"))
	}
	for _, id := range []string{"", ".", "..", "a/b", "/a", `a\b`, "../x", "a/"} {
		_, err := w.dir(id)
		require.ErrorContains(t, err, "one element of a path", "%q", id)
	}
	require.NoError(t, os.Symlink("/etc", filepath.Join(w.path, workspaceImages, "link")))
	_, err = w.dir("link")
	require.ErrorContains(t, err, "expected a directory")
	require.NoError(t, w.Close())
	require.Empty(t, staged(t, top))
	require.DirExists(t, "/etc")
}

// A relative path leads to where it led when the workspace was made.
func TestWorkspaceOfARelativePath(t *testing.T) {
	top := t.TempDir()
	t.Chdir(top)
	require.NoError(t, os.Mkdir("repo", 0o755))
	w, err := newWorkspace(openRoot(t, "repo"), "repo", false)
	require.NoError(t, err)
	require.True(t, filepath.IsAbs(w.path))
	t.Chdir("/")
	d, err := w.dir("x")
	require.NoError(t, err)
	require.DirExists(t, d)
	require.NoError(t, w.Close())
}

func TestWorkspaceOfAnotherPath(t *testing.T) {
	top, other := t.TempDir(), t.TempDir()
	_, err := newWorkspace(openRoot(t, top), other, false)
	require.Error(t, err)
	require.Empty(t, staged(t, top))
	require.Empty(t, staged(t, other))
}

func TestWorkspaceIsKept(t *testing.T) {
	top := t.TempDir()
	root := openRoot(t, top)
	w, err := newWorkspace(root, top, true)
	require.NoError(t, err)
	d, err := w.dir("image")
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.DirExists(t, d)
	next, err := newWorkspace(root, top, false)
	require.NoError(t, err)
	require.NoError(t, next.Close())
	require.DirExists(t, d, "also by the builds that follow")
}

func TestStaleWorkspacesAreRemoved(t *testing.T) {
	top := t.TempDir()
	root := openRoot(t, top)
	live, err := newWorkspace(root, top, false)
	require.NoError(t, err)
	// The process of a build that is killed lets its lock go and removes nothing.
	dead, err := newWorkspace(root, top, false)
	require.NoError(t, err)
	d, err := dead.dir("image")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(d, "disk"), []byte("x"), 0o400))
	require.NoError(t, dead.lock.Close())
	require.NoError(t, os.Mkdir(filepath.Join(top, workspacePrefix+"early"), 0o700))
	// None of these is a workspace.
	foreign := []string{workspacePrefix + "file", "other", workspacePrefix + "link", workspacePrefix + "fifo"}
	require.NoError(t, os.WriteFile(filepath.Join(top, foreign[0]), nil, 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(top, foreign[1]), 0o755))
	require.NoError(t, os.Symlink("other", filepath.Join(top, foreign[2])))
	require.NoError(t, os.Mkdir(filepath.Join(top, foreign[3]), 0o755))
	require.NoError(t, syscall.Mkfifo(filepath.Join(top, foreign[3], workspaceLock), 0o644))

	w, err := newWorkspace(root, top, false)
	require.NoError(t, err)
	require.NoDirExists(t, dead.path)
	require.NoDirExists(t, filepath.Join(top, workspacePrefix+"early"))
	require.DirExists(t, live.path, "it is in use")
	for _, name := range foreign {
		_, err := os.Lstat(filepath.Join(top, name))
		require.NoError(t, err, name)
	}
	require.NoError(t, w.Close())
	require.NoError(t, live.Close())
}

// Builds that start and end beside each other leave each other alone.
func TestWorkspacesContend(t *testing.T) {
	top := t.TempDir()
	root := openRoot(t, top)
	var all sync.WaitGroup
	errs := make(chan error, 1000)
	for range 4 {
		all.Go(func() {
			for range 15 {
				w, err := newWorkspace(root, top, false)
				if err != nil {
					errs <- err
					return
				}
				d, err := w.dir("image")
				if err == nil {
					err = os.WriteFile(filepath.Join(d, "disk"), []byte("x"), 0o644)
				}
				if err := errors.Join(err, w.Close()); err != nil {
					errs <- err
				}
			}
		})
	}
	all.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	w, err := newWorkspace(root, top, false)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Empty(t, staged(t, top))
}

func TestCheckSpace(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, checkSpace(dir, 1))
	_, known, err := publish.FreeSpace(dir)
	require.NoError(t, err)
	if !known {
		t.Skip("this system does not tell how much is free")
	}
	err = checkSpace(dir, math.MaxInt64)
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, dir)
	require.ErrorContains(t, err, "fewer images at a time")
	var missing *SpaceError
	require.ErrorAs(t, err, &missing)
	require.Positive(t, missing.Free)
	require.ErrorContains(t, &SpaceError{Dir: "/repo", Need: 18 << 30, Free: 7 << 30}, `"/repo": needs 18.0 GiB and 7.0 GiB are free, 11.0 GiB too little`)
	require.ErrorIs(t, checkSpace(filepath.Join(dir, "missing"), 1), os.ErrNotExist)
}
