package lagorepo_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// recoverOnce opens the tree for one run, as one command does.
func (s *store) recoverOnce(dir string, opt lagorepo.PlanOptions) *templates.Report {
	s.t.Helper()
	dst, err := publish.Open(s.t.Context(), dir, publish.Options{Reserve: -1})
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, dst.Close()) }()
	before := snapshot(s.t, s.dir)
	r, err := s.plan(opt).Recover(s.t.Context(), s.open(), dst, fast)
	require.NoError(s.t, err)
	require.Equal(s.t, before, snapshot(s.t, s.dir), "the source is never changed")
	return r
}

func TestRecoverPublishesTheThreeFiles(t *testing.T) {
	raw := disk(1, 300_000)
	s, dir := newStore(t).complete(el8, raw, el8Metadata).put(el8+".lock", nil), t.TempDir()
	it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
	require.Equal(t, templates.PackedState, it.State, it.Error)
	require.Equal(t, []string{"repo/el8.2-base.hash", "repo/el8.2-base.metadata", "repo/el8.2-base.xz"}, names(t, dir))
	packed := read(t, dir, "repo/el8.2-base.xz")
	require.Equal(t, raw, unxz(t, packed))
	require.Equal(t, sha1Hex(raw), string(read(t, dir, "repo/el8.2-base.hash")), "40 digits, no newline")

	sha256Hex, sha512Hex := fmt.Sprintf("%x", sha256.Sum256(raw)), fmt.Sprintf("%x", sha512.Sum512(packed))
	require.Equal(t, fmt.Sprintf(`{
    "name": "el8.2-base",
    "version": "v1",
    "distro": "el8",
    "arch": "x86_64",
    "root-password": "123456",
    "size": 300000,
    "sha1": "%s",
    "checksum": "%s",
    "note": 1.50,
    "timestamp": 1583020800,
    "sha256": "%s",
    "compressed_size": %d
}
`, sha1Hex(raw), sha512Hex, sha256Hex, len(packed)), string(read(t, dir, "repo/el8.2-base.metadata")))

	require.Equal(t, el8, it.Source)
	require.Equal(t, "repo/el8.2-base.xz", it.Destination)
	require.EqualValues(t, 300_000, it.Sizes.Virtual)
	require.EqualValues(t, len(packed), it.Sizes.Packed)
	require.Equal(t, hashutil.Digests{"sha1": sha1Hex(raw), "sha256": sha256Hex}, it.Digests.Content)
	require.Equal(t, hashutil.Digests{"sha512": sha512Hex}, it.Digests.Packed)
	require.Contains(t, it.Reason, "is that of the download before lago made it raw, a new one was made")
	fi, err := os.Stat(filepath.Join(dir, "repo/el8.2-base.xz"))
	require.NoError(t, err)
	require.EqualValues(t, 1583020800, fi.ModTime().Unix(), "the template's age")
}

func TestRecoverTwiceChangesNothing(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 300_000), el8Metadata).
		complete("phx_repo:fc30-base:v2", disk(2, 1000), `{"sha512":"stale","compressed_sha1":"stale","uncompressed_checksum":"stale"}`).
		put("phx_repo:lago Fedora® 22:v1", disk(3, 5000)), t.TempDir()
	first := s.recoverOnce(dir, lagorepo.PlanOptions{})
	require.Equal(t, map[templates.State]int{templates.PackedState: 3}, first.Summary)
	before := snapshot(t, dir)
	second := s.recoverOnce(dir, lagorepo.PlanOptions{})
	require.Equal(t, map[templates.State]int{templates.Unchanged: 3}, second.Summary)
	require.Equal(t, before, snapshot(t, dir))
	for i, it := range second.Items {
		require.Equal(t, first.Items[i].Digests, it.Digests)
		require.Contains(t, it.Reason, "is published already, with the same content")
	}
}

// What is published does not depend on the number of workers.
func TestRecoverIsDeterministic(t *testing.T) {
	s := newStore(t).complete(el8, disk(1, 700_000), el8Metadata)
	var want map[string]string
	for _, jobs := range []int{1, 2, 7} {
		dir, opt := t.TempDir(), fast
		opt.Jobs = jobs
		_, err := s.plan(lagorepo.PlanOptions{}).Recover(t.Context(), s.open(), openTree(t, dir), opt)
		require.NoError(t, err)
		got := map[string]string{}
		for _, name := range []string{"xz", "hash", "metadata"} {
			got[name] = string(read(t, dir, "repo/el8.2-base."+name))
		}
		if want == nil {
			want = got
		}
		require.Equal(t, want, got)
	}
}

