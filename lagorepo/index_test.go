package lagorepo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

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
