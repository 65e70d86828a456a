package imagespec_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

func (w *workshop) plan() *imagespec.Plan {
	w.t.Helper()
	specs, err := imagespec.Load(w.t.Context(), []string{w.path("specs")})
	require.NoError(w.t, err)
	plan, err := imagespec.NewPlan(specs, imagespec.PlanOptions{Format: w.opt.Format})
	require.NoError(w.t, err)
	return plan
}

func (w *workshop) try(ctx context.Context) (*templates.Report, error) {
	w.t.Helper()
	plan := w.plan()
	dst, err := publish.Open(w.t.Context(), w.path("repo"), publish.Options{Reserve: -1})
	require.NoError(w.t, err)
	report, err := plan.Build(ctx, dst, w.opt)
	require.NoError(w.t, dst.Close())
	return report, err
}

func (w *workshop) build() *templates.Report {
	w.t.Helper()
	report, err := w.try(w.t.Context())
	require.NoError(w.t, err)
	require.False(w.t, report.Failed(), "%+v", report.Items)
	return report
}

// reasons gives "ID: state: reason" for each image in the report.
func reasons(r *templates.Report) []string {
	var all []string
	for _, it := range r.Items {
		if it.Handle != "" && strings.Contains(it.Source, "specs") {
			all = append(all, it.Handle+": "+string(it.State)+": "+it.Reason)
		}
	}
	return all
}

// files lists what lies in the repository, hidden files too.
func (w *workshop) files() []string {
	w.t.Helper()
	var all []string
	require.NoError(w.t, filepath.WalkDir(w.path("repo"), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(w.path("repo"), path)
			all = append(all, filepath.ToSlash(rel))
		}
		return err
	}))
	slices.Sort(all)
	return all
}

func (w *workshop) read(name string) []byte {
	w.t.Helper()
	data, err := os.ReadFile(w.repo(name))
	require.NoError(w.t, err)
	return data
}

// disk is the payload of a published image.
func (w *workshop) disk(name string) string {
	w.t.Helper()
	r, err := xz.NewReader(bytes.NewReader(w.read(name)))
	require.NoError(w.t, err)
	data, err := io.ReadAll(r)
	require.NoError(w.t, err)
	return payload(data)
}

func (w *workshop) metadata(id string) *lagorepo.Metadata {
	w.t.Helper()
	md, err := lagorepo.ParseMetadata(w.read(id + ".metadata"))
	require.NoError(w.t, err)
	return md
}

func text(t *testing.T, md *lagorepo.Metadata, key string) string {
	t.Helper()
	s, ok := md.Text(key)
	require.True(t, ok, key)
	return s
}

// serveFile serves one file that can be changed, packed.
func serveFile(t *testing.T, image []byte) (url string, change func([]byte)) {
	dir := t.TempDir()
	write := func(data []byte) {
		var b bytes.Buffer
		x, err := xz.NewWriter(&b)
		require.NoError(t, err)
		_, err = x.Write(data)
		require.NoError(t, err)
		require.NoError(t, x.Close())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "base.xz"), b.Bytes(), 0o644))
	}
	write(image)
	old := time.Now().Add(-time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, "base.xz"), old, old))
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(server.Close)
	return server.URL + "/base.xz", write
}

const commands = "\n# fix for bz#1\nwrite /etc/motd:one\\\ntwo\nedit /etc/x: s/a/b/  \nrun-command echo \"ä®\""

func threeSpecs(t *testing.T) (w *workshop, change func([]byte)) {
	w = newWorkshop(t)
	url, change := serveFile(t, qcow2("from the web", ""))
	w.spec("deb12-base", "libguestfs:deb12", commands)
	w.spec("deb12-lamp", "layer:deb12-base", "#version=v3\ninstall lamp\n")
	w.spec("web", "simple:"+url, "write /a:b\n")
	return w, change
}

