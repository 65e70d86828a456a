package lagorepo_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

var modes = []templates.Mode{templates.ModeCopy, templates.ModeLink, templates.ModeMove}

// normalizeOnce opens the directory for one run, as one command does.
func (s *store) normalizeOnce(dir string, mode templates.Mode) *templates.Report {
	s.t.Helper()
	dst, err := publish.Open(s.t.Context(), dir, publish.Options{Reserve: -1})
	require.NoError(s.t, err)
	defer func() { require.NoError(s.t, dst.Close()) }()
	before := snapshot(s.t, s.dir)
	r, err := s.plan(lagorepo.PlanOptions{}).Normalize(s.t.Context(), s.open(), dst, lagorepo.NormalizeOptions{Mode: mode})
	require.NoError(s.t, err)
	if mode != templates.ModeMove {
		require.Equal(s.t, before, snapshot(s.t, s.dir), "only move changes the source")
	}
	return r
}

// sibling makes a directory on the store's file system.
func (s *store) sibling() string {
	dir := s.dir + "-normal"
	require.NoError(s.t, os.Mkdir(dir, 0o755))
	s.t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func TestNormalize(t *testing.T) {
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			raw := disk(1, 300_000)
			s := newStore(t).complete(el8, raw, el8Metadata).put(el8+".lock", nil).put(el8+".users", []byte("{}"))
			hash, dir := string(read(t, s.dir, el8+".hash")), s.sibling()
			it := only(t, s.normalizeOnce(dir, mode))
			require.Equal(t, templates.RenamedState, it.State, it.Error)
			require.Equal(t, "el8.2-base", it.Destination)
			require.Contains(t, it.Reason, ".hash is carried as it is")
			require.Equal(t, []string{"el8.2-base", "el8.2-base.hash", "el8.2-base.metadata"}, names(t, dir))
			require.Equal(t, raw, read(t, dir, "el8.2-base"))
			require.Equal(t, hash, string(read(t, dir, "el8.2-base.hash")))
			require.Equal(t, el8Metadata, string(read(t, dir, "el8.2-base.metadata")))
			if mode == templates.ModeMove {
				require.Equal(t, []string{el8 + ".lock", el8 + ".users"}, names(t, s.dir))
				return
			}
			a, err := os.Stat(filepath.Join(s.dir, el8))
			require.NoError(t, err)
			b, err := os.Stat(filepath.Join(dir, "el8.2-base"))
			require.NoError(t, err)
			require.Equal(t, mode == templates.ModeLink, os.SameFile(a, b))
			require.True(t, a.ModTime().Equal(b.ModTime()))
			before := snapshot(t, dir)
			it = only(t, s.normalizeOnce(dir, mode))
			require.Equal(t, templates.Unchanged, it.State)
			require.Equal(t, before, snapshot(t, dir))
		})
	}
}

func TestNormalizeOfOddEntries(t *testing.T) {
	raw, original := disk(1, 5000), qcow2(0)
	for name, tc := range map[string]struct {
		files  map[string][]byte
		want   []string
		reason string
	}{
		"disk alone": {map[string][]byte{"": raw}, []string{"el8.2-base"}, "holds no .hash to carry"},
		"intact download": {map[string][]byte{"": raw[:9], ".tmp": original, ".hash": []byte(sha1Hex(original))},
			[]string{"el8.2-base", "el8.2-base.hash"}, "is taken in its place"},
		"packed download": {map[string][]byte{".tmp.xz": xz(t, original), ".hash": []byte(sha1Hex(original))},
			[]string{"el8.2-base.hash", "el8.2-base.xz"}, "is taken in its place"},
	} {
		for _, mode := range modes {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				s := newStore(t)
				for suffix, data := range tc.files {
					s.put(el8+suffix, data)
				}
				dir := s.sibling()
				it := only(t, s.normalizeOnce(dir, mode))
				require.Equal(t, templates.RenamedState, it.State, it.Error)
				require.Contains(t, it.Reason, tc.reason)
				require.Equal(t, tc.want, names(t, dir))
				require.Contains(t, tc.want, it.Destination)
			})
		}
	}
}

func TestNormalizeReplacesNothing(t *testing.T) {
	raw := disk(1, 5000)
	for _, mode := range modes {
		for name, tc := range map[string]struct{ file, text string }{
			"disk of another size":  {"el8.2-base", "other"},
			"disk of the same size": {"el8.2-base", string(disk(2, 5000))},
			"hash":                  {"el8.2-base.hash", sha1Hex(nil)},
			"metadata":              {"el8.2-base.metadata", "{}"},
		} {
			t.Run(name+", "+string(mode), func(t *testing.T) {
				s := newStore(t).complete(el8, raw, el8Metadata)
				dir, source := s.sibling(), snapshot(t, s.dir)
				overwrite(t, dir, tc.file, tc.text)
				before := snapshot(t, dir)
				it := only(t, s.normalizeOnce(dir, mode))
				require.Equal(t, templates.Failed, it.State)
				require.Contains(t, it.Error, `"`+tc.file+`": exists with other content`)
				require.Equal(t, before, snapshot(t, dir))
				require.Equal(t, source, snapshot(t, s.dir))
			})
		}
	}
}