func TestRecoverReasons(t *testing.T) {
	raw, original := disk(1, 9000), qcow2(0)
	for name, tc := range map[string]struct {
		files   map[string][]byte
		reasons []string
		content []byte
	}{
		"raw original": {map[string][]byte{"": raw, ".hash": []byte(sha1Hex(raw)), ".metadata": []byte(el8Metadata)},
			[]string{"verified: its SHA-1 is that of the store's .hash"}, raw},
		"disk alone": {map[string][]byte{"": raw},
			[]string{"holds no .hash and no .metadata", "a .hash was made for it", "made without distro, arch, root-partition and root-password, which lago reads: add them to repo/el8.2-base.metadata"}, raw},
		"intact download": {map[string][]byte{"": raw[:100], ".tmp": original, ".hash": []byte(sha1Hex(original)), ".metadata": []byte(el8Metadata)},
			[]string{"was cut off", "verified"}, original},
		"intact packed download": {map[string][]byte{".tmp.xz": xz(t, original), ".hash": []byte(sha1Hex(original)), ".metadata": []byte(el8Metadata)},
			[]string{"was cut off", "verified"}, original},
		"suspect disk, proven": {map[string][]byte{"": raw, ".tmp": original[:9], ".hash": []byte(sha1Hex(raw)), ".metadata": []byte(el8Metadata), ".lock": nil},
			[]string{"it is whole", "lago may be at work", "verified"}, raw},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t), t.TempDir()
			for suffix, data := range tc.files {
				s.put(el8+suffix, data)
			}
			it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
			require.Equal(t, templates.PackedState, it.State, it.Error)
			for _, want := range tc.reasons {
				require.Contains(t, it.Reason, want)
			}
			require.Equal(t, tc.content, unxz(t, read(t, dir, "repo/el8.2-base.xz")))
			require.Equal(t, sha1Hex(tc.content), string(read(t, dir, "repo/el8.2-base.hash")))
			m := mustMetadata(t, string(read(t, dir, "repo/el8.2-base.metadata")))
			require.Equal(t, "el8.2-base", m.TemplateName())
			size, _ := m.Int("size")
			require.Equal(t, it.Sizes.Virtual, size)
			require.Equal(t, templates.Unchanged, only(t, s.recoverOnce(dir, lagorepo.PlanOptions{})).State)
		})
	}
}

func TestRecoverComputesWhatTheMetadataCarries(t *testing.T) {
	raw := disk(4, 2000)
	s, dir := newStore(t).complete(el8, raw, `{"md5":"stale","sha512":"stale","compressed_sha1":"stale","uncompressed_checksum":"stale"}`), t.TempDir()
	it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
	packed := read(t, dir, "repo/el8.2-base.xz")
	m := mustMetadata(t, string(read(t, dir, "repo/el8.2-base.metadata")))
	for key, want := range map[string]string{
		"compressed_sha1":       sha1Hex(packed),
		"uncompressed_checksum": fmt.Sprintf("%x", sha512.Sum512(raw)),
		"sha512":                fmt.Sprintf("%x", sha512.Sum512(raw)),
		"checksum":              fmt.Sprintf("%x", sha512.Sum512(packed)),
		"md5":                   it.Digests.Content[hashutil.MD5],
	} {
		got, _ := m.Text(key)
		require.Equal(t, want, got, key)
		require.NotEmpty(t, got)
	}
}

