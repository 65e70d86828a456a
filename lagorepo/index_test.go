package lagorepo_test

import (
	"context"
	"crypto/sha512"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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

var named = lagorepo.IndexOptions{RepoName: "phx_repo", BaseURL: "http://h/repo/", Jobs: 2}

func TestWriteIndex(t *testing.T) {
	raw := disk(1, 200_000)
	r := newRepo(t).
		template("el8.2-base", raw, `{"name": "el8.2-base", "version": "v3", "arch": "x86_64", "osinfo": "rhel8.2",
			"expand": "/dev/sda3", "lvexpand": "/dev/rhel/root", "timestamp": 1583020800.5}`).
		template("lago-Fedora-22", qcow2(0), `{"name": "lago Fedora® 22", "version": "v1", "arch": "x86_64", "timestamp": "1433100000"}`).
		template("bare+1", raw[:512], `{"arch": "i686"}`)
	report := r.write(named)
	require.False(t, report.Failed())
	require.Equal(t, map[templates.State]int{templates.Written: 2}, report.Summary)
	require.Equal(t, "it lists 3 versions of 3 templates as repository phx_repo at http://h/repo", itemOf(t, report, "repo.metadata").Reason)
	require.Equal(t, "it lists 3 templates for virt-builder, 3 of them new", itemOf(t, report, "index").Reason)

	require.Equal(t, map[string]lagorepo.RepoSource{"phx_repo": {BaseURL: "http://h/repo"}}, r.lago().Sources)
	require.Equal(t, []string{
		fmt.Sprintf("bare+1:latest=phx_repo/bare+1@%d", stamp.Unix()),
		"el8.2-base:v3=phx_repo/el8.2-base@1583020800.5",
		"lago Fedora® 22:v1=phx_repo/lago-Fedora-22@1433100000",
	}, r.versions())
	require.Equal(t, []string{"bare-1 i686 1 bare+1.xz", "el8.2-base x86_64 1 el8.2-base.xz", "lago-Fedora-22 x86_64 1 lago-Fedora-22.xz"}, r.sections())

	packed := read(t, r.path("el8.2-base.xz"))
	el8 := r.virt().Entries[1]
	for key, want := range map[string]string{
		"name": "el8.2-base", "osinfo": "rhel8.2", "expand": "/dev/sda3", "lvexpand": "/dev/rhel/root",
		"size": "200000", "compressed_size": fmt.Sprint(len(packed)), "format": "raw",
	} {
		got, _ := el8.Get(key, "")
		require.Equal(t, want, got, key)
	}
	sum, _ := el8.Get("checksum", "sha512")
	require.Equal(t, sha512Hex(packed), sum)
	fedora := r.virt().Entries[2]
	size, _ := fedora.Get("size", "")
	format, _ := fedora.Get("format", "")
	require.Equal(t, []string{"1073741824", "qcow2"}, []string{size, format})

	before := snapshot(t, r.dir)
	report = r.write(lagorepo.IndexOptions{Jobs: 1})
	require.Equal(t, map[templates.State]int{templates.Unchanged: 2}, report.Summary)
	require.Equal(t, before, snapshot(t, r.dir), "written again")
}

func TestWriteIndexLatest(t *testing.T) {
	r := newRepo(t).template("a", disk(1, 5000), `{"name": "other", "version": "v1", "arch": "x86_64", "timestamp": 5}`)
	r.write(lagorepo.IndexOptions{Versions: lagorepo.VersionsLatest})
	require.Equal(t, []string{fmt.Sprintf("a:latest=test/a@%d", stamp.Unix())}, r.versions())
	require.Equal(t, "http://127.0.0.1:8181", r.lago().Sources["test"].BaseURL)
	require.Equal(t, "test", r.lago().Name)
}

func TestWriteIndexFormats(t *testing.T) {
	for format, want := range map[lagorepo.IndexFormat][]string{
		"":                        {"index", "repo.metadata"},
		lagorepo.IndexAll:         {"index", "repo.metadata"},
		lagorepo.IndexLago:        {"repo.metadata"},
		lagorepo.IndexVirtBuilder: {"index"},
	} {
		t.Run(string(format), func(t *testing.T) {
			r := newRepo(t)
			r.write(lagorepo.IndexOptions{Format: format})
			require.Equal(t, want, names(t, filepath.Join(r.dir, "repo")))
		})
	}
}

func TestWriteIndexOptions(t *testing.T) {
	for name, opt := range map[string]lagorepo.IndexOptions{
		"format": {Format: "rpm"}, "versions": {Versions: "v1"}, "jobs": {Jobs: -1},
		"repository name": {RepoName: "a:b"}, "base URL": {BaseURL: "h/repo"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			_, err := r.try(opt)
			require.ErrorContains(t, err, name)
			require.Empty(t, names(t, r.dir))
		})
	}
}

