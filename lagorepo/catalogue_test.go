package lagorepo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// catalogueOf reads a repository and wants no complaint.
func catalogueOf(t *testing.T, fsys fs.FS) []templates.Published {
	t.Helper()
	list, err := lagorepo.Catalogue(t.Context(), fsys)
	require.NoError(t, err)
	return list
}

func TestCatalogueOfWhatWriteIndexWrote(t *testing.T) {
	r := newRepo(t)
	d1, d2 := disk(1, 196608), disk(2, 262144)
	r.template("el8.2-base", d1, `{"name": "el8.2-base", "version": "v1", "arch": "x86_64", "distro": "el8", "osinfo": "rhel8.2", "timestamp": 1583020800}`)
	r.template("el8.2-base-2", d2, `{"name": "el8.2-base", "version": "v2", "arch": "x86_64", "timestamp": 1583020900.5}`)
	r.template("lago-Fedora-22", d2, `{"name": "lago Fedora® 22", "version": "v1", "size": 262144, "timestamp": 1}`)
	r.write(lagorepo.IndexOptions{RepoName: "phx_repo", BaseURL: "http://host/repo"})
	list := catalogueOf(t, openDir(t, filepath.Join(r.dir, "repo")))
	require.Len(t, list, 3)

	base := list[1]
	st, err := os.Stat(r.path("el8.2-base.xz"))
	require.NoError(t, err)
	require.Equal(t, templates.Published{
		Name: "el8.2-base", Version: "v1", Handle: "el8.2-base", Osinfo: "rhel8.2", Arch: "x86_64", Distro: "el8",
		VirtualSize: 196608, PackedSize: st.Size(), Time: time.Unix(1583020800, 0).UTC(),
		File: "el8.2-base.xz", SHA1: sha1Hex(d1), SHA512: sha512Hex(read(t, r.path("el8.2-base.xz"))), VirtBuilder: "el8.2-base",
	}, base)

	require.Equal(t, "v2", list[0].Version, "the newest first")
	require.True(t, list[0].Latest)
	require.Equal(t, time.UnixMicro(1583020900500000).UTC(), list[0].Time)

	odd := list[2]
	require.Equal(t, "lago Fedora® 22", odd.Name)
	require.Equal(t, "lago-Fedora-22", odd.Handle)
	require.True(t, odd.Latest)
	require.Empty(t, odd.VirtBuilder, "without an architecture it is not in the index")
	require.Empty(t, odd.SHA512)
	require.EqualValues(t, 262144, odd.VirtualSize, "out of its metadata")
}

// old and newer are times of files; an index is as old as what it lists, or newer.
var (
	old   = time.Date(2020, 3, 1, 12, 0, 0, 0, time.UTC)
	newer = old.Add(time.Hour)
)

func file(text string) *fstest.MapFile {
	return &fstest.MapFile{Data: []byte(text), ModTime: old, Mode: 0o644}
}

const (
	lagoOf = `{"name": "r", "sources": {"r": {"type": "http", "args": {"baseurl": "http://h/repo"}}, "far": {"type": "http", "args": {"baseurl": "http://far/repo"}}},
 "templates": {"el8": {"versions": {"v1": {"source": "r", "handle": "el8", "timestamp": 10}}},
  "sub": {"versions": {"v1": {"source": "r", "handle": "dir/sub.xz", "timestamp": 10}}},
  "gone": {"versions": {"v1": {"source": "r", "handle": "gone", "timestamp": 10}}},
  "away": {"versions": {"v1": {"source": "far", "handle": "away", "timestamp": 10}}}}}`
	sum1 = "a9993e364706816aba3e25717850c26c9cd0d89d"
)

var sum512 = strings.Repeat("ab", 64)

func virtOf(fields string) string {
	return "[el8]\nname=Enterprise 8\narch=x86_64\nfile=el8.xz\n" + fields + "\n"
}

func repoOf(files map[string]string) fstest.MapFS {
	m := fstest.MapFS{"el8.xz": file("packed"), "el8.hash": file(sum1), "el8.metadata": file(`{"arch": "x86_64", "osinfo": "rhel8.0"}`)}
	for name, text := range files {
		if text == "-" {
			delete(m, name)
			continue
		}
		m[name] = file(text)
	}
	return m
}

