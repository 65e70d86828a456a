package kubevirtimg_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

func TestRecover(t *testing.T) {
	cache, tree := t.TempDir(), t.TempDir()
	good(t, cache, "rhel8", raw(1))
	good(t, cache, "windows2016", qcow2(false))
	put(t, cache, "rhel6", raw(2), "")
	put(t, cache, "windows10", raw(3), strings.ToUpper(sha1Of(raw(3)))+"  disk.img\r\n")
	put(t, cache, "rhel7", raw(4), sha1Of(raw(9))+"\n")
	put(t, cache, "windows2012", qcow2(true), "")
	put(t, cache, "strange", raw(5), "")
	before := files(t, cache)
	opt := kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "windows2016", Image: "win_16.img"}, {Dir: "windows2016", Image: "win01.img"}}}

	report := recoverInto(t, cache, tree, opt)
	require.Equal(t, map[string]templates.State{
		"rhel6/disk.img rhel6.qcow2": templates.RenamedState, "rhel7/disk.img rhel7.img": templates.Failed,
		"rhel8/disk.img rhel8.qcow2": templates.RenamedState, "strange ": templates.Failed,
		"windows10/disk.img win_10.qcow2": templates.RenamedState, "windows2012 ": templates.Failed,
		"windows2016/disk.img win01.img": templates.RenamedState, "windows2016/disk.img win_16.img": templates.RenamedState,
	}, states(report))
	published := map[string]string{
		"kubevirt/rhel6.qcow2": string(raw(2)), "kubevirt/rhel6.qcow2.sha1": sha1Of(raw(2)) + "\n",
		"kubevirt/rhel8.qcow2": string(raw(1)), "kubevirt/rhel8.qcow2.sha1": sha1Of(raw(1)) + "\n",
		"kubevirt/win_10.qcow2": string(raw(3)), "kubevirt/win_10.qcow2.sha1": sha1Of(raw(3)) + "\n",
		"kubevirt/win_16.img": string(qcow2(false)), "kubevirt/win_16.img.sha1": sha1Of(qcow2(false)) + "\n",
		"kubevirt/win01.img": string(qcow2(false)), "kubevirt/win01.img.sha1": sha1Of(qcow2(false)) + "\n",
	}
	require.Equal(t, published, files(t, tree))
	require.Equal(t, before, files(t, cache), "the source is never changed")

	rhel6, rhel7, rhel8, win10 := report.Items[0], report.Items[1], report.Items[2], report.Items[4]
	require.Equal(t, "kubevirt/rhel8.qcow2", rhel8.Destination)
	require.Equal(t, "verified by its sidecar", rhel8.Reason)
	require.EqualValues(t, 4096, rhel8.Sizes.Apparent)
	require.Equal(t, sha1Of(raw(1)), rhel8.Digests.Content[hashutil.SHA1])
	require.Len(t, rhel8.Digests.Content[hashutil.SHA256], 64)
	require.Empty(t, rhel8.Digests.Packed)
	require.Equal(t, "has no disk.img.sha1, so that nothing tells whether its download was finished; a new .sha1 was made for it", rhel6.Reason)
	require.Contains(t, win10.Reason, "verified by its sidecar, which was written anew: ")
	require.Contains(t, rhel7.Error, `"rhel7/disk.img": has the SHA-1 `+sha1Of(raw(4))+", its sidecar says "+sha1Of(raw(9))+": the disk is damaged")
	fi, err := os.Stat(filepath.Join(tree, "kubevirt/rhel8.qcow2"))
	require.NoError(t, err)
	require.True(t, fi.ModTime().Equal(day), "it keeps its age")

	again := recoverInto(t, cache, tree, opt)
	require.Equal(t, 5, again.Summary[templates.Unchanged])
	require.Equal(t, 3, again.Summary[templates.Failed])
	require.Len(t, again.Items, 8)
	require.Equal(t, published, files(t, tree))
	require.Equal(t, rhel8.Digests, again.Items[2].Digests)
	require.Contains(t, again.Items[2].Reason, "with the same content")
	now, err := os.Stat(filepath.Join(tree, "kubevirt/rhel8.qcow2"))
	require.NoError(t, err)
	require.True(t, os.SameFile(fi, now), "it was not written again")
}

func TestRecoverCutOffDownload(t *testing.T) {
	cache, tree := t.TempDir(), t.TempDir()
	good(t, cache, "rhel8", raw(1))
	disk := filepath.Join(cache, "rhel8/disk.img")
	require.NoError(t, os.WriteFile(disk, raw(2)[:100], 0o644))
	require.NoError(t, os.Chtimes(disk, day.Add(time.Minute), day.Add(time.Minute)))
	report := recoverInto(t, cache, tree, kubevirtimg.PlanOptions{})
	require.Equal(t, templates.Failed, report.Items[0].State)
	require.Contains(t, report.Items[0].Error, "the sidecar is older than the disk")
	require.Empty(t, files(t, tree))
}