// What must not be published fails by name, and the rest is done.
func TestRecoverBadInput(t *testing.T) {
	raw := disk(1, 5000)
	s, dir := newStore(t).complete("r:good:v1", raw, "{}").
		put("r:backing:v1", qcow2(1)).
		put("r:vmdk:v1", append([]byte("KDMV"), raw...)).
		put("r:xz:v1", xz(t, raw)).
		put("r:gzip:v1", append([]byte{0x1f, 0x8b, 8, 0}, raw...)).
		put("r:empty:v1", nil).
		put("r:json:v1", raw).put("r:json:v1.metadata", []byte(`{"a":{"b":1,"b":2}}`)).
		put("r:hash:v1", raw).put("r:hash:v1.hash", []byte("abc")).
		put("r:repo:v1", raw).
		put("r:..:v1", raw).
		put("r:shell:v`reboot`", raw), t.TempDir()
	require.NoError(t, os.Symlink("/etc/passwd", filepath.Join(s.dir, "r:link:v1")))
	require.NoError(t, os.Mkdir(filepath.Join(s.dir, "r:dir:v1"), 0o755))
	got := map[string]string{}
	for _, it := range s.recoverOnce(dir, lagorepo.PlanOptions{}).Items {
		got[it.Source] = string(it.State)
		if it.State == templates.Failed {
			require.NotEmpty(t, it.Error)
			got[it.Source] = it.Error
		}
	}
	for source, want := range map[string]string{
		"r:good:v1":         "packed",
		"r:backing:v1":      `"r:backing:v1": qcow2: `,
		"r:vmdk:v1":         `"r:vmdk:v1": vmdk: `,
		"r:xz:v1":           `"r:xz:v1": must be a disk, raw or qcow2, holds xz data`,
		"r:gzip:v1":         `"r:gzip:v1": must be a disk, raw or qcow2, holds gzip data`,
		"r:empty:v1":        `"r:empty:v1": empty file`,
		"r:json:v1":         `"r:json:v1.metadata": line 1: the key "b" must occur once`,
		"r:hash:v1":         `"r:hash:v1.hash": `,
		"r:repo:v1":         `is reserved`,
		"r:..:v1":           `"r:..:v1": the template must be a name`,
		"r:shell:v`reboot`": "version",
		"r:link:v1":         "is a symbolic link",
		"r:dir:v1":          "is a directory",
	} {
		require.Contains(t, got[source], want, source)
	}
	require.Len(t, got, 13)
	require.Equal(t, []string{"repo/good.hash", "repo/good.metadata", "repo/good.xz"}, names(t, dir))
}

func TestRecoverMendsSidecars(t *testing.T) {
	raw := disk(1, 9000)
	sidecar := func(ext string) string { return "repo/el8.2-base." + ext }
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, dir string)
		wrote string
	}{
		"hash gone":     {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, sidecar("hash")))) }, "repo/el8.2-base.hash brought"},
		"metadata gone": {func(t *testing.T, dir string) { require.NoError(t, os.Remove(filepath.Join(dir, sidecar("metadata")))) }, "repo/el8.2-base.metadata brought"},
		"hash of the xz": {func(t *testing.T, dir string) {
			overwrite(t, dir, sidecar("hash"), sha1Hex(read(t, dir, sidecar("xz"))))
		}, "repo/el8.2-base.hash brought"},
		"metadata garbage": {func(t *testing.T, dir string) { overwrite(t, dir, sidecar("metadata"), "<html>") }, "repo/el8.2-base.metadata brought"},
		"both": {func(t *testing.T, dir string) {
			overwrite(t, dir, sidecar("metadata"), "{}")
			overwrite(t, dir, sidecar("hash"), "")
		}, "repo/el8.2-base.hash and repo/el8.2-base.metadata brought"},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t).complete(el8, raw, el8Metadata), t.TempDir()
			s.recoverOnce(dir, lagorepo.PlanOptions{})
			before := snapshot(t, dir)[sidecar("xz")]
			want := string(read(t, dir, sidecar("hash")))
			tc.spoil(t, dir)
			it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
			require.Equal(t, templates.Written, it.State, it.Error)
			require.Contains(t, it.Reason, tc.wrote)
			require.Equal(t, before, snapshot(t, dir)[sidecar("xz")], "the image stays")
			require.Equal(t, want, string(read(t, dir, sidecar("hash"))))
			size, _ := mustMetadata(t, string(read(t, dir, sidecar("metadata")))).Int("size")
			require.EqualValues(t, len(raw), size)
			require.Equal(t, templates.Unchanged, only(t, s.recoverOnce(dir, lagorepo.PlanOptions{})).State)
		})
	}
}

func overwrite(t *testing.T, dir, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
}

// Keys somebody added to the published metadata are no fault.
func TestRecoverKeepsAdditionsToPublishedMetadata(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 900), `{"distro":"el8","new":1}`), t.TempDir()
	s.recoverOnce(dir, lagorepo.PlanOptions{})
	path := filepath.Join(dir, "repo/el8.2-base.metadata")
	m := mustMetadata(t, string(read(t, path)))
	m.Set("distro", "centos8")
	m.Set("notes", "by hand")
	m.Delete("new")
	require.NoError(t, os.WriteFile(path, m.Marshal(), 0o644))
	require.Equal(t, templates.Written, only(t, s.recoverOnce(dir, lagorepo.PlanOptions{})).State)
	m = mustMetadata(t, string(read(t, path)))
	for key, want := range map[string]string{"distro": `"centos8"`, "notes": `"by hand"`, "new": "1"} {
		raw, _ := m.Raw(key)
		require.Equal(t, want, string(raw), key)
	}
	require.Equal(t, templates.Unchanged, only(t, s.recoverOnce(dir, lagorepo.PlanOptions{})).State)
}