func find(t *testing.T, list []templates.Published, name string) templates.Published {
	t.Helper()
	for _, p := range list {
		if p.Name == name {
			return p
		}
	}
	require.Failf(t, "not listed", "%s in %+v", name, list)
	return templates.Published{}
}

func TestCatalogueTellsWhatIsMissing(t *testing.T) {
	list := catalogueOf(t, repoOf(map[string]string{
		"repo.metadata": lagoOf, "dir/sub.xz": "packed", "dir/sub.hash": sum1, "dir/sub.metadata": "{}", "notes.txt": "x",
	}))
	require.Len(t, list, 3, "the one at another source is not here")
	require.Empty(t, find(t, list, "el8").Notes)
	sub := find(t, list, "sub")
	require.Equal(t, "dir/sub.xz", sub.File)
	require.Equal(t, "dir/sub", sub.Handle)
	require.Equal(t, sum1, sub.SHA1)
	gone := find(t, list, "gone")
	require.Empty(t, gone.File)
	require.Zero(t, gone.PackedSize)
	require.Contains(t, gone.Notes, "Its image is not here")
}

func TestCatalogueOfBrokenSidecars(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		note  string
	}{
		"no hash":            {map[string]string{"el8.hash": "-"}, "el8.hash is missing, and lago gives up without it."},
		"hash with a name":   {map[string]string{"el8.hash": sum1 + "  el8"}, `el8.hash: the file name "el8" stands beside`},
		"no hash at all":     {map[string]string{"el8.hash": "<script>"}, "el8.hash: line 1: expected 40 hex digits"},
		"huge hash":          {map[string]string{"el8.hash": strings.Repeat("a", 1<<20)}, `"el8.hash": must be at most`},
		"no metadata":        {map[string]string{"el8.metadata": "-"}, "el8.metadata is missing"},
		"metadata no JSON":   {map[string]string{"el8.metadata": "{"}, "el8.metadata: line 1: must be JSON"},
		"huge metadata":      {map[string]string{"el8.metadata": `{"x":"` + strings.Repeat("a", 70_000) + `"}`}, `"el8.metadata": must be at most 65536 bytes`},
		"a hash that hides":  {map[string]string{"el8.xz.hash": sum1}, "el8.xz.hash is there, and lago reads it"},
		"metadata that hide": {map[string]string{"el8.xz.metadata": "{}"}, "el8.xz.metadata is there, and lago reads it"},
	} {
		t.Run(name, func(t *testing.T) {
			c.files["repo.metadata"] = lagoOf
			p := find(t, catalogueOf(t, repoOf(c.files)), "el8")
			require.Contains(t, p.Notes, c.note)
			require.Equal(t, "el8.xz", p.File, "it is listed all the same")
		})
	}
}

func TestCatalogueOfBrokenIndexes(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		told  string
	}{
		"repo.metadata no JSON":    {map[string]string{"repo.metadata": "<html>"}, "repo.metadata: line 1: must be JSON"},
		"repo.metadata of strings": {map[string]string{"repo.metadata": strings.Replace(lagoOf, `"timestamp": 10`, `"timestamp": "10"`, 1)}, "must be a number, found the string"},
		"repo.metadata too large":  {map[string]string{"repo.metadata": strings.Repeat(" ", 16<<20+1)}, `"repo.metadata": must be at most`},
		"index":                    {map[string]string{"repo.metadata": lagoOf, "index": "el8\n"}, "index: line 1: "},
		"index of what is gone":    {map[string]string{"repo.metadata": lagoOf, "index": "[x]\nfile=x.xz\n"}, `index: section "x" names "x.xz", which is not here`},
		"index that climbs":        {map[string]string{"repo.metadata": lagoOf, "index": "[x]\nfile=../kubevirt/x\n"}, "which is not here"},
		"index of a hidden file":   {map[string]string{"repo.metadata": lagoOf, "index": "[x]\nfile=.x\n", ".x": "secret"}, "which is not here"},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := lagorepo.Catalogue(t.Context(), repoOf(c.files))
			require.ErrorContains(t, err, c.told)
			require.NotContains(t, err.Error(), "\n", "one fault, one line")
			p := find(t, list, "el8")
			require.Equal(t, sum1, p.SHA1)
			require.NotEmpty(t, p.Version)
		})
	}
}