func TestBuild(t *testing.T) {
	w, _ := threeSpecs(t)
	w.opt.Jobs = 1
	w.opt.Version = "v9"
	w.opt.Now = func() time.Time { return time.Unix(1600000000, 0) }
	var steps []string
	w.opt.Progress = func(p imagespec.Progress) {
		if p.Done == 0 && p.Total == 0 {
			steps = append(steps, p.ID+" "+p.Step)
		}
	}
	report := w.build()
	require.Equal(t, []string{"deb12-base: built: new", "deb12-lamp: built: new", "web: built: new"}, reasons(report))
	require.Equal(t, 2, report.Summary[templates.Written], "the two indexes")

	calls := w.fake.did()
	of := func(id string) (own []string) {
		for _, c := range calls {
			if strings.Contains(c, "@/"+id+"/") && !strings.Contains(c, "-b @/"+id+"/") {
				own = append(own, c)
			}
		}
		return own
	}
	tail := func(id, disk, whole string) []string {
		return []string{
			"virt-sysprep --format=qcow2 --selinux-relabel --add=@/" + id + "/" + disk,
			"virt-sparsify --format=qcow2 --in-place @/" + id + "/" + disk,
			"virt-inspector --no-applications --no-icon --format=qcow2 --add=@/" + id + "/" + whole,
		}
	}
	require.Equal(t, append([]string{
		"virt-builder --commands-from-file=@/deb12-base/spec --output=@/deb12-base/disk.qcow2 --format=qcow2 deb12",
	}, tail("deb12-base", "disk.qcow2", "disk.qcow2")...), of("deb12-base"))
	require.Equal(t, append([]string{
		"virt-customize --commands-from-file=@/web/spec --format=qcow2 --add=@/web/disk.qcow2",
	}, tail("web", "disk.qcow2", "disk.qcow2")...), of("web"))
	require.Equal(t, slices.Insert(append([]string{
		"qemu-img create -q -f qcow2 -F qcow2 -b @/deb12-base/disk.qcow2 @/deb12-lamp/disk.qcow2",
		"virt-customize --commands-from-file=@/deb12-lamp/spec --format=qcow2 --add=@/deb12-lamp/disk.qcow2",
	}, tail("deb12-lamp", "disk.qcow2", "whole.qcow2")...), 4, "qemu-img convert -f qcow2 -O qcow2 @/deb12-lamp/disk.qcow2 @/deb12-lamp/whole.qcow2"), of("deb12-lamp"))
	require.Contains(t, steps, "web virt-customize")

	for _, id := range []string{"deb12-base", "deb12-lamp", "web"} {
		want, err := os.ReadFile(w.path("specs/" + id))
		require.NoError(t, err)
		require.Equal(t, string(want), w.fake.specs[id], "what reached the tool")
	}
	require.Equal(t, "on [template deb12 with "+w.fake.specs["deb12-base"]+" sysprepped sparsified] with "+w.fake.specs["deb12-lamp"]+" sysprepped sparsified", w.disk("deb12-lamp.xz"))
	require.Equal(t, []string{
		"deb12-base.hash", "deb12-base.metadata", "deb12-base.provenance.json", "deb12-base.xz",
		"deb12-lamp.hash", "deb12-lamp.metadata", "deb12-lamp.provenance.json", "deb12-lamp.xz",
		"index", "repo.metadata",
		"web.hash", "web.metadata", "web.provenance.json", "web.xz",
	}, w.files())
	verify, err := templates.VerifyHashes(t.Context(), []string{w.path("repo")}, templates.VerifyOptions{})
	require.NoError(t, err)
	require.True(t, verify.OK(), "%+v", verify.Files)

	md := w.metadata("deb12-lamp")
	for key, want := range map[string]string{
		"id": "deb12-lamp", "base": "layer:deb12-base", "name": "deb12-lamp name", "version": "v3", "distro": "deb12", "root-partition": "/dev/sda1",
	} {
		require.Equal(t, want, text(t, md, key))
	}
	stamp, _ := md.Timestamp()
	require.Equal(t, "1600000000", stamp.String())
	repo, err := lagorepo.ParseRepoMetadata(w.read("repo.metadata"))
	require.NoError(t, err)
	require.Equal(t, "phx", repo.Name)
	require.Equal(t, "deb12-lamp", repo.Templates["deb12-lamp name"].Versions["v3"].Handle)
	require.Contains(t, repo.Templates["web name"].Versions, "latest")
	require.Contains(t, string(w.read("index")), "[deb12-lamp]\n")
	provenance(t, w)
}

