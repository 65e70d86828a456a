//go:build unix

package publish_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

var testTime = time.Unix(1400000000, 0)

func TestWriteFile(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "disk.img.xz")
	require.NoError(t, publish.WriteFile(ctx, path, publish.FileOptions{}, func(f *publish.File) error {
		require.Equal(t, path, f.Name())
		f.SetModTime(testTime)
		require.NoFileExists(t, path)
		return writeText("one")(f)
	}))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o644), info.Mode())
	require.True(t, testTime.Equal(info.ModTime()))

	called := false
	err = publish.WriteFile(ctx, path, publish.FileOptions{}, func(*publish.File) error { called = true; return nil })
	require.ErrorIs(t, err, publish.ErrExists)
	require.ErrorIs(t, err, fs.ErrExist)
	require.False(t, called, "no work is done for nothing")

	require.NoError(t, publish.WriteFile(ctx, path, publish.FileOptions{Force: true, Mode: 0o600}, writeText("two")))
	info, err = os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), info.Mode())
	require.Equal(t, map[string]string{"disk.img.xz": "two"}, tree(t, dir))

	broken := errors.New("broken")
	fail := func(f *publish.File) error { return errors.Join(writeText("half")(f), broken) }
	require.ErrorIs(t, publish.WriteFile(ctx, path, publish.FileOptions{Force: true}, fail), broken)
	require.Equal(t, map[string]string{"disk.img.xz": "two"}, tree(t, dir))

	cause := errors.New("interrupted")
	cancelled, cancel := context.WithCancelCause(ctx)
	err = publish.WriteFile(cancelled, path, publish.FileOptions{Force: true}, func(f *publish.File) error {
		cancel(cause)
		return writeText("three")(f)
	})
	require.ErrorIs(t, err, cause)
	require.ErrorIs(t, publish.WriteFile(cancelled, path, publish.FileOptions{Force: true}, writeText("three")), cause)
	require.Equal(t, map[string]string{"disk.img.xz": "two"}, tree(t, dir))
}

func TestWriteFileBadPaths(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"empty": "", "a directory": dir + "/", "dot": ".", "dots": filepath.Join(dir, "x") + "/..",
		"reserved": filepath.Join(dir, ".tplkit-tmp-1"), "no directory": filepath.Join(dir, "none", "x"), "control": dir + "/a\nb",
	} {
		t.Run(name, func(t *testing.T) {
			require.Error(t, publish.WriteFile(context.Background(), path, publish.FileOptions{}, writeText("x")))
		})
	}
	require.ErrorContains(t, publish.WriteFile(context.Background(), dir+"/x", publish.FileOptions{Mode: fs.ModeDir}, writeText("x")), "permission bits")
	require.Empty(t, tree(t, dir))
	t.Chdir(dir)
	require.NoError(t, publish.WriteFile(context.Background(), "relative", publish.FileOptions{}, writeText("x")))
	require.FileExists(t, filepath.Join(dir, "relative"))
}

func TestWriteFileFailsAtEveryStep(t *testing.T) {
	for _, force := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := quickDir(t)
			path := filepath.Join(dir, "out")
			want := map[string]string{}
			if force {
				require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
				want["out"] = "old"
			}
			f := &fault{at: n, err: syscall.ENOSPC}
			err := publish.WriteFileStep(context.Background(), path, publish.FileOptions{Force: force}, func(w *publish.File) error {
				w.SetModTime(testTime)
				return errors.Join(w.WriteZeros(10), writeText("new")(w), w.WriteZeros(10))
			}, f.step)
			if f.op == "" {
				require.NoError(t, err)
				break
			}
			require.ErrorIs(t, err, syscall.ENOSPC, f.op)
			if force && f.op == "sync-dir" {
				continue // it is in its place, and whether it stays there after a power failure is unknown
			}
			require.Equal(t, want, tree(t, dir), "%s", f.op)
		}
	}
}

// Many write one name: without force one of them gets it, and nobody's unfinished file is swept.
func TestWriteFileContended(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "same")
	var group sync.WaitGroup
	failures := make([]error, 24)
	for i := range failures {
		group.Go(func() {
			failures[i] = publish.WriteFile(context.Background(), path, publish.FileOptions{Force: i%2 == 0}, writeText(fmt.Sprint(i)))
		})
	}
	group.Wait()
	for i, err := range failures {
		if i%2 == 0 {
			require.NoError(t, err)
		} else if err != nil {
			require.ErrorIs(t, err, publish.ErrExists)
		}
	}
	require.Len(t, tree(t, dir), 1)
}

func TestWriteFileSweepsOnlyLeftovers(t *testing.T) {
	dir := t.TempDir()
	kept := []string{".tplkit-tmp-", ".tplkit-tmp-12x", ".tplkit-tmp-x1", "tplkit-tmp-12", ".tplkit-other-12"}
	for _, name := range append(kept, ".tplkit-tmp-12", ".tplkit-tmp-99") {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o600))
	}
	require.NoError(t, os.Symlink(kept[0], filepath.Join(dir, ".tplkit-tmp-34")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(dir, ".tplkit-tmp-56"), 0o600))
	err := publish.WriteFile(context.Background(), filepath.Join(dir, "outer"), publish.FileOptions{}, func(f *publish.File) error {
		// The unfinished outer file is held, so this one leaves it alone.
		return errors.Join(writeText("outer")(f),
			publish.WriteFile(context.Background(), filepath.Join(dir, "inner"), publish.FileOptions{}, writeText("inner")))
	})
	require.NoError(t, err)
	want := map[string]string{
		"outer": "outer", "inner": "inner", ".tplkit-tmp-34": "-> " + kept[0], ".tplkit-tmp-56": fs.ModeNamedPipe.String(),
	}
	for _, name := range kept {
		want[name] = ""
	}
	require.Equal(t, want, tree(t, dir))
}
