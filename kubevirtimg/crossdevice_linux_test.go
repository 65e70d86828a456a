package kubevirtimg_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

func TestNormalizeAcrossFileSystems(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "kubevirtimg")
	if err != nil {
		t.Skip("no second file system: ", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(other) })
	cache, out := t.TempDir(), filepath.Join(other, "out")
	device := func(name string) uint64 {
		fi, err := os.Stat(name)
		require.NoError(t, err)
		return fi.Sys().(*syscall.Stat_t).Dev
	}
	if device(cache) == device(other) {
		t.Skip("no second file system: /dev/shm lies on that of ", cache)
	}
	good(t, cache, "rhel8", raw(1))
	report := normalize(t, cache, out, templates.ModeMove)
	require.Equal(t, templates.Failed, report.Items[0].State)
	require.Contains(t, report.Items[0].Error, `"rhel8/disk.img": lies on another file system`)
	require.Contains(t, report.Items[0].Error, "use the mode copy")
	require.Len(t, files(t, cache), 2)
	require.Equal(t, 1, normalize(t, cache, out, "").Summary[templates.RenamedState])
}
