package lagorepo_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

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