func TestRecoverReplacesNoImage(t *testing.T) {
	raw := disk(1, 9000)
	for name, tc := range map[string]struct {
		file, text string
		want       string
	}{
		"other content":    {"el8.2-base.xz", string(xz(t, disk(2, 9000))), "holds other content"},
		"cut off":          {"el8.2-base.xz", string(xz(t, raw)[:200]), "cannot be decoded"},
		"no xz":            {"el8.2-base.xz", string(raw), "exists and is no xz file"},
		"empty":            {"el8.2-base.xz", "", "remove it and try again"},
		"shadowing hash":   {"el8.2-base.xz.hash", sha1Hex(raw), "repo/el8.2-base.xz.hash: exists, and lago would read it in place of the template's own"},
		"shadowing object": {"el8.2-base.xz.metadata", "{}", "lago would read it"},
		"huge hash":        {"el8.2-base.hash", string(raw), "remove it and try again"},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t).complete(el8, raw, el8Metadata), t.TempDir()
			require.NoError(t, os.Mkdir(filepath.Join(dir, "repo"), 0o755))
			overwrite(t, dir, "repo/"+tc.file, tc.text)
			before := snapshot(t, dir)
			it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
			require.Equal(t, templates.Failed, it.State)
			require.Contains(t, it.Error, tc.want)
			require.Contains(t, it.Error, "repo/"+tc.file)
			require.Equal(t, before, snapshot(t, dir))
		})
	}
	t.Run("directory", func(t *testing.T) {
		s, dir := newStore(t).complete(el8, raw, el8Metadata), t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "repo/el8.2-base.xz"), 0o755))
		require.Contains(t, only(t, s.recoverOnce(dir, lagorepo.PlanOptions{})).Error, "is a directory; remove it")
	})
	t.Run("repo is a link", func(t *testing.T) {
		s, dir, outside := newStore(t).complete(el8, raw, el8Metadata), t.TempDir(), t.TempDir()
		require.NoError(t, os.Symlink(outside, filepath.Join(dir, "repo")))
		require.Contains(t, only(t, s.recoverOnce(dir, lagorepo.PlanOptions{})).Error, "is a symbolic link")
		require.Empty(t, names(t, outside))
	})
}

func TestRecoverReplacesOrphanedSidecars(t *testing.T) {
	raw := disk(1, 900)
	s, dir := newStore(t).complete(el8, raw, el8Metadata), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "repo"), 0o755))
	overwrite(t, dir, "repo/el8.2-base.hash", sha1Hex(nil))
	overwrite(t, dir, "repo/el8.2-base.metadata", `{"notes":"by hand","sha1":"old"}`)
	it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
	require.Equal(t, templates.PackedState, it.State, it.Error)
	require.Contains(t, it.Reason, "replaced repo/el8.2-base.hash and repo/el8.2-base.metadata, which stood there without an image")
	require.Equal(t, sha1Hex(raw), string(read(t, dir, "repo/el8.2-base.hash")))
	m := mustMetadata(t, string(read(t, dir, "repo/el8.2-base.metadata")))
	notes, _ := m.Text("notes")
	require.Equal(t, "by hand", notes)
}

// An image published by other means is recognised by its content.
func TestRecoverRecognisesAnImagePackedElsewhere(t *testing.T) {
	raw := disk(1, 300_000)
	s, dir := newStore(t).complete(el8, raw, el8Metadata), t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(dir, "repo"), 0o755))
	overwrite(t, dir, "repo/el8.2-base.xz", string(xz(t, raw)))
	it := only(t, s.recoverOnce(dir, lagorepo.PlanOptions{}))
	require.Equal(t, templates.Written, it.State, it.Error)
	require.Equal(t, xz(t, raw), read(t, dir, "repo/el8.2-base.xz"))
	require.Equal(t, fmt.Sprintf("%x", sha512.Sum512(xz(t, raw))), it.Digests.Packed[hashutil.SHA512])
}

