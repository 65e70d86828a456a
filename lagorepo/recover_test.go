package lagorepo_test

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

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

func TestRecoverTakesTheTemplatesAge(t *testing.T) {
	for metadata, want := range map[string]time.Time{
		`{"timestamp":1583020800.25}`: time.Unix(1583020800, 250_000_000),
		`{"timestamp":"1583020800"}`:  time.Unix(1583020800, 0),
		`{"timestamp":0}`:             time.Unix(0, 0),
		`{}`:                          stamp,
	} {
		t.Run(metadata, func(t *testing.T) {
			s, dir := newStore(t).complete(el8, disk(1, 900), metadata), t.TempDir()
			s.recoverOnce(dir, lagorepo.PlanOptions{})
			fi, err := os.Stat(filepath.Join(dir, "repo/el8.2-base.xz"))
			require.NoError(t, err)
			require.True(t, want.Equal(fi.ModTime()), "%v", fi.ModTime())
		})
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
