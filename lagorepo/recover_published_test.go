package lagorepo_test

import (
	"crypto/sha512"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

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
