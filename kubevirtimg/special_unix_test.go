//go:build unix

package kubevirtimg_test

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
)

// Whatever lies in a cache, it is named, nothing of it is followed or waited for, and the rest is done.
func TestRecoverSpecialFiles(t *testing.T) {
	top := t.TempDir()
	cache, tree := filepath.Join(top, "c"), filepath.Join(top, "t")
	require.NoError(t, os.WriteFile(filepath.Join(top, "secret"), raw(9), 0o600))
	good(t, top, "elsewhere", raw(8))
	good(t, cache, "rhel8", raw(1))
	for _, dir := range []string{"rhel6", "rhel7", "windows10", "windows2012", "windows2019"} {
		require.NoError(t, os.MkdirAll(filepath.Join(cache, dir), 0o755))
	}
	require.NoError(t, os.Symlink("../../secret", filepath.Join(cache, "rhel6/disk.img")))
	require.NoError(t, syscall.Mkfifo(filepath.Join(cache, "rhel7/disk.img"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(cache, "windows10/disk.img"), raw(3), 0o644))
	require.NoError(t, syscall.Mkfifo(filepath.Join(cache, "windows10/disk.img.sha1"), 0o644))
	listener, err := net.Listen("unix", filepath.Join(cache, "windows2012/disk.img"))
	require.NoError(t, err)
	defer listener.Close()
	require.NoError(t, os.Mkdir(filepath.Join(cache, "windows2019/disk.img"), 0o755))
	require.NoError(t, os.Symlink("../elsewhere", filepath.Join(cache, "windows2016")))

	report := recoverInto(t, cache, tree, kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "windows2016", Image: "win01.img"}}})
	require.Equal(t, map[string]templates.State{
		"rhel6 ": templates.Failed, "rhel7 ": templates.Failed, "rhel8/disk.img rhel8.qcow2": templates.RenamedState,
		"windows10 ": templates.Failed, "windows2012 ": templates.Failed, "windows2016 ": templates.Failed, "windows2019 ": templates.Failed,
	}, states(report))
	for i, want := range []string{
		`"rhel6/disk.img": is a symbolic link`, `"rhel7/disk.img": is a fifo`, "", `"windows10/disk.img.sha1": is a fifo`,
		`"windows2012/disk.img": is a socket`, `"windows2016": is a symbolic link`, `"windows2019/disk.img": is a directory`,
	} {
		require.Contains(t, report.Items[i].Error, want)
	}
	require.Len(t, files(t, tree), 2)
}

// A disk that became a link after the scan is not followed either.
func TestRecoverReplacedByALink(t *testing.T) {
	top := t.TempDir()
	cache, tree := filepath.Join(top, "c"), filepath.Join(top, "t")
	good(t, cache, "rhel8", raw(1))
	src := openDir(t, cache)
	p := plan(t, src, kubevirtimg.PlanOptions{})
	good(t, top, "elsewhere", raw(1))
	require.NoError(t, os.RemoveAll(filepath.Join(cache, "rhel8")))
	require.NoError(t, os.Symlink("../elsewhere", filepath.Join(cache, "rhel8")))
	report := recoverPlan(t, p, src, tree)
	require.Equal(t, templates.Failed, report.Items[0].State)
	require.Contains(t, report.Items[0].Error, "symbolic link")
	require.Empty(t, files(t, tree))
}

func TestRecoverSparse(t *testing.T) {
	cache, tree := t.TempDir(), t.TempDir()
	put(t, cache, "rhel8", raw(1), "")
	disk := filepath.Join(cache, "rhel8/disk.img")
	require.NoError(t, os.Truncate(disk, 256<<20))
	report := recoverInto(t, cache, tree, kubevirtimg.PlanOptions{})
	require.Equal(t, templates.RenamedState, report.Items[0].State, report.Items[0].Error)
	fi, err := os.Stat(filepath.Join(tree, "kubevirt/rhel8.qcow2"))
	require.NoError(t, err)
	require.EqualValues(t, 256<<20, fi.Size())
	require.Less(t, fi.Sys().(*syscall.Stat_t).Blocks*512, int64(1<<20), "holes stay holes")
	require.EqualValues(t, 256<<20, report.Items[0].Sizes.Apparent)
	require.Less(t, report.Items[0].Sizes.Allocated, int64(1<<20))
}