func TestWriteIndexWithoutRepository(t *testing.T) {
	r := &repo{t, t.TempDir()}
	report := r.write(named)
	require.Equal(t, templates.Skipped, only(t, report).State)
	require.Empty(t, names(t, r.dir))
}

// Where the tree is the repository itself.
func TestWriteIndexOfTheTree(t *testing.T) {
	r := newRepo(t).template("a", disk(1, 5000), `{"arch": "x86_64"}`)
	dst := openTree(t, filepath.Join(r.dir, "repo"))
	report, err := lagorepo.WriteIndex(t.Context(), dst, ".", named)
	require.NoError(t, err)
	require.Equal(t, []string{"repo.metadata", "index"}, []string{report.Items[0].Destination, report.Items[1].Destination})
	require.Equal(t, []string{"a x86_64 1 a.xz"}, r.sections())
}

// What is not listed, and what is said of it.
func TestWriteIndexLeavesOut(t *testing.T) {
	const md = `{"version": "v1", "arch": "x86_64"}`
	whole := xz(t, disk(1, 5000))
	for _, c := range []struct {
		name   string
		make   func(r *repo)
		state  templates.State
		reason string // or error
		lago   bool   // is listed for lago all the same
	}{
		{"no hash", func(r *repo) { r.remove("x.hash") }, templates.Skipped, "repo/x.hash is missing", false},
		{"no metadata", func(r *repo) { r.remove("x.metadata") }, templates.Skipped, "repo/x.metadata is missing", false},
		{"hash is a directory", func(r *repo) {
			r.remove("x.hash")
			require.NoError(r.t, os.Mkdir(r.path("x.hash"), 0o755))
		}, templates.Skipped, "repo/x.hash is a directory", false},
		{"link", func(r *repo) {
			r.remove("x.xz")
			require.NoError(r.t, os.Symlink("/etc/passwd", r.path("x.xz")))
		}, templates.Skipped, "is a symbolic link", false},
		{"shadow hash", func(r *repo) { r.put("x.xz.hash", "x") }, templates.Failed, "repo/x.xz.hash: exists", false},
		{"shadow metadata", func(r *repo) { r.put("x.xz.metadata", "x") }, templates.Failed, "repo/x.xz.metadata: exists", false},
		{"hash of another kind", func(r *repo) { r.put("x.hash", strings.Repeat("0", 64)) }, templates.Failed, "repo/x.hash", false},
		{"hash in upper case", func(r *repo) { r.put("x.hash", strings.Repeat("A", 40)) }, templates.Failed, "repo/x.hash", false},
		{"metadata is no JSON", func(r *repo) { r.put("x.metadata", "{") }, templates.Failed, "repo/x.metadata: ", false},
		{"metadata twice", func(r *repo) { r.put("x.metadata", `{"arch":"a","arch":"b"}`) }, templates.Failed, "must occur once", false},
		{"no xz", func(r *repo) { r.put("x.xz", "\x1f\x8b\x08 gzip") }, templates.Failed, "gzip", false},
		{"xz of a tar", func(r *repo) { r.put("x.xz", string(xz(t, []byte("KDMV"+strings.Repeat("x", 600))))) }, templates.Failed, "vmdk", false},
		{"truncated", func(r *repo) { r.put("x.xz", string(whole[:len(whole)-7])) }, templates.Failed, "repo/x.xz: ", false},
		{"backing file", func(r *repo) { r.template("x", qcow2(1), md) }, templates.Failed, "backing", false},
		{"no arch", func(r *repo) { r.put("x.metadata", `{"version": "v1"}`) }, templates.Skipped, "architecture is not known", true},
		{"arch of two words", func(r *repo) { r.put("x.metadata", `{"version": "v1", "arch": "x86_64 i686"}`) }, templates.Skipped, `field "arch"`, true},
		{"name of two lines", func(r *repo) { r.put("x.metadata", `{"version": "v1", "name": "x\n[evil]", "arch": "x86_64"}`) },
			templates.Skipped, `field "name"`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRepo(t).template("good", disk(2, 5000), md).template("x", disk(1, 5000), md)
			c.make(r)
			report := r.write(named)
			it := itemOf(t, report, "x.xz")
			require.Equal(t, c.state, it.State)
			require.Contains(t, it.Reason+it.Error, c.reason)
			require.Equal(t, "x", it.Handle)
			require.NotEmpty(t, it.Reason)
			require.Equal(t, c.state == templates.Failed, report.Failed())

			require.Equal(t, []string{"good x86_64 1 good.xz"}, r.sections())
			want := []string{fmt.Sprintf("good:v1=phx_repo/good@%d", stamp.Unix())}
			if c.lago {
				want = append(want, fmt.Sprintf("x:v1=phx_repo/x@%d", stamp.Unix()))
			}
			require.Equal(t, want, r.versions())
		})
	}

	t.Run("no handle", func(t *testing.T) {
		report := newRepo(t).put("a b.xz", "x").write(named)
		require.Equal(t, templates.Skipped, itemOf(t, report, "a b.xz").State)
	})
}