func TestRecoverNoticesAChangedSource(t *testing.T) {
	for name, change := range map[string]func(s *store){
		"grown": func(s *store) { s.put(el8, disk(1, 9001)) },
		"touched": func(s *store) {
			require.NoError(s.t, os.Chtimes(filepath.Join(s.dir, el8), stamp.Add(1), stamp.Add(1)))
		},
		"gone": func(s *store) { require.NoError(s.t, os.Remove(filepath.Join(s.dir, el8))) },
		"replaced": func(s *store) {
			require.NoError(s.t, os.Remove(filepath.Join(s.dir, el8)))
			require.NoError(s.t, os.Symlink("/etc/passwd", filepath.Join(s.dir, el8)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, dir := newStore(t).complete(el8, disk(1, 9000), el8Metadata), t.TempDir()
			p := s.plan(lagorepo.PlanOptions{})
			change(s)
			r, err := p.Recover(t.Context(), s.open(), openTree(t, dir), fast)
			require.NoError(t, err)
			it := only(t, r)
			require.Equal(t, templates.Failed, it.State)
			require.Contains(t, it.Error, el8)
			require.NoDirExists(t, filepath.Join(dir, "repo"))
		})
	}
}

// The same bytes, other time stamps: the digest of the scan is insisted on.
func TestRecoverInsistsOnTheProof(t *testing.T) {
	original := qcow2(0)
	s, dir := newStore(t).put(el8+".tmp", original).put(el8+".hash", []byte(sha1Hex(original))), t.TempDir()
	p := s.plan(lagorepo.PlanOptions{})
	other := qcow2(0)
	other[60_000]++
	s.put(el8+".tmp", other)
	r, err := p.Recover(t.Context(), s.open(), openTree(t, dir), fast)
	require.NoError(t, err)
	require.Contains(t, only(t, r).Error, "matched .hash")
	require.NoDirExists(t, filepath.Join(dir, "repo"))
}

// growing gives files that grow while they are read.
type growing struct {
	*templates.Dir
	t    *testing.T
	path string
}

func (g growing) Open(name string) (fs.File, error) {
	f, err := g.Dir.Open(name)
	if err != nil {
		return nil, err
	}
	return growingFile{f.(*os.File), g}, nil
}

type growingFile struct {
	*os.File
	g growing
}

func (f growingFile) ReadAt(p []byte, off int64) (int, error) {
	h, err := os.OpenFile(f.g.path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(f.g.t, err)
	_, err = h.Write([]byte("x"))
	require.NoError(f.g.t, errors.Join(err, h.Close()))
	return f.File.ReadAt(p, off)
}

func TestRecoverNoticesASourceThatGrowsWhileItIsRead(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 9000), el8Metadata), t.TempDir()
	p := s.plan(lagorepo.PlanOptions{})
	r, err := p.Recover(t.Context(), growing{s.open(), t, filepath.Join(s.dir, el8)}, openTree(t, dir), fast)
	require.NoError(t, err)
	require.Contains(t, only(t, r).Error, "changed while it was read")
	require.NoDirExists(t, filepath.Join(dir, "repo"))
}

func TestRecoverCancelled(t *testing.T) {
	s, dir := newStore(t).complete("r:a:v1", disk(1, 200_000), "{}").complete("r:b:v1", disk(2, 2<<20), "{}"), t.TempDir()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	opt := fast
	var seen []string
	opt.Progress = func(p templates.Progress) {
		seen = append(seen, p.Item)
		if p.Item == "r:b:v1" && p.Done > 0 {
			cancel(cause)
		}
	}
	dst, err := publish.Open(t.Context(), dir, publish.Options{Reserve: -1})
	require.NoError(t, err)
	r, err := s.plan(lagorepo.PlanOptions{}).Recover(ctx, s.open(), dst, opt)
	require.ErrorIs(t, err, cause)
	require.Equal(t, map[templates.State]int{templates.PackedState: 1}, r.Summary)
	require.Contains(t, seen, "r:a:v1")
	require.NoError(t, dst.Close())
	require.Equal(t, []string{"repo/a.hash", "repo/a.metadata", "repo/a.xz"}, names(t, dir))

	r, err = s.plan(lagorepo.PlanOptions{}).Recover(ctx, s.open(), openTree(t, dir), opt)
	require.ErrorIs(t, err, cause)
	require.Empty(t, r.Items)
}

