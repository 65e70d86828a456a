package kubevirtimg_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// normalize scans the cache and gives its disks their names in out.
func normalize(t *testing.T, cache, out string, mode templates.Mode, names ...kubevirtimg.Name) *templates.Report {
	t.Helper()
	src := openDir(t, cache)
	p := plan(t, src, kubevirtimg.PlanOptions{Names: names})
	var report *templates.Report
	inTree(t, out, func(dst *publish.Dir) {
		var err error
		report, err = p.Normalize(t.Context(), src, dst, kubevirtimg.NormalizeOptions{Mode: mode})
		require.NoError(t, err)
	})
	return report
}

func TestNormalize(t *testing.T) {
	named := map[string]string{
		"rhel7.img": string(raw(2)), "rhel7.img.sha1": sha1Of(raw(2)) + "\n",
		"rhel8.qcow2": string(raw(1)), "rhel8.qcow2.sha1": sha1Of(raw(1)) + "\n",
	}
	for _, mode := range []templates.Mode{"", templates.ModeCopy, templates.ModeLink, templates.ModeMove} {
		t.Run("mode "+string(mode), func(t *testing.T) {
			top := t.TempDir()
			cache, out := filepath.Join(top, "cache"), filepath.Join(top, "out")
			good(t, cache, "rhel8", raw(1))
			put(t, cache, "rhel7", raw(2), "")
			put(t, cache, "rhel6", raw(3), sha1Of(raw(4)))
			before := files(t, cache)
			source, err := os.Stat(filepath.Join(cache, "rhel8/disk.img"))
			require.NoError(t, err)

			report := normalize(t, cache, out, mode)
			require.Equal(t, map[string]templates.State{
				"rhel6/disk.img rhel6.qcow2": templates.Failed, "rhel7/disk.img rhel7.img": templates.RenamedState,
				"rhel8/disk.img rhel8.qcow2": templates.RenamedState,
			}, states(report))
			require.Equal(t, "rhel8.qcow2", report.Items[2].Destination)
			require.Equal(t, named, files(t, out))
			got, err := os.Stat(filepath.Join(out, "rhel8.qcow2"))
			require.NoError(t, err)
			require.Equal(t, mode == templates.ModeLink || mode == templates.ModeMove, os.SameFile(source, got))
			if mode == templates.ModeMove {
				require.Equal(t, map[string]string{
					"rhel6/disk.img": string(raw(3)), "rhel6/disk.img.sha1": sha1Of(raw(4)),
				}, files(t, cache), "what failed stays")
				return
			}
			require.Equal(t, before, files(t, cache))

			again := normalize(t, cache, out, mode)
			require.Equal(t, 2, again.Summary[templates.Unchanged])
			require.Equal(t, named, files(t, out))
		})
	}
}

func TestNormalizeMoveUnderTwoNames(t *testing.T) {
	top := t.TempDir()
	cache, out := filepath.Join(top, "cache"), filepath.Join(top, "out")
	good(t, cache, "windows2016", raw(1))
	names := []kubevirtimg.Name{{Dir: "windows2016", Image: "win01.img"}, {Dir: "windows2016", Image: "win_16.img"}}
	report := normalize(t, cache, out, templates.ModeMove, names...)
	require.Equal(t, 2, report.Summary[templates.RenamedState])
	require.Len(t, files(t, out), 4)
	require.Empty(t, files(t, cache))

	// One of the names is taken by another image: the source stays.
	good(t, cache, "windows2016", raw(2))
	require.NoError(t, os.Remove(filepath.Join(out, "win_16.img")))
	report = normalize(t, cache, out, templates.ModeMove, names...)
	require.Equal(t, 1, report.Summary[templates.Failed])
	require.Equal(t, 1, report.Summary[templates.RenamedState])
	require.Len(t, files(t, cache), 2)
}

func TestNormalizeMoveGoesOn(t *testing.T) {
	top := t.TempDir()
	cache, out := filepath.Join(top, "cache"), filepath.Join(top, "out")
	good(t, cache, "rhel8", raw(1))
	good(t, cache, "rhel7", raw(2))
	require.NoError(t, os.Mkdir(out, 0o755))
	// A run that was killed after the link, and a copy that somebody made.
	require.NoError(t, os.Link(filepath.Join(cache, "rhel8/disk.img"), filepath.Join(out, "rhel8.qcow2")))
	require.NoError(t, os.WriteFile(filepath.Join(out, "rhel7.img"), raw(2), 0o644))
	report := normalize(t, cache, out, templates.ModeMove)
	require.Equal(t, templates.Written, report.Items[0].State)
	require.Contains(t, report.Items[0].Reason, "the source stays")
	require.Equal(t, templates.RenamedState, report.Items[1].State)
	require.Len(t, files(t, out), 4)
	require.Len(t, files(t, cache), 2)
}

func TestNormalizeRefuses(t *testing.T) {
	p := &kubevirtimg.Plan{}
	inTree(t, t.TempDir(), func(dst *publish.Dir) {
		_, err := p.Normalize(context.Background(), fstest.MapFS{}, dst, kubevirtimg.NormalizeOptions{Mode: "steal"})
		require.ErrorContains(t, err, "must be copy, link or move")
		_, err = p.Normalize(context.Background(), fstest.MapFS{}, dst, kubevirtimg.NormalizeOptions{Mode: templates.ModeLink})
		require.ErrorContains(t, err, "must have a directory on disk to read from")
	})
}