// provenance reads a statement as others would.
func provenance(t *testing.T, w *workshop) {
	t.Helper()
	var s struct {
		Type    string `json:"_type"`
		Subject []struct {
			Name   string
			Digest map[string]string
		}
		PredicateType string
		Predicate     struct {
			BuildDefinition struct {
				BuildType            string
				ExternalParameters   map[string]any
				ResolvedDependencies []struct {
					Name, URI   string
					Digest      map[string]string
					Annotations map[string]string
				}
			}
			RunDetails struct {
				Builder struct {
					ID      string
					Version map[string]string
				}
				Metadata struct{ StartedOn, FinishedOn time.Time }
			}
		}
	}
	require.NoError(t, json.Unmarshal(w.read("web.provenance.json"), &s))
	require.Equal(t, "https://in-toto.io/Statement/v1", s.Type)
	require.Equal(t, "https://slsa.dev/provenance/v1", s.PredicateType)
	md := w.metadata("web")
	require.Equal(t, "web.xz", s.Subject[0].Name)
	require.Equal(t, text(t, md, "checksum"), s.Subject[0].Digest["sha512"])
	require.Len(t, s.Subject[0].Digest["sha256"], 64)
	require.Equal(t, "web", s.Subject[1].Name)
	require.Equal(t, text(t, md, "sha256"), s.Subject[1].Digest["sha256"])
	require.Equal(t, string(w.read("web.hash")), s.Subject[1].Digest["sha1"])
	deps := s.Predicate.BuildDefinition.ResolvedDependencies
	require.Equal(t, "spec", deps[0].Name)
	require.Len(t, deps[0].Digest["sha256"], 64)
	require.Equal(t, "base", deps[1].Name)
	require.Contains(t, deps[1].URI, "simple:http://127.0.0.1:")
	require.Len(t, deps[1].Digest["sha256"], 64)
	require.NotEmpty(t, deps[1].Annotations["last-modified"])
	require.Equal(t, map[string]string{
		"tplkit": "v9", "qemu-img": "1.48.2", "virt-customize": "1.48.2", "virt-sysprep": "1.48.2", "virt-sparsify": "1.48.2",
		"virt-inspector": "1.48.2", "virt-filesystems": "1.48.2",
	}, s.Predicate.RunDetails.Builder.Version)
	require.False(t, s.Predicate.RunDetails.Metadata.FinishedOn.Before(s.Predicate.RunDetails.Metadata.StartedOn))
}

func TestSecondRunBuildsWhatHasChanged(t *testing.T) {
	w, change := threeSpecs(t)
	w.build()
	w.fake.did()
	before := w.read("deb12-base.xz")
	unchanged := []string{"deb12-base: unchanged: unchanged", "deb12-lamp: unchanged: unchanged", "web: unchanged: unchanged"}
	with := func(id, reason string, and ...string) []string {
		list := slices.Clone(unchanged)
		for i, s := range list {
			for _, id := range append(and, id) {
				if strings.HasPrefix(s, id+":") {
					list[i] = id + ": built: " + reason
				}
			}
		}
		return list
	}
	r := w.build()
	require.Equal(t, unchanged, reasons(r))
	require.Empty(t, w.fake.did())
	require.Equal(t, before, w.read("deb12-base.xz"))

	t.Log("a spec that nothing stands on, and its base from what is published")
	w.spec("deb12-lamp", "deb12-base", "#version=v3\ninstall other\n")
	require.Equal(t, with("deb12-lamp", "spec changed"), reasons(w.build()))
	require.Contains(t, w.fake.did(), "qemu-img create -q -f qcow2 -F qcow2 -b @/deb12-base/base @/deb12-lamp/disk.qcow2")
	require.Contains(t, w.disk("deb12-lamp.xz"), "install other")
	require.Equal(t, unchanged, reasons(w.build()))

	t.Log("the base of another")
	w.spec("deb12-base", "libguestfs:deb12", "write /c:d\n")
	list := with("deb12-lamp", "base changed")
	list[0] = "deb12-base: built: spec changed"
	require.Equal(t, list, reasons(w.build()))
	require.Equal(t, unchanged, reasons(w.build()))

	t.Log("a file on a server")
	change(qcow2("new on the web", ""))
	require.Equal(t, with("web", "base changed"), reasons(w.build()))
	require.Contains(t, w.disk("web.xz"), "new on the web")

	t.Log("a template of virt-builder")
	w.fake.listing = `{"templates": [{"os-version": "x", "aliases": ["deb12"], "size": 2}]}`
	require.Equal(t, with("deb12-base", "base changed", "deb12-lamp"), reasons(w.build()))
	w.fake.listing = `{"templates": []}`
	r = w.build()
	require.Contains(t, reasons(r)[0], `deb12-base: unchanged: unchanged: whether its base has changed cannot be told: virt-builder lists no template "deb12"`)

	t.Log("tools")
	w.fake.version = "1.50"
	for _, s := range reasons(w.build())[1:] {
		require.Contains(t, s, "built: ")
	}
	require.Contains(t, string(w.read("web.provenance.json")), `"virt-sysprep": "1.50"`)

	t.Log("forced, and after damage")
	w.fake.listing = ""
	w.opt.Force = true
	for _, s := range reasons(w.build()) {
		require.Contains(t, s, ": built: forced")
	}
	w.opt.Force = false
	require.NoError(t, os.Remove(w.repo("web.hash")))
	require.Equal(t, with("web", "new: web.hash was gone"), reasons(w.build()))
}

