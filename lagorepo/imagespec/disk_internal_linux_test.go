package imagespec

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of n bytes, or skips where that is not allowed.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tplkit-test", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mounting a tmpfs: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

func TestFetchToAFullDisk(t *testing.T) {
	disk := rawDisk(1, 16*mib)
	local := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(local, disk, 0o644))
	for name, src := range map[string]Base{
		"local":            {Kind: BaseSimple, Ref: local},
		"known beforehand": (&fileServer{t: t, content: disk}).base("/image"),
		"not known":        (&fileServer{t: t, content: disk, chunked: true}).base("/image"),
		"when unpacked":    (&fileServer{t: t, content: xzOf(t, make([]byte, 16*mib))}).base("/image"),
	} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t, "5m")
			_, _, err := fetchSource(t.Context(), src, filepath.Join(dir, "base"), FetchOptions{})
			if name == "when unpacked" {
				require.NoError(t, err, "zeros take no room")
				return
			}
			require.ErrorIs(t, err, syscall.ENOSPC)
			var space *SpaceError
			require.Equal(t, name == "known beforehand", errors.As(err, &space), "%v", err)
			list, err := os.ReadDir(dir)
			require.NoError(t, err)
			require.Empty(t, list)
		})
	}
}

// A full disk is found by what is free, too.
func TestCheckSpaceOfASmallDisk(t *testing.T) {
	dir := smallDisk(t, "5m")
	require.NoError(t, checkSpace(dir, 5*mib))
	require.ErrorIs(t, checkSpace(dir, 5*mib+1), syscall.ENOSPC)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), make([]byte, mib), 0o644))
	require.ErrorIs(t, checkSpace(dir, 5*mib), syscall.ENOSPC)
}

// Holes stay holes, and zeros become some.
func TestFetchMakesSparseFiles(t *testing.T) {
	disk := make([]byte, 32*mib)
	copy(disk[16*mib:], rawDisk(1, mib)[:mib/4])
	local := filepath.Join(t.TempDir(), "image")
	require.NoError(t, os.WriteFile(local, disk, 0o644))
	for name, src := range map[string]Base{
		"local":  {Kind: BaseSimple, Ref: local},
		"remote": (&fileServer{t: t, content: disk}).base("/image"),
		"xz":     (&fileServer{t: t, content: xzOf(t, disk)}).base("/image"),
		"gzip":   (&fileServer{t: t, content: gzipOf(t, disk)}).base("/image"),
	} {
		t.Run(name, func(t *testing.T) {
			dst := filepath.Join(t.TempDir(), "base")
			_, _, err := fetchSource(t.Context(), src, dst, FetchOptions{})
			require.NoError(t, err)
			var st unix.Stat_t
			require.NoError(t, unix.Stat(dst, &st))
			require.EqualValues(t, len(disk), st.Size)
			require.Less(t, st.Blocks*512, int64(mib))
			got, err := os.ReadFile(dst)
			require.NoError(t, err)
			require.True(t, string(disk) == string(got))
		})
	}
}
