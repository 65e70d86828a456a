package clients_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// recovered is a tree that was recovered from a store of lago, with what went
// into it.
type recovered struct {
	tree, repo string // the repository is the directory in the tree
	url        string // of the repository, on a server of its own
	asked      func() []string
	images     []image
}

type image struct {
	handle, version string
	format          string // as qemu-img calls it
	source          string // what the published content must equal
}

// recoverStore makes a store with two guests, one as lago keeps it and one whose
// conversion was cut off, so that the qcow2 that lago had downloaded is still
// there; and recovers a tree from it.
func recoverStore(t *testing.T) recovered {
	t.Helper()
	dir := t.TempDir()
	store := filepath.Join(dir, "store")
	require.NoError(t, os.Mkdir(store, 0o755))
	metadata := func(entry, timestamp string) {
		text := `{"distro": "deb12", "arch": "x86_64", "osinfo": "debian12", "root-partition": "/dev/sda1", "expand": "/dev/sda1", "timestamp": ` + timestamp + "}"
		require.NoError(t, os.WriteFile(entry+".metadata", []byte(text), 0o644))
	}

	raw := filepath.Join(store, "phx_repo:guest-raw:v1")
	rawDisk(t, raw, "guest-raw")
	metadata(raw, "1600000000.5")
	require.NoError(t, os.WriteFile(raw+".hash", []byte(sha1File(t, raw)), 0o644))

	cut := filepath.Join(store, "phx_repo:guest-qcow2:v2")
	whole := filepath.Join(dir, "whole.raw")
	rawDisk(t, whole, "guest-qcow2")
	run(t, "qemu-img", "convert", "-f", "raw", "-O", "qcow2", whole, cut+".tmp")
	metadata(cut, "1600000001")
	require.NoError(t, os.WriteFile(cut+".hash", []byte(sha1File(t, cut+".tmp")), 0o644))
	require.NoError(t, os.Truncate(whole, 10*mibSize))
	require.NoError(t, os.Rename(whole, cut)) // as far as the conversion came

	r := recovered{
		tree: filepath.Join(dir, "tree"),
		images: []image{
			{"guest-qcow2", "v2", "qcow2", cut + ".tmp"},
			{"guest-raw", "v1", "raw", raw},
		},
	}
	r.repo = filepath.Join(r.tree, templates.RepoDir)
	require.NoError(t, os.Mkdir(r.tree, 0o755))
	base, asked := serve(t, r.tree)
	r.url, r.asked = base+"/"+templates.RepoDir, asked

	before := fingerprint(t, store)
	src, err := templates.OpenDir(store)
	require.NoError(t, err)
	defer src.Close()
	entries, err := lagorepo.ScanStore(t.Context(), src)
	require.NoError(t, err)
	plan, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{})
	require.NoError(t, err)
	dst, err := publish.Open(t.Context(), r.tree, publish.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, dst.Close()) }()
	report, err := plan.Recover(t.Context(), src, dst, lagorepo.RecoverOptions{})
	require.NoError(t, err)
	require.False(t, report.Failed(), "%+v", report.Items)
	require.Equal(t, len(r.images), report.Summary[templates.PackedState])
	_, err = lagorepo.WriteIndex(t.Context(), dst, templates.RepoDir, lagorepo.IndexOptions{RepoName: "phx", BaseURL: r.url})
	require.NoError(t, err)
	require.Equal(t, before, fingerprint(t, store), "the store was changed")
	return r
}

// packed is the published file of an image.
func (r recovered) packed(i image) string { return filepath.Join(r.repo, i.handle+".xz") }

// state is what tells a file that was written again from one that was left
// alone.
type state struct {
	size, modified int64
	inode          uint64
}

// fingerprint tells the state of every file below dir.
func fingerprint(t *testing.T, dir string) map[string]state {
	t.Helper()
	files := make(map[string]state)
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		files[path] = state{info.Size(), info.ModTime().UnixNano(), inode(info)}
		return nil
	}))
	require.NotEmpty(t, files)
	return files
}
