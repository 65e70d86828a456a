package lagorepo_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

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
		{"repo.metadata too large", "repo.metadata", strings.Repeat(" ", 17<<20), "at most"},
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