func TestRecoverCancelledWhileComparing(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 2<<20), "{}"), t.TempDir()
	s.recoverOnce(dir, lagorepo.PlanOptions{})
	overwrite(t, dir, "repo/el8.2-base.metadata", "{}")
	before := snapshot(t, filepath.Join(dir, "repo"))
	p := s.plan(lagorepo.PlanOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	opt := fast
	opt.Progress = func(p templates.Progress) { cancel() }
	r, err := p.Recover(ctx, s.open(), openTree(t, dir), opt)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, r.Items)
	require.Equal(t, before, snapshot(t, filepath.Join(dir, "repo")))
}

func TestRecoverRefusesBadOptionsAndActions(t *testing.T) {
	s, dir := newStore(t).complete(el8, disk(1, 900), "{}"), t.TempDir()
	dst := openTree(t, dir)
	p := s.plan(lagorepo.PlanOptions{})
	_, err := p.Recover(t.Context(), s.open(), dst, lagorepo.RecoverOptions{Jobs: -1})
	require.ErrorContains(t, err, "jobs: must be 0")
	for name, change := range map[string]func(*lagorepo.Action){
		"handle":   func(a *lagorepo.Action) { a.Handle = "../../etc/cron.d/x" },
		"index":    func(a *lagorepo.Action) { a.Handle = "repo" },
		"template": func(a *lagorepo.Action) { a.Template = "a\nb" },
		"version":  func(a *lagorepo.Action) { a.Version = "" },
		"format":   func(a *lagorepo.Action) { a.Packed = true },
	} {
		t.Run(name, func(t *testing.T) {
			p := s.plan(lagorepo.PlanOptions{})
			change(&p.Actions[0])
			r, err := p.Recover(t.Context(), s.open(), dst, fast)
			require.NoError(t, err)
			require.Equal(t, templates.Failed, only(t, r).State)
			require.NoDirExists(t, filepath.Join(dir, "repo"))
		})
	}
}

func TestRecoverNewestOfTwoStores(t *testing.T) {
	old, fresh := newStore(t).complete(el8, disk(1, 900), `{"timestamp":1}`), newStore(t).complete(el8, disk(2, 900), `{"timestamp":2}`)
	var entries []lagorepo.Entry
	for _, s := range []*store{old, fresh} {
		for _, e := range s.scan() {
			e.Store = s.dir
			entries = append(entries, e)
		}
	}
	p, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{Prefer: lagorepo.PreferNewest})
	require.NoError(t, err)
	dir := t.TempDir()
	dst, all := openTree(t, dir), new(templates.Report)
	for _, s := range []*store{old, fresh} {
		r, err := p.ForStore(s.dir).Recover(t.Context(), s.open(), dst, fast)
		require.NoError(t, err)
		all.Merge(r)
	}
	require.Equal(t, map[templates.State]int{templates.Skipped: 1, templates.PackedState: 1}, all.Summary)
	require.Equal(t, disk(2, 900), unxz(t, read(t, dir, "repo/el8.2-base.xz")))
}

func ExamplePlan_Recover() {
	dir, err := os.MkdirTemp("", "tplkit-example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cache, tree := filepath.Join(dir, "store"), filepath.Join(dir, "tree")
	_ = os.Mkdir(cache, 0o755)
	_ = os.WriteFile(filepath.Join(cache, "phx_repo:el8.2-base:v1"), []byte("a raw disk"), 0o644)
	_ = os.WriteFile(filepath.Join(cache, "phx_repo:el8.2-base:v1.metadata"), []byte(`{"distro": "el8"}`), 0o644)

	ctx := context.Background()
	src, err := templates.OpenDir(cache)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	entries, err := lagorepo.ScanStore(ctx, src)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{})
	if err != nil {
		fmt.Println(err) // a *templates.ConflictError: nothing was written
		return
	}
	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dst.Close()
	report, err := plan.Recover(ctx, src, dst, lagorepo.RecoverOptions{})
	if err != nil {
		fmt.Println(err) // cancelled
		return
	}
	for _, it := range report.Items {
		fmt.Println(it.State, it.Destination)
	}
	hash, _ := os.ReadFile(filepath.Join(tree, "repo", "el8.2-base.hash"))
	fmt.Println(string(hash))
	summary, _ := json.Marshal(report.Summary)
	fmt.Println(string(summary))
	// Output:
	// packed repo/el8.2-base.xz
	// ed3c6a835454cf41722045ba148d49e721d91650
	// {"packed":1}
}