// What was written by hand survives in repo.metadata.
func TestWriteIndexKeepsRepoMetadata(t *testing.T) {
	const md = `{"name": "a", "version": "v2", "timestamp": 200}`
	r := newRepo(t).template("a", disk(1, 5000), md).template("a-old", disk(2, 5000), `{"name": "a", "version": "v1", "timestamp": 100}`).
		put("plain", "x").put("plain.hash", "x").put("plain.metadata", "{}").
		put("repo.metadata", `{"name": "old_name", "x-owner": "ann",
 "sources": {"old_name": {"type": "http", "args": {"baseurl": "http://old/repo"}, "x-s": 1},
             "same_url": {"type": "http", "args": {"baseurl": "http://h/repo/"}},
             "disk": {"type": "file", "args": {"root": "/srv"}}, "peer": {"type": "http", "args": {"baseurl": "http://peer"}}},
 "templates": {
  "a": {"versions": {"v2": {"source": "old_name", "handle": "a-gone", "timestamp": 1, "x-v": true},
                     "stable": {"source": "old_name", "handle": "a-old", "timestamp": 50},
                     "v0": {"source": "same_url", "handle": "a-gone", "timestamp": 2}}, "x-t": null},
  "plain": {"versions": {"v1": {"source": "same_url", "handle": "plain", "timestamp": 3}}},
  "gone": {"versions": {"v1": {"source": "old_name", "handle": "gone", "timestamp": 4}}},
  "far": {"versions": {"v1": {"source": "peer", "handle": "x/far", "timestamp": 5}, "v2": {"source": "disk", "handle": "far.img", "timestamp": 6}}}}}`)
	report := r.write(named)
	require.Equal(t, []string{
		"a:stable=phx_repo/a-old@50",
		"a:v1=phx_repo/a-old@100",
		"a:v2=phx_repo/a@200",
		"far:v1=peer/x/far@5",
		"far:v2=disk/far.img@6",
		"plain:v1=phx_repo/plain@3",
	}, r.versions())
	m := r.lago()
	require.Equal(t, "phx_repo", m.Name)
	require.Equal(t, []string{"disk", "peer", "phx_repo"}, slices.Sorted(maps.Keys(m.Sources)))
	text := string(read(t, r.path("repo.metadata")))
	for _, want := range []string{`"x-owner": "ann"`, `"x-t": null`, `"x-s": 1`, `"x-v": true`} {
		require.Contains(t, text, want)
	}
	var dropped []string
	for _, it := range report.Items {
		if it.State == templates.Skipped && it.Source == "" {
			require.Contains(t, it.Reason, "no longer")
			dropped = append(dropped, it.Template+":"+it.Version)
		}
	}
	require.Equal(t, []string{"a:v0", "gone:v1"}, dropped)

	require.Equal(t, templates.Unchanged, itemOf(t, r.write(named), "repo.metadata").State)
	require.Equal(t, templates.Unchanged, itemOf(t, r.write(lagorepo.IndexOptions{}), "repo.metadata").State)
}