func TestCatalogueWithoutRepoMetadata(t *testing.T) {
	list := catalogueOf(t, repoOf(map[string]string{
		"el8.metadata": `{"name": "elsewhere", "version": "v7"}`, "index": virtOf("size=100\ncompressed_size=6"), "alone.xz": "x", "repo.xz": "x", "repo.hash": sum1,
	}))
	require.Len(t, list, 1)
	require.Equal(t, "el8", list[0].Name, "lago knows no names here")
	require.Empty(t, list[0].Version)
	require.Equal(t, old, list[0].Time)
	require.Equal(t, "el8", list[0].VirtBuilder)
	require.EqualValues(t, 100, list[0].VirtualSize)
	require.Equal(t, "Enterprise 8.", list[0].Notes)
}

func TestCatalogueNamesFromMetadata(t *testing.T) {
	list, err := lagorepo.Catalogue(t.Context(), repoOf(map[string]string{
		"repo.metadata": "broken", "el8.metadata": `{"name": "lago El® 8", "version": "v7", "timestamp": 99}`,
		"bad.xz": "x", "bad.hash": sum1, "bad.metadata": "{",
	}))
	require.Error(t, err)
	require.Len(t, list, 2)
	require.Equal(t, "v7", find(t, list, "lago El® 8").Version)
	require.Equal(t, time.Unix(99, 0).UTC(), find(t, list, "lago El® 8").Time)
	require.Equal(t, "latest", find(t, list, "bad").Version)
	require.Contains(t, find(t, list, "bad").Notes, "bad.metadata: line 1")
}

func TestCatalogueIsSureOfASum(t *testing.T) {
	for name, c := range map[string]struct {
		index   string
		touched time.Time
		want    string
	}{
		"sure":              {virtOf("size=100\ncompressed_size=6\nchecksum[sha512]=" + sum512), old, sum512},
		"old form":          {virtOf("size=100\ncompressed_size=6\nchecksum=" + sum512), old, sum512},
		"another size":      {virtOf("size=100\ncompressed_size=7\nchecksum[sha512]=" + sum512), old, ""},
		"no size":           {virtOf("size=100\nchecksum[sha512]=" + sum512), old, ""},
		"a newer file":      {virtOf("size=100\ncompressed_size=6\nchecksum[sha512]=" + sum512), newer.Add(time.Second), ""},
		"upper case":        {virtOf("size=100\ncompressed_size=6\nchecksum[sha512]=" + strings.ToUpper(sum512)), old, ""},
		"too short":         {virtOf("size=100\ncompressed_size=6\nchecksum=" + sum1), old, ""},
		"two say different": {virtOf("compressed_size=6\nchecksum=" + sum512 + "\n\n[other]\nfile=el8.xz\nchecksum=" + strings.Repeat("cd", 64)), old, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m := repoOf(map[string]string{"repo.metadata": lagoOf, "index": c.index})
			m["index"].ModTime = newer
			m["el8.xz"].ModTime = c.touched
			require.Equal(t, c.want, find(t, catalogueOf(t, m), "el8").SHA512)
		})
	}
}

func TestCatalogueOfOtherArchitectures(t *testing.T) {
	index := virtOf("size=100\ncompressed_size=6\nnotes=first\n  second") +
		"\n[el8]\narch=aarch64\nfile=el8-arm.xz\nosinfo=rhel8.1\nsize=200\ncompressed_size=3\nnotes=Made for\n ARM.\n" +
		"\n[el8-alias]\narch=s390x\nfile=el8.xz\n"
	list := catalogueOf(t, repoOf(map[string]string{"repo.metadata": lagoOf, "index": index, "el8-arm.xz": "arm"}))
	require.Len(t, list, 4)
	require.Equal(t, templates.Published{
		Name: "el8", Handle: "el8-arm", Osinfo: "rhel8.1", Arch: "aarch64", VirtualSize: 200, PackedSize: 3, Time: old,
		File: "el8-arm.xz", VirtBuilder: "el8", Notes: "Made for\nARM.", Latest: true,
	}, list[0])
	require.Equal(t, "x86_64", list[1].Arch)
	require.Equal(t, "Enterprise 8. first\n second", list[1].Notes)
}

func TestCatalogueCutsLongNotes(t *testing.T) {
	long := strings.Repeat(" "+strings.Repeat("ä", 100)+"\n", 50)
	p := find(t, catalogueOf(t, repoOf(map[string]string{"repo.metadata": lagoOf, "index": virtOf("notes=a\n" + strings.TrimSuffix(long, "\n"))})), "el8")
	require.Less(t, len(p.Notes), 2010)
	require.True(t, strings.HasSuffix(p.Notes, "ä…"), p.Notes)
}