// A run that was killed half-way is completed by the next.
func TestNormalizeCompletesWhatIsMissing(t *testing.T) {
	for _, mode := range modes {
		t.Run(string(mode), func(t *testing.T) {
			raw := disk(1, 5000)
			s := newStore(t).complete(el8, raw, el8Metadata)
			dir := s.sibling()
			overwrite(t, dir, "el8.2-base", string(raw))
			overwrite(t, dir, "el8.2-base.hash", string(read(t, s.dir, el8+".hash")))
			it := only(t, s.normalizeOnce(dir, mode))
			require.Equal(t, templates.Written, it.State, it.Error)
			require.Contains(t, it.Reason, "el8.2-base.metadata was missing")
			require.Equal(t, el8Metadata, string(read(t, dir, "el8.2-base.metadata")))
		})
	}
	t.Run("move, sidecars gone ahead", func(t *testing.T) {
		s := newStore(t).put(el8, disk(1, 5000))
		dir := s.sibling()
		overwrite(t, dir, "el8.2-base.hash", sha1Hex(nil))
		require.Equal(t, templates.RenamedState, only(t, s.normalizeOnce(dir, templates.ModeMove)).State)
		require.Empty(t, names(t, s.dir))
	})
}

func TestNormalizeMoveLeavesASourceThatIsThereAlready(t *testing.T) {
	s := newStore(t).put(el8, disk(1, 5000))
	dir := s.sibling()
	s.normalizeOnce(dir, templates.ModeCopy)
	it := only(t, s.normalizeOnce(dir, templates.ModeMove))
	require.Equal(t, templates.Unchanged, it.State)
	require.Contains(t, it.Reason, "the source stays")
	require.Equal(t, []string{el8}, names(t, s.dir))
}

func TestNormalizeInPlace(t *testing.T) {
	s := newStore(t).complete(el8, disk(1, 5000), el8Metadata)
	dst, err := publish.Open(t.Context(), s.dir, publish.Options{Reserve: -1})
	require.NoError(t, err)
	r, err := s.plan(lagorepo.PlanOptions{}).Normalize(t.Context(), s.open(), dst, lagorepo.NormalizeOptions{Mode: templates.ModeMove})
	require.NoError(t, err)
	require.NoError(t, dst.Close())
	require.Equal(t, 1, r.Summary[templates.RenamedState])
	require.Equal(t, []string{"el8.2-base", "el8.2-base.hash", "el8.2-base.metadata"}, names(t, s.dir))
}

func TestNormalizeRefuses(t *testing.T) {
	s := newStore(t).complete(el8, qcow2(1), el8Metadata)
	dir := s.sibling()
	for _, mode := range modes {
		it := only(t, s.normalizeOnce(dir, mode))
		require.Equal(t, templates.Failed, it.State)
		require.Contains(t, it.Error, "qcow2")
		require.Empty(t, names(t, dir))
	}
	p, dst := s.plan(lagorepo.PlanOptions{}), openTree(t, dir)
	_, err := p.Normalize(t.Context(), s.open(), dst, lagorepo.NormalizeOptions{Mode: "steal"})
	require.ErrorContains(t, err, "must be copy, link or move")
	_, err = p.Normalize(t.Context(), fstest.MapFS{}, dst, lagorepo.NormalizeOptions{Mode: templates.ModeLink})
	require.EqualError(t, err, "mode link: must have a directory on disk to read from, has a fstest.MapFS")
}

func TestNormalizeCancelled(t *testing.T) {
	s := newStore(t).complete(el8, disk(1, 4<<20), el8Metadata)
	dir := s.sibling()
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	dst, err := publish.Open(t.Context(), dir, publish.Options{Reserve: -1})
	require.NoError(t, err)
	r, err := s.plan(lagorepo.PlanOptions{}).Normalize(ctx, s.open(), dst, lagorepo.NormalizeOptions{
		Progress: func(p templates.Progress) { cancel(cause) },
	})
	require.ErrorIs(t, err, cause)
	require.Empty(t, r.Items)
	require.NoError(t, dst.Close())
	require.Empty(t, names(t, dir))
}

func ExamplePlan_Normalize() {
	dir, err := os.MkdirTemp("", "tplkit-example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cache, out := filepath.Join(dir, "store"), filepath.Join(dir, "out")
	_ = os.Mkdir(cache, 0o755)
	_ = os.WriteFile(filepath.Join(cache, "phx_repo:lago Fedora® 22:v1"), []byte("a raw disk"), 0o644)

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
	plan, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{Repo: "phx_repo"})
	if err != nil {
		fmt.Println(err)
		return
	}
	dst, err := publish.Open(ctx, out, publish.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer dst.Close()
	report, err := plan.Normalize(ctx, src, dst, lagorepo.NormalizeOptions{Mode: templates.ModeLink})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, it := range report.Items {
		fmt.Println(it.State, it.Destination)
	}
	// Output:
	// renamed lago-Fedora-22
}