// What was written by hand survives in the index, and revisions rise with the
// bytes.
func TestWriteIndexKeepsIndex(t *testing.T) {
	const md = `{"name": "A", "arch": "x86_64"}`
	r := newRepo(t).template("a", disk(1, 5000), md).template("b", disk(2, 5000), `{"arch": "x86_64"}`)
	r.write(named)
	text := strings.Replace(string(read(t, r.path("index"))), "[a]\n", "# mine\n[a]\nnotes=by hand\naliases=latest\n", 1)
	other := xz(t, disk(3, 5000))
	text += "\n[a]\narch=aarch64\nfile=arm/a.xz\nsize=4096\nnotes=the other one\nrevision=4\nchecksum=" + sha512Hex(other) + "\n" +
		"\n[unsummed]\narch=s390x\nfile=arm/b.xz\nsize=4096\n"
	r.put("index", text).put("arm/a.xz", string(other)).put("arm/b.xz", "whatever")
	report := r.write(named)
	require.Equal(t, map[templates.State]int{templates.Unchanged: 2}, report.Summary)
	require.Equal(t, text, string(read(t, r.path("index"))))

	t.Run("bytes change", func(t *testing.T) {
		r.template("a", disk(4, 6000), md).put("arm/a.xz", string(xz(t, disk(5, 7000))))
		report := r.write(named)
		require.Equal(t, []string{"a x86_64 2 a.xz", "b x86_64 1 b.xz", "a aarch64 5 arm/a.xz", "unsummed s390x  arm/b.xz"}, r.sections())
		require.Contains(t, itemOf(t, report, "index").Reason, "brought up to date a (revision 2), a (revision 5)")
		x := r.virt()
		require.Equal(t, []string{"# mine"}, x.Entries[0].Comment)
		for i, want := range map[int]string{0: "by hand", 2: "the other one"} {
			notes, _ := x.Entries[i].Get("notes", "")
			require.Equal(t, want, notes)
		}
		size, _ := x.Entries[2].Get("size", "")
		require.Equal(t, "7000", size)
	})
	t.Run("another architecture's file is broken", func(t *testing.T) {
		before := string(read(t, r.path("index")))
		r.put("arm/a.xz", "broken\x00")
		r.put("arm/a.xz", string(xz(t, disk(5, 7000))[:100]))
		report := r.write(named)
		it := itemOf(t, report, "arm/a.xz")
		require.Equal(t, templates.Failed, it.State)
		require.Contains(t, it.Reason, "left as it was")
		require.Equal(t, before, string(read(t, r.path("index"))))
	})
	t.Run("a template is broken", func(t *testing.T) {
		before := r.sections()
		r.put("b.metadata", "{")
		report := r.write(named)
		require.Equal(t, templates.Failed, itemOf(t, report, "b.xz").State)
		require.Equal(t, before, r.sections())
		require.Len(t, r.versions(), 2)
		r.put("b.metadata", `{"arch": "x86_64"}`)
	})
	t.Run("files go", func(t *testing.T) {
		r.remove("b.xz", "b.hash", "b.metadata", "arm/a.xz")
		report := r.write(named)
		require.Equal(t, []string{"a x86_64 2 a.xz", "unsummed s390x  arm/b.xz"}, r.sections())
		for _, name := range []string{"b.xz", "arm/a.xz"} {
			it := itemOf(t, report, name)
			require.Equal(t, templates.Skipped, it.State)
			require.Contains(t, it.Reason, "taken out of the index")
		}
	})
	t.Run("a template comes back", func(t *testing.T) {
		r.template("b", disk(9, 5000), `{"arch": "x86_64"}`)
		r.write(named)
		require.Contains(t, r.sections(), "b x86_64 2 b.xz")
	})
	t.Run("the metadata no longer fits", func(t *testing.T) {
		r.template("b", disk(10, 5000), `{"name": "x\ny", "arch": "x86_64"}`)
		report := r.write(named)
		require.Contains(t, r.sections(), "b x86_64 3 b.xz")
		require.Contains(t, itemOf(t, report, "b.xz").Reason, "its bytes only")
	})
}

