//go:build unix

package publish_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

// A fault fails one step of a run, or that one and all after it, and keeps a record.
type fault struct {
	at      int // number of the step, from 1
	forever bool
	err     error

	seen   int
	op     string   // what was failed first
	name   string   //
	after  []string // what was tried from then on, as "op name"
	before []string
}

func (f *fault) step(op, name string) error {
	f.seen++
	switch {
	case f.seen < f.at:
		f.before = append(f.before, op)
		return nil
	case f.seen == f.at:
		f.op, f.name = op, name
		return f.err
	}
	f.after = append(f.after, op+" "+name)
	if f.forever {
		return f.err
	}
	return nil
}

// runGeneration is publishGeneration that keeps the errors of the set and of Open and Close apart.
func runGeneration(dir string, opt publish.Options, generation int) (openErr, setErr, closeErr error) {
	d, err := publish.Open(context.Background(), dir, opt)
	if err != nil {
		return err, nil, nil
	}
	var files []file
	for _, name := range generationNames {
		files = append(files, file{name, generationText(name, generation)})
	}
	setErr = put(context.Background(), d, append(files, file{marker(generation), ""}), marker(generation-1))
	return nil, setErr, d.Close()
}

// Every change to the file system fails once, with every kind of error: nothing is published, or all of it.
func TestEveryStepFailsOnce(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EDQUOT, syscall.EMFILE, syscall.EACCES} {
		t.Run(errno.Error(), func(t *testing.T) {
			for n := 1; ; n++ {
				dir := quickDir(t)
				require.NoError(t, publishGeneration(dir, replacing()))
				f := &fault{at: n, err: errno}
				openErr, setErr, closeErr := runGeneration(dir, publish.WithStep(replacing(), f.step), 2)
				if f.op == "" {
					break
				}
				failure := errors.Join(openErr, setErr, closeErr)
				if failure != nil {
					require.ErrorIs(t, failure, errno)
				} else {
					// What is only tidying up may fail: the next run does it.
					require.Contains(t, []string{"unlink", "rmdir"}, f.op, "%s", f.name)
				}
				if strings.HasPrefix(f.op, "sync") {
					require.NotContains(t, f.after, f.op+" "+f.name, "a second sync after one that failed")
				}
				visible := checkVisible(t, dir)
				switch {
				case openErr != nil || setErr != nil && !errors.Is(setErr, publish.ErrUnfinished):
					require.Equal(t, []int{1, 1, 1, 1}, visible, "%s %s", f.op, f.name)
				case setErr == nil:
					require.Equal(t, []int{2, 2, 2, 2}, visible, "%s %s", f.op, f.name)
				}
				tidy := f.op != "unlink" && f.op != "rmdir" && f.op != "lock"
				if tidy && !errors.Is(setErr, publish.ErrUnfinished) {
					require.NoDirExists(t, filepath.Join(dir, ".tplkit"), "after %s %s", f.op, f.name)
				}
				generation, _ := checkSettled(t, dir)
				if openErr == nil && (setErr == nil || errors.Is(setErr, publish.ErrUnfinished)) {
					require.Equal(t, 2, generation, "%s %s", f.op, f.name)
				} else {
					require.Equal(t, 1, generation, "%s %s", f.op, f.name)
				}
			}
		})
	}
}

// From some step on nothing works any more.
func TestEverythingFailsFromAStepOn(t *testing.T) {
	for n := 1; ; n++ {
		dir := quickDir(t)
		require.NoError(t, publishGeneration(dir, replacing()))
		f := &fault{at: n, err: syscall.EIO, forever: true}
		openErr, setErr, closeErr := runGeneration(dir, publish.WithStep(replacing(), f.step), 2)
		if f.op == "" {
			break
		}
		if f.op != "rmdir" {
			require.ErrorIs(t, errors.Join(openErr, setErr, closeErr), syscall.EIO)
		}
		generation, _ := checkSettled(t, dir)
		switch {
		case openErr != nil:
			require.Equal(t, 1, generation)
		case setErr == nil:
			require.Equal(t, 2, generation)
		case !errors.Is(setErr, publish.ErrUnfinished):
			require.Equal(t, 1, generation)
		}
	}
}

// interrupt leaves a tree as a run does that is killed when it is about to do op to name.
func interrupt(t *testing.T, dir string, opt publish.Options, op, name string, files []file, remove ...string) {
	t.Helper()
	dead := false
	step := func(o, n string) error {
		if o == op && n == name {
			dead = true
		}
		if dead {
			return syscall.EIO
		}
		return nil
	}
	require.ErrorIs(t, publishOnce(dir, publish.WithStep(opt, step), files, remove...), syscall.EIO)
	require.True(t, dead)
	require.DirExists(t, filepath.Join(dir, ".tplkit", "set-000001"))
}

// Recovery meets errors itself, at every step: the Open after that finishes.
func TestRecoveryFails(t *testing.T) {
	for n := 1; ; n++ {
		dir := quickDir(t)
		require.NoError(t, publishOnce(dir, small, []file{{"index", "old"}, {"gone", "old"}}))
		interrupt(t, dir, replacing(), "rename", "index", []file{{"repo/a", "new"}, {"index", "new"}}, "gone")
		f := &fault{at: n, err: syscall.ENOSPC}
		d, err := publish.Open(context.Background(), dir, publish.WithStep(small, f.step))
		if err == nil {
			require.Len(t, d.Recovered(), 1)
			err = d.Close()
		}
		if f.op == "" {
			require.NoError(t, err)
			break
		}
		if f.op != "rmdir" {
			require.ErrorIs(t, err, syscall.ENOSPC, "%s %s", f.op, f.name)
		}
		require.NoError(t, open(t, dir, small).Close())
		require.Equal(t, map[string]string{"repo/": "", "repo/a": "new", "index": "new"}, tree(t, dir))
	}
}

