package templates_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

// cacheDir makes a directory with one of everything a cache must not hold, and
// a secret beside it.
func cacheDir(t *testing.T) string {
	t.Helper()
	top := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(top, "secret"), []byte("secret"), 0o600))
	dir := filepath.Join(top, "cache")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "sub"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "sub", "inner"), []byte("inner"), 0o644))
	require.NoError(t, os.Symlink("../secret", filepath.Join(dir, "out")))
	require.NoError(t, os.Symlink("file", filepath.Join(dir, "in")))
	require.NoError(t, os.Symlink("sub", filepath.Join(dir, "dirlink")))
	require.NoError(t, os.Symlink("/", filepath.Join(dir, "rootlink")))
	return dir
}

func TestDirOpensRegularFilesOnly(t *testing.T) {
	dir := cacheDir(t)
	d, err := templates.OpenDir(dir)
	require.NoError(t, err)
	defer d.Close()
	require.Equal(t, dir, d.Path())

	f, err := d.Open("sub/inner")
	require.NoError(t, err)
	require.IsType(t, (*os.File)(nil), f)
	data, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Equal(t, "inner", string(data))
	require.NoError(t, f.Close())

	for _, name := range []string{"out", "in", "dirlink", "dirlink/inner", "rootlink/etc/passwd"} {
		_, err := d.Open(name)
		require.ErrorIs(t, err, templates.ErrNotRegular, name)
		require.ErrorContains(t, err, "a symbolic link", name)
		require.ErrorContains(t, err, name)
	}
	for _, name := range []string{"", "../secret", "/etc/passwd", "sub/../file", "./file", "a//b"} {
		_, err := d.Open(name)
		require.ErrorIs(t, err, fs.ErrInvalid, name)
		_, err = d.Stat(name)
		require.ErrorIs(t, err, fs.ErrInvalid, name)
	}
	_, err = d.Open("absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = d.Open("file/below")
	require.Error(t, err)

	fi, err := d.Stat("in")
	require.NoError(t, err)
	require.Equal(t, fs.ModeSymlink, fi.Mode().Type(), "Stat describes the link itself")

	list, err := d.ReadDir(".")
	require.NoError(t, err)
	names := make([]string, 0, len(list))
	for _, e := range list {
		names = append(names, e.Name())
	}
	require.Equal(t, []string{"dirlink", "file", "in", "out", "rootlink", "sub"}, names)
	_, err = d.ReadDir("dirlink")
	require.ErrorIs(t, err, templates.ErrNotRegular)
}

func TestDirIsAnFS(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a", "b", "c"), []byte("x"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d"), []byte("y"), 0o644))
	d, err := templates.OpenDir(dir)
	require.NoError(t, err)
	defer d.Close()
	require.NoError(t, fstest.TestFS(d, "a/b/c", "d"))
}

func TestOpenDirOfAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := templates.OpenDir(file)
	require.Error(t, err)
	_, err = templates.OpenDir(file + "-absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
}
