package lagorepo_test

import (
	"crypto/sha512"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/virtindex"
	"github.com/tplkit/tplkit/templates"
)

// repo is the directory repo of a tree, made by hand.
type repo struct {
	t   testing.TB
	dir string // of the tree
}

func newRepo(t testing.TB) *repo {
	r := &repo{t, t.TempDir()}
	require.NoError(t, os.Mkdir(filepath.Join(r.dir, "repo"), 0o755))
	return r
}

func (r *repo) path(name string) string { return filepath.Join(r.dir, "repo", name) }

func (r *repo) put(name, content string) *repo {
	r.t.Helper()
	require.NoError(r.t, os.MkdirAll(filepath.Dir(r.path(name)), 0o755))
	require.NoError(r.t, os.WriteFile(r.path(name), []byte(content), 0o644))
	require.NoError(r.t, os.Chtimes(r.path(name), stamp, stamp))
	return r
}

// template writes a whole template.
func (r *repo) template(handle string, disk []byte, metadata string) *repo {
	r.t.Helper()
	return r.put(handle+".xz", string(xz(r.t, disk))).put(handle+".hash", sha1Hex(disk)).put(handle+".metadata", metadata)
}

func (r *repo) remove(names ...string) *repo {
	r.t.Helper()
	for _, name := range names {
		require.NoError(r.t, os.Remove(r.path(name)))
	}
	return r
}

func (r *repo) try(opt lagorepo.IndexOptions) (*templates.Report, error) {
	r.t.Helper()
	dst := openTree(r.t, r.dir)
	report, err := lagorepo.WriteIndex(r.t.Context(), dst, templates.RepoDir, opt)
	require.NoError(r.t, dst.Close())
	return report, err
}

func (r *repo) write(opt lagorepo.IndexOptions) *templates.Report {
	r.t.Helper()
	report, err := r.try(opt)
	require.NoError(r.t, err)
	return report
}

func (r *repo) lago() *lagorepo.RepoMetadata {
	r.t.Helper()
	m, err := lagorepo.ParseRepoMetadata(read(r.t, r.path("repo.metadata")))
	require.NoError(r.t, err)
	return m
}

// versions lists what repo.metadata offers, as "template:version=handle@timestamp".
func (r *repo) versions() []string {
	r.t.Helper()
	var out []string
	for name, t := range r.lago().Templates {
		for version, v := range t.Versions {
			out = append(out, fmt.Sprintf("%s:%s=%s/%s@%s", name, version, v.Source, v.Handle, v.Timestamp))
		}
	}
	slices.Sort(out)
	return out
}

func (r *repo) virt() *virtindex.Index {
	r.t.Helper()
	x, err := virtindex.Parse(read(r.t, r.path("index")))
	require.NoError(r.t, err)
	for _, p := range x.Check() {
		require.Equal(r.t, virtindex.Warning, p.Severity, p)
	}
	return x
}

// sections lists what the index offers, as "ID arch revision file".
func (r *repo) sections() []string {
	r.t.Helper()
	x := r.virt()
	var out []string
	for i := range x.Entries {
		e := &x.Entries[i]
		rev, _ := e.Get("revision", "")
		out = append(out, fmt.Sprintf("%s %s %s %s", e.ID, e.Arch(), rev, e.File()))
	}
	return out
}

func sha512Hex(p []byte) string { return fmt.Sprintf("%x", sha512.Sum512(p)) }

// itemOf gives the report's one item for a file of repo/.
func itemOf(t testing.TB, r *templates.Report, name string) templates.Item {
	t.Helper()
	var found []templates.Item
	for _, it := range r.Items {
		if it.Source == "repo/"+name || it.Source == "" && it.Destination == "repo/"+name {
			found = append(found, it)
		}
	}
	require.Len(t, found, 1, "%s in %+v", name, r.Items)
	return found[0]
}