// Removing fails in the middle: what was taken away is put back, also by the next run.
func TestRemovingFails(t *testing.T) {
	before := map[string]string{"x/": "", "x/1": "1", "x/2": "2", "y": "y"}
	for name, forever := range map[string]bool{"once": false, "until the next run": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, publishOnce(dir, small, []file{{"x/1", "1"}, {"x/2", "2"}, {"y", "y"}}))
			failed := false
			step := func(op, name string) error {
				undone := op == "rename-new" && name == "x/1" && forever
				if op == "rename" && strings.HasSuffix(name, "/r1") || undone {
					failed = true
					return syscall.EIO
				}
				return nil
			}
			err := publishOnce(dir, publish.WithStep(small, step), []file{{"new/file", "new"}}, "x/1", "x/2", "y")
			require.True(t, failed)
			require.ErrorIs(t, err, syscall.EIO)
			require.Equal(t, forever, errors.Is(err, publish.ErrUnfinished))
			d := open(t, dir, small)
			if forever {
				require.Len(t, d.Recovered(), 1)
				require.Contains(t, d.Recovered()[0], "taken back, as the run before had begun to")
			}
			require.NoError(t, d.Close())
			require.Equal(t, before, tree(t, dir))
		})
	}
	t.Run("the name was taken meanwhile", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, publishOnce(dir, small, []file{{"x", "old"}, {"y", "y"}}))
		step := func(op, name string) error {
			if op == "rename" && strings.HasSuffix(name, "/r1") {
				require.NoError(t, os.WriteFile(filepath.Join(dir, "x"), []byte("theirs"), 0o644))
				return syscall.EIO
			}
			return nil
		}
		err := publishOnce(dir, publish.WithStep(small, step), nil, "x", "y")
		require.ErrorIs(t, err, publish.ErrUnfinished)
		require.ErrorContains(t, err, `putting the removed file back from ".tplkit/set-000001/r0": "x": exists already`)
		got := tree(t, dir)
		require.Equal(t, "theirs", got["x"])
		require.Equal(t, "old", got[".tplkit/set-000001/r0"], "nothing is lost")
	})
}

// After a set that is not settled nothing else goes into the tree: it could be overwritten when the journal
// is carried out.
func TestNothingAfterUnfinished(t *testing.T) {
	dir := t.TempDir()
	dead := false
	step := func(op, name string) error {
		dead = dead || op == "rename-new" && name == "b"
		if dead {
			return syscall.EIO
		}
		return nil
	}
	d, err := publish.Open(context.Background(), dir, publish.WithStep(small, step))
	require.NoError(t, err)
	err = put(context.Background(), d, []file{{"a", "1"}, {"b", "1"}})
	require.ErrorIs(t, err, publish.ErrUnfinished)
	require.ErrorIs(t, err, syscall.EIO)
	dead = false
	err = put(context.Background(), d, []file{{"c", "2"}})
	require.ErrorIs(t, err, publish.ErrUnfinished)
	require.ErrorContains(t, err, "open it again")
	require.NoError(t, d.Close())
	require.NoFileExists(t, filepath.Join(dir, "c"))
	second := open(t, dir, small)
	require.Equal(t, []string{`set "test set", left by a killed run: completed: 2 files published, 0 removed`}, second.Recovered())
	require.NoError(t, second.Close())
	require.Equal(t, map[string]string{"a": "1", "b": "1"}, tree(t, dir))
}

// File systems that know no links, or no rename that does not replace.
func TestPoorFileSystems(t *testing.T) {
	tests := map[string]map[string]error{
		"no rename without replacing": {"rename-new": syscall.EINVAL},
		"no links":                    {"link": syscall.EPERM},
		"neither":                     {"rename-new": syscall.ENOSYS, "link": errors.ErrUnsupported},
		"no sync of directories":      {"sync-dir": syscall.EINVAL},
	}
	for name, lacks := range tests {
		step := func(op, _ string) error { return lacks[op] }
		opt := publish.WithStep(replacing(), step)
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, publishOnce(dir, opt, []file{{"repo/a", "1"}, {"index", "1"}}))
			require.NoError(t, publishOnce(dir, opt, []file{{"repo/a", "2"}, {"new", "2"}}, "index"))
			want := map[string]string{"repo/": "", "repo/a": "2", "new": "2"}
			require.Equal(t, want, tree(t, dir))
			path := filepath.Join(dir, "single")
			require.NoError(t, publish.WriteFileStep(context.Background(), path, publish.FileOptions{}, writeText("x"), step))
			late := func(f *publish.File) error {
				return publish.WriteFile(context.Background(), filepath.Join(dir, "late"), publish.FileOptions{}, writeText("first"))
			}
			err := publish.WriteFileStep(context.Background(), filepath.Join(dir, "late"), publish.FileOptions{}, late, step)
			require.ErrorIs(t, err, publish.ErrExists)
			want["single"], want["late"] = "x", "first"
			require.Equal(t, want, tree(t, dir))
		})
	}
	t.Run("no links and no way back", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, publishOnce(dir, small, []file{{"a", "1"}}))
		step := func(op, name string) error {
			if op == "link" {
				return syscall.EPERM
			}
			if op == "rename-new" && name == "b" {
				return syscall.EIO
			}
			return nil
		}
		err := publishOnce(dir, publish.WithStep(replacing(), step), []file{{"a", "2"}, {"b", "2"}})
		require.ErrorIs(t, err, publish.ErrUnfinished)
		require.ErrorContains(t, err, `"a": the file that was replaced could not be kept`)
		_, err = publish.Open(context.Background(), dir, small)
		require.ErrorContains(t, err, `remove ".tplkit/set-000001"`)
	})
}