// The historical prefix of sections stays, since users and caches have it.
func TestWriteIndexHistoricalPrefix(t *testing.T) {
	r := newRepo(t).template("el7-base", disk(1, 5000), `{"arch": "x86_64"}`).
		put("index", "[lago-el7-base]\nname=EL 7\narch=x86_64\nfile=el7-base.xz\nsize=1\nrevision=7\n")
	r.write(named)
	require.Equal(t, []string{"lago-el7-base x86_64 8 el7-base.xz"}, r.sections())
}

func TestWriteIndexSigned(t *testing.T) {
	const head, tail = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n", "-----BEGIN PGP SIGNATURE-----\n\nxx\n-----END PGP SIGNATURE-----\n"
	r := newRepo(t).template("a", disk(1, 5000), `{"arch": "x86_64"}`)
	require.NotContains(t, itemOf(t, r.write(named), "index").Reason, "sign")
	text := string(read(t, r.path("index")))

	r.put("index.asc", head+text+tail)
	require.NotContains(t, itemOf(t, r.write(named), "index").Reason, "sign")
	r.put("index.asc", head+"[b]\narch=x86_64\nfile=b.xz\nsize=1\n"+tail)
	require.Contains(t, itemOf(t, r.write(named), "index").Reason, "repo/index.asc says something else: sign it again")
	r.put("index.asc", "rubbish").put("index", head+text+tail)
	require.Contains(t, itemOf(t, r.write(named), "index").Reason, "no longer is: sign it again")
	require.Contains(t, itemOf(t, r.write(named), "index").Reason, "repo/index.asc says something else")
	require.Equal(t, text, string(read(t, r.path("index"))))
}

// Conflicts are all told, and nothing is written.
func TestWriteIndexConflicts(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(r *repo)
		want map[string][]string
	}{
		{"two templates, one name and version", func(r *repo) {
			r.template("a", disk(1, 5000), `{"name": "el8", "version": "v1"}`).template("b", disk(2, 5000), `{"name": "el8", "version": "v1"}`).
				template("c", disk(3, 5000), `{"name": "el8", "version": "v1"}`).template("d", disk(3, 5000), `{"name": "el8", "version": "v2"}`)
		}, map[string][]string{"el8:v1": {"repo/a.xz", "repo/b.xz", "repo/c.xz"}}},
		{"another source has the version", func(r *repo) {
			r.template("a", disk(1, 5000), `{"name": "el8", "version": "v1"}`).
				put("repo.metadata", strings.NewReplacer(`"s"`, `"peer"`, `"t"`, `"el8"`, `"v"`, `"v1"`).Replace(smallRepo("", "")))
		}, map[string][]string{"el8:v1": {"peer:h", "repo/a.xz"}}},
		{"two handles, one section", func(r *repo) {
			r.template("a+b", disk(1, 5000), `{"arch": "x86_64"}`).template("a-b", disk(2, 5000), `{"arch": "x86_64"}`)
		}, map[string][]string{"[a-b] x86_64": {"repo/a+b.xz", "repo/a-b.xz"}}},
		{"an entry written by hand has the section", func(r *repo) {
			r.template("a", disk(1, 5000), `{"arch": "x86_64"}`).put("hand.img", "x").
				put("index", "[a]\narch=x86_64\nfile=hand.img\nsize=1\n")
		}, map[string][]string{"[a] x86_64": {"repo/hand.img", "repo/a.xz"}}},
		{"both indexes", func(r *repo) {
			r.template("a+", disk(1, 5000), `{"name": "el8", "version": "v1", "arch": "i686"}`).
				template("a-", disk(2, 5000), `{"name": "el8", "version": "v1", "arch": "i686"}`)
		}, map[string][]string{"el8:v1": {"repo/a+.xz", "repo/a-.xz"}, "[a-] i686": {"repo/a+.xz", "repo/a-.xz"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRepo(t)
			c.make(r)
			before := snapshot(t, r.dir)
			report, err := r.try(named)
			var conflict *templates.ConflictError
			require.ErrorAs(t, err, &conflict)
			require.Equal(t, conflict.Conflicts, report.Conflicts)
			got := map[string][]string{}
			for _, cf := range conflict.Conflicts {
				require.NotEmpty(t, cf.Reason)
				for _, e := range cf.Entries {
					got[cf.Name] = append(got[cf.Name], e.Source)
				}
			}
			require.Equal(t, c.want, got)
			require.Equal(t, before, snapshot(t, r.dir))
		})
	}
}