func TestAdditionsToMetadataSurvive(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "#gone=soon\n")
	w.build()
	md := w.metadata("a")
	md.Set("owner", "by hand")
	require.NoError(t, os.WriteFile(w.repo("a.metadata"), md.Marshal(), 0o644))
	w.spec("a", "libguestfs:deb12", "")
	w.build()
	require.Equal(t, "by hand", text(t, w.metadata("a"), "owner"))
	require.False(t, w.metadata("a").Has("gone"))
}

func TestIndexesOnly(t *testing.T) {
	w := newWorkshop(t)
	w.spec("a", "libguestfs:deb12", "")
	w.build()
	require.NoError(t, os.Remove(w.repo("index")))
	w.fake.missing = []string{"virt-builder"}
	w.opt.CreateRepoOnly, w.opt.BaseURL = true, "http://other.example/"
	r, err := w.try(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[templates.State]int{templates.Written: 2}, r.Summary)
	require.Contains(t, string(w.read("repo.metadata")), "http://other.example")
	require.FileExists(t, w.repo("index"))
}

func TestLayersAreFlattenedOrPublishedAsAPair(t *testing.T) {
	w := newWorkshop(t)
	w.spec("base", "libguestfs:deb12", "")
	w.spec("top", "base", "write /x:y\n")
	w.opt.Layered = true
	w.build()
	require.Contains(t, w.fake.did(), "qemu-img rebase -u -f qcow2 -F qcow2 -b base @/top/disk.qcow2")
	require.Subset(t, w.files(), []string{"layers/top.xz", "layers/top.xz.sha512", "top.xz"})
	require.NotContains(t, w.files(), "layers/base.xz")
	r, err := xz.NewReader(bytes.NewReader(w.read("layers/top.xz")))
	require.NoError(t, err)
	layer, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "base", string(bytes.TrimRight(layer[512:1024], "\x00")), "the backing file is a name, no path")
	verify, err := templates.VerifyHashes(t.Context(), []string{w.path("repo")}, templates.VerifyOptions{})
	require.NoError(t, err)
	require.True(t, verify.OK(), "%+v", verify.Files)
	require.Equal(t, []string{"base: unchanged: unchanged", "top: unchanged: unchanged"}, reasons(w.build()))

	w.opt.Layered = false
	require.Equal(t, []string{"base: unchanged: unchanged", "top: built: layer not wanted"}, reasons(w.build()))
	require.NotContains(t, strings.Join(w.files(), " "), "layers/")
	w.opt.Layered = true
	require.Equal(t, []string{"base: unchanged: unchanged", "top: built: layer wanted"}, reasons(w.build()))
}