// forbidding is a file system some of whose files cannot be opened.
type forbidding struct {
	fstest.MapFS
	what string
}

func (f forbidding) Open(name string) (fs.File, error) {
	if name == f.what {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.Open(name)
}

func (f forbidding) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == f.what {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.ReadDir(name)
}

func TestCatalogueOfUnreadableFiles(t *testing.T) {
	m := repoOf(map[string]string{"repo.metadata": lagoOf, "index": virtOf("size=100\ncompressed_size=6")})
	for what, note := range map[string]string{"el8.hash": "el8.hash: permission denied", "el8.metadata": "el8.metadata: permission denied"} {
		list, err := lagorepo.Catalogue(t.Context(), forbidding{m, what})
		require.NoError(t, err)
		require.Contains(t, find(t, list, "el8").Notes, strings.TrimPrefix(note, what+": "))
	}
	for _, what := range []string{"index", "repo.metadata"} {
		list, err := lagorepo.Catalogue(t.Context(), forbidding{m, what})
		require.ErrorIs(t, errors.Unwrap(err), nil)
		require.ErrorContains(t, err, "permission denied")
		require.NotEmpty(t, list)
	}
	list, err := lagorepo.Catalogue(t.Context(), forbidding{m, "."})
	require.ErrorIs(t, err, fs.ErrPermission)
	require.Nil(t, list)
}

func TestCatalogueIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("nobody waits")
	cancel(why)
	list, err := lagorepo.Catalogue(ctx, repoOf(map[string]string{"repo.metadata": lagoOf}))
	require.ErrorIs(t, err, why)
	require.Nil(t, list)
}

func TestCatalogueHasLimits(t *testing.T) {
	t.Run("problems", func(t *testing.T) {
		var index strings.Builder
		for i := range 100 {
			fmt.Fprintf(&index, "[x%d]\nfile=x%d\n\n", i, i)
		}
		list, err := lagorepo.Catalogue(t.Context(), repoOf(map[string]string{"repo.metadata": lagoOf, "index": index.String()}))
		require.NotEmpty(t, list)
		require.Equal(t, 20, strings.Count(err.Error(), "\n"))
		require.ErrorContains(t, err, "and 80 more")
	})
	t.Run("templates", func(t *testing.T) {
		m := fstest.MapFS{"index": file("[only]\nfile=el8.xz\n"), "el8.xz": file("x")}
		for i := range 20_001 {
			m[fmt.Sprintf("t%05d.xz", i)] = file("x")
			m[fmt.Sprintf("t%05d.hash", i)] = file(sum1)
		}
		list, err := lagorepo.Catalogue(t.Context(), m)
		require.Len(t, list, 20_000)
		require.ErrorContains(t, err, "1 templates more than 20000 are left out")
		require.ErrorContains(t, err, `section "only" of index is left out`)
	})
	t.Run("bytes", func(t *testing.T) {
		m := fstest.MapFS{}
		large := strings.Repeat("a", 65_000)
		for i := range 1_200 {
			m[fmt.Sprintf("t%05d.xz", i)] = file("x")
			m[fmt.Sprintf("t%05d.metadata", i)] = file(large)
		}
		list, err := lagorepo.Catalogue(t.Context(), m)
		require.NoError(t, err)
		require.Len(t, list, 1_200)
		unread := 0
		for _, p := range list {
			if strings.Contains(p.Notes, "hold more than 64 MiB") {
				unread++
			}
		}
		require.Greater(t, unread, 100)
		require.Less(t, unread, 300)
	})
}

// Whoever keeps a catalogue must tell one with faults from none.
func TestCatalogueWithFaultsIsAList(t *testing.T) {
	list, err := lagorepo.Catalogue(t.Context(), fstest.MapFS{"repo.metadata": file("<html>")})
	require.Error(t, err)
	require.NotNil(t, list)
	require.Empty(t, list)
}

func TestCatalogueOfNothing(t *testing.T) {
	require.Empty(t, catalogueOf(t, fstest.MapFS{}))
	require.Empty(t, catalogueOf(t, fstest.MapFS{"repo.metadata": {Mode: fs.ModeNamedPipe}, "index": {Mode: fs.ModeDir}, "a.xz": {Mode: fs.ModeSymlink}}))
}