// An index that cannot be read may hold somebody's work: nothing is written.
func TestWriteIndexBrokenIndexes(t *testing.T) {
	for _, c := range []struct{ name, file, content, want string }{
		{"repo.metadata", "repo.metadata", "{", "repo/repo.metadata: line 1"},
		{"repo.metadata with a string", "repo.metadata", smallRepo(`:1}`, `:"1"}`), "take the quotes away"},
		{"repo.metadata too large", "repo.metadata", strings.Repeat(" ", 2<<20), "at most"},
		{"index", "index", "[a]\r\n", "repo/index: line 1: line ends with CR LF"},
		{"index with an entry by hand that no client reads", "index", "[hand]\narch=x86_64\nsize=1\n", `repo/index: line 1: section "hand": field "file"`},
		{"index with a revision that cannot rise", "index", "[a]\narch=x86_64\nsize=1\nfile=a.xz\nrevision=x\n", "revision"},
		{"source with the repository's name", "repo.metadata",
			`{"name": "r", "sources": {"phx_repo": {"type": "file", "args": {"root": "/srv"}}}}`, `source "phx_repo" is the directory "/srv"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRepo(t).template("a", disk(1, 5000), `{"arch": "x86_64"}`).put(c.file, c.content)
			before := snapshot(t, r.dir)
			_, err := r.try(named)
			require.ErrorContains(t, err, c.want)
			require.Equal(t, before, snapshot(t, r.dir))
		})
	}
	t.Run("index is a link", func(t *testing.T) {
		r := newRepo(t)
		require.NoError(t, os.Symlink("/etc/passwd", r.path("index")))
		_, err := r.try(named)
		require.ErrorIs(t, err, templates.ErrNotRegular)
	})
}

func TestPlanIndexIsTheDryRun(t *testing.T) {
	r := newRepo(t).template("a", disk(1, 5000), `{"arch": "x86_64"}`).put("b.xz", "x")
	before := snapshot(t, r.dir)
	plan, err := lagorepo.PlanIndex(t.Context(), openDir(t, r.dir), templates.RepoDir, named)
	require.NoError(t, err)
	report := plan.Report()
	require.Equal(t, map[templates.State]int{templates.Planned: 2, templates.Skipped: 1}, report.Summary)
	require.Equal(t, before, snapshot(t, r.dir))

	dst := openTree(t, r.dir)
	_, err = plan.Write(t.Context(), dst)
	require.NoError(t, err)
	for _, f := range plan.Files {
		require.Equal(t, string(f.Content), string(read(t, r.path(f.Name))))
	}
	require.Equal(t, []string{"repo.metadata", "index"}, []string{plan.Files[0].Name, plan.Files[1].Name})
}

func TestWriteIndexIsDeterministic(t *testing.T) {
	make := func(jobs int) (string, string) {
		r := newRepo(t)
		for i := range 9 {
			r.template(fmt.Sprintf("t%d", 9-i), disk(byte(i), 3000), `{"arch": "x86_64", "version": "v1"}`)
		}
		opt := named
		opt.Jobs = jobs
		r.write(opt)
		return string(read(t, r.path("index"))), string(read(t, r.path("repo.metadata")))
	}
	virt, lago := make(1)
	for _, jobs := range []int{0, 2, 7} {
		v, l := make(jobs)
		require.Equal(t, virt, v)
		require.Equal(t, lago, l)
	}
}

func TestWriteIndexCancelled(t *testing.T) {
	cause := errors.New("enough")
	r := newRepo(t)
	for i := range 5 {
		r.template(fmt.Sprintf("t%d", i), disk(byte(i), 300_000), `{"arch": "x86_64"}`)
	}
	before := snapshot(t, r.dir)
	ctx, cancel := context.WithCancelCause(t.Context())
	var once sync.Once
	opt := named
	opt.Progress = func(p templates.Progress) {
		require.True(t, strings.HasPrefix(p.Item, "repo/t"))
		once.Do(func() { cancel(cause) })
	}
	dst := openTree(t, r.dir)
	_, err := lagorepo.WriteIndex(ctx, dst, templates.RepoDir, opt)
	require.ErrorIs(t, err, cause)
	require.NoError(t, dst.Close())
	require.Equal(t, before, snapshot(t, r.dir))
}
