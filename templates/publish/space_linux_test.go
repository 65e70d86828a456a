package publish_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/publish"
)

// mount mounts a small file system of its own at dir, or skips where that is not allowed.
func mount(t *testing.T, dir, data string) {
	t.Helper()
	if err := unix.Mount("tplkit-test", dir, "tmpfs", 0, data); err != nil {
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
}

// A real full disk: nothing is published, what was there stays, and the tree can be used when there is room.
func TestFullDisk(t *testing.T) {
	const mib = 1 << 20
	tests := map[string]struct {
		opt  publish.Options
		run  func(set *publish.Set) error
		want string
	}{
		"found while writing": {small, func(set *publish.Set) error {
			f, err := set.Create("image", 0)
			if err != nil {
				return err
			}
			_, err = f.Write(bytes.Repeat([]byte("x"), 5*mib))
			return err
		}, `"image"`},
		"not looked at by the writer": {small, func(set *publish.Set) error {
			f, err := set.Create("image", 0)
			if err != nil {
				return err
			}
			_, _ = f.Write(bytes.Repeat([]byte("x"), 5*mib))
			return set.Commit(context.Background())
		}, `"image"`},
		"found before writing": {small, func(set *publish.Set) error {
			_, err := set.Create("image", 5*mib)
			return err
		}, "needs 5242880 bytes"},
		"two that fit only one by one": {small, func(set *publish.Set) error {
			if _, err := set.Create("a", 2*mib); err != nil {
				return fmt.Errorf("the first fits: %w", err)
			}
			_, err := set.Create("b", 2*mib)
			return err
		}, "are for files that are being written"},
		"the reserve": {publish.Options{Reserve: 2 * mib}, func(set *publish.Set) error {
			_, err := set.Create("image", 2*mib)
			return err
		}, "kept in reserve"},
		"the reserve unless said otherwise": {publish.Options{}, func(set *publish.Set) error {
			_, err := set.Create("image", 0)
			return err
		}, "kept in reserve"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mount(t, dir, "size=4m")
			require.NoError(t, publishOnce(dir, small, []file{{"old", strings.Repeat("o", mib/2)}}))
			d := open(t, dir, tt.opt)
			set := d.NewSet("")
			err := tt.run(set)
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.ErrorContains(t, err, tt.want)
			require.NoError(t, set.Discard())
			require.NoError(t, d.Close())
			require.Equal(t, map[string]string{"old": strings.Repeat("o", mib/2)}, tree(t, dir))
			require.NoError(t, publishOnce(dir, small, []file{{"image", strings.Repeat("x", 3*mib)}}))
		})
	}
	t.Run("no inodes", func(t *testing.T) {
		dir := t.TempDir()
		mount(t, dir, "size=4m,nr_inodes=10")
		var files []file
		for i := range 10 {
			files = append(files, file{fmt.Sprint(i), "x"})
		}
		require.ErrorIs(t, publishOnce(dir, small, files), syscall.ENOSPC)
		require.Empty(t, tree(t, dir))
		require.NoError(t, publishOnce(dir, small, files[:2]))
	})
	t.Run("one file", func(t *testing.T) {
		dir := t.TempDir()
		mount(t, dir, "size=4m")
		path := filepath.Join(dir, "out")
		err := publish.WriteFile(context.Background(), path, publish.FileOptions{}, writeText(strings.Repeat("x", 5*mib)))
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.Empty(t, tree(t, dir))
	})
	t.Run("noticed between", func(t *testing.T) {
		dir := t.TempDir()
		mount(t, dir, "size=100m")
		d := open(t, dir, publish.Options{Reserve: 20 * mib})
		set := d.NewSet("")
		f, err := set.Create("image", 0)
		require.NoError(t, err)
		part := bytes.Repeat([]byte("x"), mib)
		written := 0
		for err == nil {
			_, err = f.Write(part)
			written++
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
		require.LessOrEqual(t, written, 81+64, "the reserve is looked at now and then")
	})
}

// A directory of the tree is another file system: no rename leads there, and all is taken back.
func TestMountInTheTree(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "repo"), 0o755))
	mount(t, filepath.Join(dir, "repo"), "size=1m")
	err := publishOnce(dir, small, []file{{"first", "1"}, {"repo/second", "2"}})
	require.ErrorIs(t, err, syscall.EXDEV)
	require.ErrorContains(t, err, `"repo/second"`)
	require.NotErrorIs(t, err, publish.ErrUnfinished)
	require.Equal(t, map[string]string{"repo/": ""}, tree(t, dir))
}

func TestReadOnly(t *testing.T) {
	dir := t.TempDir()
	mount(t, dir, "size=1m")
	require.NoError(t, publishOnce(dir, small, []file{{"f", "f"}}))
	require.NoError(t, unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	_, err := publish.Open(context.Background(), dir, small)
	require.ErrorIs(t, err, syscall.EROFS)
	_, err = publish.Open(context.Background(), filepath.Join(dir, "new"), small)
	require.ErrorIs(t, err, syscall.EROFS)
	err = publish.WriteFile(context.Background(), filepath.Join(dir, "x"), publish.FileOptions{}, writeText("x"))
	require.ErrorIs(t, err, syscall.EROFS)
	require.Equal(t, map[string]string{"f": "f"}, tree(t, dir))
}

func TestOpenWhatIsNoDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	_, err := publish.Open(context.Background(), file, small)
	require.ErrorContains(t, err, "expected a directory")
	_, err = publish.Open(context.Background(), filepath.Join(file, "x"), small)
	require.ErrorIs(t, err, syscall.ENOTDIR)
}

// The system calls themselves fail, or kill: what the steps of the other tests stand for, once for real.
func TestSystemCallsFail(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatal("strace is required: Debian package strace")
		}
		t.Skip("no strace: Debian package strace")
	}
	for _, call := range []string{"fsync", "renameat2", "linkat", "renameat", "mkdirat", "flock", "unlinkat"} {
		for _, what := range []string{"error=EIO", "error=ENOSPC", "signal=SIGKILL", "error=EIO:when=2+", "signal=SIGKILL:when=3"} {
			t.Run(call+" "+what, func(t *testing.T) {
				dir := quickDir(t)
				require.NoError(t, publishGeneration(dir, replacing()))
				cmd := publisher(t, "once", dir, "")
				cmd.Args = append([]string{strace, "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + call + ":" + what}, cmd.Path)
				cmd.Path = strace
				runErr := cmd.Run()
				before := checkVisible(t, dir)
				generation, _ := checkSettled(t, dir)
				require.LessOrEqual(t, before[0], generation)
				if runErr == nil {
					require.Equal(t, 2, generation)
				}
				require.NoError(t, publishGeneration(dir, replacing()))
			})
		}
	}
}