func TestRecoverOverWhatIsThere(t *testing.T) {
	write := func(t *testing.T, tree, name, text string) {
		t.Helper()
		require.NoError(t, os.MkdirAll(filepath.Join(tree, "kubevirt"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(tree, "kubevirt", name), []byte(text), 0o644))
	}
	disk, sum := string(raw(1)), sha1Of(raw(1))+"\n"
	right := map[string]string{"kubevirt/rhel8.qcow2": disk, "kubevirt/rhel8.qcow2.sha1": sum}
	tests := map[string]struct {
		image, sidecar string // "" is absent
		state          templates.State
		text           string
		after          map[string]string
	}{
		"a missing sidecar":      {disk, "", templates.Written, "its sidecar was missing", right},
		"a wrong sidecar":        {disk, sha1Of(raw(2)) + "\n", templates.Written, "its sidecar was wrong", right},
		"a sidecar in bad form":  {disk, strings.TrimSpace(sum), templates.Written, "its sidecar was wrong", right},
		"an empty sidecar":       {disk, " ", templates.Written, "its sidecar was wrong", right},
		"a sidecar alone":        {"", sha1Of(raw(2)) + "\n", templates.RenamedState, "", right},
		"all is right":           {disk, sum, templates.Unchanged, "is there already", right},
		"another of its size":    {string(raw(2)), "x", templates.Failed, "holds other content (SHA-256 ", map[string]string{"kubevirt/rhel8.qcow2": string(raw(2)), "kubevirt/rhel8.qcow2.sha1": "x"}},
		"another of other size":  {"short", "x", templates.Failed, "has 5 bytes, not 4096; a published image is not replaced", map[string]string{"kubevirt/rhel8.qcow2": "short", "kubevirt/rhel8.qcow2.sha1": "x"}},
		"something that is none": {"KDMV" + disk[4:], "x", templates.Failed, "cannot be compared", map[string]string{"kubevirt/rhel8.qcow2": "KDMV" + disk[4:], "kubevirt/rhel8.qcow2.sha1": "x"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			cache, tree := t.TempDir(), t.TempDir()
			good(t, cache, "rhel8", raw(1))
			if test.image != "" {
				write(t, tree, "rhel8.qcow2", test.image)
			}
			if test.sidecar != "" {
				write(t, tree, "rhel8.qcow2.sha1", test.sidecar)
			}
			it := recoverInto(t, cache, tree, kubevirtimg.PlanOptions{}).Items[0]
			require.Equal(t, test.state, it.State, it.Error)
			require.Contains(t, it.Reason+it.Error, test.text)
			require.Equal(t, test.after, files(t, tree))
		})
	}
	t.Run("a directory", func(t *testing.T) {
		cache, tree := t.TempDir(), t.TempDir()
		good(t, cache, "rhel8", raw(1))
		require.NoError(t, os.MkdirAll(filepath.Join(tree, "kubevirt/rhel8.qcow2"), 0o755))
		it := recoverInto(t, cache, tree, kubevirtimg.PlanOptions{}).Items[0]
		require.Contains(t, it.Error, "kubevirt/rhel8.qcow2: is a directory")
	})
	t.Run("a directory for a sidecar", func(t *testing.T) {
		cache, tree := t.TempDir(), t.TempDir()
		good(t, cache, "rhel8", raw(1))
		require.NoError(t, os.MkdirAll(filepath.Join(tree, "kubevirt/rhel8.qcow2.sha1"), 0o755))
		it := recoverInto(t, cache, tree, kubevirtimg.PlanOptions{}).Items[0]
		require.Equal(t, templates.Failed, it.State)
		require.Empty(t, files(t, tree))
	})
}

func TestRecoverChangedSinceScan(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, disk string){
		"grown":    func(t *testing.T, disk string) { require.NoError(t, os.WriteFile(disk, make([]byte, 5000), 0o644)) },
		"touched":  func(t *testing.T, disk string) { require.NoError(t, os.Chtimes(disk, day, day.Add(time.Second))) },
		"gone":     func(t *testing.T, disk string) { require.NoError(t, os.Remove(disk)) },
		"a backer": func(t *testing.T, disk string) { require.NoError(t, os.WriteFile(disk, qcow2(true), 0o644)) },
		"packed":   func(t *testing.T, disk string) { require.NoError(t, os.WriteFile(disk, []byte("\xfd7zXZ\x00"), 0o644)) },
	} {
		t.Run(name, func(t *testing.T) {
			cache, tree := t.TempDir(), t.TempDir()
			good(t, cache, "rhel7", raw(2))
			good(t, cache, "rhel8", raw(1))
			src := openDir(t, cache)
			p := plan(t, src, kubevirtimg.PlanOptions{})
			change(t, filepath.Join(cache, "rhel7/disk.img"))
			inTree(t, tree, func(dst *publish.Dir) {
				report, err := p.Recover(t.Context(), src, dst, kubevirtimg.RecoverOptions{})
				require.NoError(t, err)
				require.Equal(t, templates.Failed, report.Items[0].State)
				require.Contains(t, report.Items[0].Error, "rhel7/disk.img")
				require.Equal(t, templates.RenamedState, report.Items[1].State, "the others are still done")
			})
			require.Len(t, files(t, tree), 2)
		})
	}
}

