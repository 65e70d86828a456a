package kubevirtimg_test

import (
	"context"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

var day = time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)

// raw is a small disk that no format claims; different seeds give different ones.
func raw(seed byte) []byte {
	b := make([]byte, 4096)
	for i := range b {
		b[i] = byte(i) ^ seed
	}
	return b
}

// qcow2 is the header of an empty qcow2 image, with a backing file if so wanted.
func qcow2(backing bool) []byte {
	b := make([]byte, 512)
	copy(b, "QFI\xfb")
	binary.BigEndian.PutUint32(b[4:], 3)
	if backing {
		binary.BigEndian.PutUint64(b[8:], 200)
		binary.BigEndian.PutUint32(b[16:], 8)
		copy(b[200:], "/etc/pwd")
	}
	binary.BigEndian.PutUint32(b[20:], 16)
	binary.BigEndian.PutUint64(b[24:], 1<<20)
	binary.BigEndian.PutUint32(b[96:], 4)
	binary.BigEndian.PutUint32(b[100:], 104)
	return b
}

func sha1Of(b []byte) string {
	sum := sha1.Sum(b)
	return hex.EncodeToString(sum[:])
}

// put writes DIR/disk.img of a cache, and its sidecar unless the text is "".
func put(t *testing.T, cache, dir string, disk []byte, sidecar string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Join(cache, dir), 0o755))
	name := filepath.Join(cache, dir, "disk.img")
	require.NoError(t, os.WriteFile(name, disk, 0o644))
	require.NoError(t, os.Chtimes(name, day, day))
	if sidecar != "" {
		require.NoError(t, os.WriteFile(name+".sha1", []byte(sidecar), 0o644))
		require.NoError(t, os.Chtimes(name+".sha1", day, day))
	}
}

// good writes a disk with the right sidecar.
func good(t *testing.T, cache, dir string, disk []byte) {
	t.Helper()
	put(t, cache, dir, disk, sha1Of(disk)+"\n")
}

func openDir(t *testing.T, path string) *templates.Dir {
	t.Helper()
	d, err := templates.OpenDir(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func scan(t *testing.T, fsys fs.FS) []kubevirtimg.Entry {
	t.Helper()
	entries, err := kubevirtimg.ScanCache(t.Context(), fsys)
	require.NoError(t, err)
	return entries
}

func plan(t *testing.T, fsys fs.FS, opt kubevirtimg.PlanOptions) *kubevirtimg.Plan {
	t.Helper()
	p, err := kubevirtimg.NewPlan(scan(t, fsys), opt)
	require.NoError(t, err)
	return p
}

// inTree opens a tree for publishing while f runs.
func inTree(t *testing.T, tree string, f func(*publish.Dir)) {
	t.Helper()
	dst, err := publish.Open(context.Background(), tree, publish.Options{Reserve: -1})
	require.NoError(t, err)
	defer func() { require.NoError(t, dst.Close()) }()
	f(dst)
}

// recoverInto scans the cache, plans and publishes into the tree.
func recoverInto(t *testing.T, cache, tree string, opt kubevirtimg.PlanOptions) *templates.Report {
	t.Helper()
	src := openDir(t, cache)
	return recoverPlan(t, plan(t, src, opt), src, tree)
}

func recoverPlan(t *testing.T, p *kubevirtimg.Plan, src fs.FS, tree string) *templates.Report {
	t.Helper()
	var report *templates.Report
	inTree(t, tree, func(dst *publish.Dir) {
		var err error
		report, err = p.Recover(t.Context(), src, dst, kubevirtimg.RecoverOptions{})
		require.NoError(t, err)
	})
	return report
}

// files lists what is below a directory: name to content.
func files(t *testing.T, root string) map[string]string {
	t.Helper()
	m := make(map[string]string)
	require.NoError(t, filepath.WalkDir(root, func(name string, de fs.DirEntry, err error) error {
		if err != nil || de.IsDir() {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(name)
		m[filepath.ToSlash(rel)] = string(data)
		return err
	}))
	return m
}

func states(r *templates.Report) map[string]templates.State {
	m := make(map[string]templates.State)
	for _, it := range r.Items {
		m[it.Source+" "+it.Handle] = it.State
	}
	return m
}