func TestWhatTheImageSays(t *testing.T) {
	w := newWorkshop(t)
	w.opt.Format = lagorepo.IndexLago
	require.NoError(t, os.WriteFile(w.path("specs/lvm"), []byte("#base=libguestfs:deb12\n#name=lvm\n#distro=el8\n#arch=i686\n"), 0o644))
	require.NoError(t, os.WriteFile(w.path("specs/plain"), []byte("#base=libguestfs:deb12\n#name=plain\n#distro=deb\n#expand=\n"), 0o644))
	require.NoError(t, os.WriteFile(w.path("specs/two"), []byte("#base=libguestfs:deb12\n#name=two\n#distro=none\nwrite /two:x\n"), 0o644))
	w.fake.inspect = func(image string) string {
		switch {
		case strings.Contains(image, "/two:x"):
			return "<operatingsystems></operatingsystems>"
		case strings.Contains(image, "el8"):
			return strings.ReplaceAll(debian12, "/dev/sda1", "/dev/vg0/root")
		}
		return strings.ReplaceAll(debian12, "debian12", "unknown")
	}
	r := w.build()
	require.Equal(t, []string{
		`lvm: built: new; line 4 says arch="i686", but the image holds "x86_64"`, "plain: built: new",
		"two: built: new; nothing could be read from the image, in which libguestfs finds 0 operating systems",
	}, reasons(r))
	md := w.metadata("lvm")
	for key, want := range map[string]string{"arch": "i686", "osinfo": "debian12", "root-partition": "/dev/vg0/root", "lvexpand": "/dev/vg0/root", "expand": "/dev/sda2"} {
		require.Equal(t, want, text(t, md, key))
	}
	md = w.metadata("plain")
	require.Equal(t, "/dev/sda1", text(t, md, "expand"))
	require.Equal(t, "x86_64", text(t, md, "arch"))
	require.False(t, md.Has("osinfo"))
	require.False(t, md.Has("lvexpand"))
	require.NoFileExists(t, w.repo("index"))
}

func TestDryRun(t *testing.T) {
	w, _ := threeSpecs(t)
	plan := w.plan()
	require.Equal(t, map[templates.State]int{templates.Planned: 3}, plan.Report().Summary)
	w.fake.missing = []string{"virt-sysprep"}
	r, err := plan.DryRun(t.Context(), w.path("repo"), w.opt)
	require.NoError(t, err)
	require.Equal(t, 3, r.Summary[templates.Planned])
	require.Contains(t, reasons(r)[0], "deb12-base: planned: new; cannot be built here: virt-sysprep: not found: install")
	require.NoDirExists(t, w.path("repo"))

	w.fake.missing = nil
	w.build()
	w.spec("deb12-base", "libguestfs:deb12", "write /c:d\n")
	r, err = w.plan().DryRun(t.Context(), w.path("repo"), w.opt)
	require.NoError(t, err)
	require.Equal(t, []string{"deb12-base: planned: spec changed", "deb12-lamp: planned: base changed", "web: unchanged: unchanged"}, reasons(r))
}

func TestRawAndLayeredFilesAsBases(t *testing.T) {
	w := newWorkshop(t)
	require.NoError(t, os.WriteFile(w.path("raw.img"), append([]byte("a raw disk"), make([]byte, 65536-10)...), 0o644))
	w.spec("copy", "simple:"+w.path("raw.img"), "")
	w.spec("one", "layer:"+w.path("raw.img"), "")
	w.spec("two", "layer:"+w.path("raw.img"), "")
	w.build()
	calls := w.fake.did()
	require.Contains(t, calls, "qemu-img convert -f raw -O qcow2 @/copy/base @/copy/disk.qcow2")
	require.Contains(t, w.disk("copy.xz"), "a raw disk")
	require.Contains(t, w.disk("one.xz"), "on [a raw disk]")
	shared := slices.DeleteFunc(calls, func(s string) bool { return !strings.Contains(s, "-F raw -b @/-") })
	require.Len(t, shared, 2, "both stand on one copy")

	// The file changes: all three.
	require.NoError(t, os.WriteFile(w.path("raw.img"), append([]byte("b raw disk"), make([]byte, 65536-10)...), 0o644))
	require.Equal(t, []string{"copy: built: base changed", "one: built: base changed", "two: built: base changed"}, reasons(w.build()))
}