func TestRecoverChangesWhileItIsRead(t *testing.T) {
	for name, size := range map[string]int64{"shrinks": 100, "grows": 16 << 20} {
		t.Run(name, func(t *testing.T) {
			cache, tree := t.TempDir(), t.TempDir()
			put(t, cache, "rhel7", bytes.Repeat([]byte("x"), 8<<20), "")
			good(t, cache, "rhel8", raw(1))
			src := openDir(t, cache)
			p := plan(t, src, kubevirtimg.PlanOptions{})
			inTree(t, tree, func(dst *publish.Dir) {
				report, err := p.Recover(t.Context(), src, dst, kubevirtimg.RecoverOptions{Progress: func(pr templates.Progress) {
					if pr.Item == "rhel7/disk.img" {
						require.NoError(t, os.Truncate(filepath.Join(cache, pr.Item), size))
					}
				}})
				require.NoError(t, err)
				require.Equal(t, templates.Failed, report.Items[0].State)
				require.Contains(t, report.Items[0].Error, "rhel7/disk.img")
				require.Equal(t, templates.RenamedState, report.Items[1].State)
			})
			require.Len(t, files(t, tree), 2)
		})
	}
}

func TestRecoverRefusesAChangedPlan(t *testing.T) {
	cache, tree := t.TempDir(), t.TempDir()
	good(t, cache, "rhel8", raw(1))
	src := openDir(t, cache)
	for name, change := range map[string]func(*kubevirtimg.Action){
		"image":  func(a *kubevirtimg.Action) { a.Image = "../escaped" },
		"source": func(a *kubevirtimg.Action) { a.Source = "other/disk.img" },
		"dir":    func(a *kubevirtimg.Action) { a.Dir, a.Source = "..", "disk.img" },
	} {
		t.Run(name, func(t *testing.T) {
			p := plan(t, src, kubevirtimg.PlanOptions{})
			change(&p.Actions[0])
			inTree(t, tree, func(dst *publish.Dir) {
				report, err := p.Recover(t.Context(), src, dst, kubevirtimg.RecoverOptions{})
				require.NoError(t, err)
				require.Equal(t, templates.Failed, report.Items[0].State)
			})
			require.Empty(t, files(t, tree))
		})
	}
}

func TestRecoverConflict(t *testing.T) {
	cache, tree := t.TempDir(), t.TempDir()
	good(t, cache, "rhel7", raw(1))
	good(t, cache, "rhel8", raw(2))
	src := openDir(t, cache)
	p, err := kubevirtimg.NewPlan(scan(t, src), kubevirtimg.PlanOptions{Names: []kubevirtimg.Name{{Dir: "rhel8", Image: "rhel7.img"}}})
	require.Error(t, err)
	inTree(t, tree, func(dst *publish.Dir) {
		report, err := p.Recover(t.Context(), src, dst, kubevirtimg.RecoverOptions{})
		var conflict *templates.ConflictError
		require.ErrorAs(t, err, &conflict)
		require.Len(t, report.Conflicts, 1)
	})
	require.Empty(t, files(t, tree), "nothing is written")
}

func TestRecoverCancelled(t *testing.T) {
	cache, tree := t.TempDir(), t.TempDir()
	good(t, cache, "rhel7", make([]byte, 8<<20))
	good(t, cache, "rhel8", raw(2))
	src := openDir(t, cache)
	p := plan(t, src, kubevirtimg.PlanOptions{})
	cause := errors.New("enough")

	t.Run("before", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(cause)
		inTree(t, tree, func(dst *publish.Dir) {
			report, err := p.Recover(ctx, src, dst, kubevirtimg.RecoverOptions{})
			require.ErrorIs(t, err, cause)
			require.Empty(t, report.Items)
		})
		require.Empty(t, files(t, tree))
	})
	t.Run("in the middle of an image", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		var told []string
		inTree(t, tree, func(dst *publish.Dir) {
			report, err := p.Recover(ctx, src, dst, kubevirtimg.RecoverOptions{Progress: func(pr templates.Progress) {
				told = append(told, pr.Item)
				cancel(cause)
			}})
			require.ErrorIs(t, err, cause)
			require.Empty(t, report.Items, "what was cut off is not reported as done")
		})
		require.Equal(t, "rhel7/disk.img", told[0])
		require.Empty(t, files(t, tree))
	})
	t.Run("between two", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		inTree(t, tree, func(dst *publish.Dir) {
			report, err := p.Recover(ctx, src, dst, kubevirtimg.RecoverOptions{Progress: func(pr templates.Progress) {
				if pr.Item == "rhel8/disk.img" {
					cancel(cause)
				}
			}})
			require.ErrorIs(t, err, cause)
			require.Len(t, report.Items, 1)
			require.Equal(t, templates.RenamedState, report.Items[0].State)
		})
		require.Len(t, files(t, tree), 2)
	})
	require.Equal(t, 1, recoverInto(t, cache, tree, kubevirtimg.PlanOptions{}).Summary[templates.Unchanged], "the next run goes on")
	require.Len(t, files(t, tree), 4)
}
