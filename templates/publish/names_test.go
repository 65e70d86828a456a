//go:build unix

package publish_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

var badNames = []string{
	"", ".", "..", "/", "/etc/passwd", "../x", "a/../../x", "a/..", "./a", "a/./b", "a//b", "a/", "/a",
	`a\b`, `..\x`, "a\x00b", "a\nb", "a\x1b[31m", "a\x7f", "a\xffb",
	".tplkit", ".tplkit/lock", ".TPLKIT/lock", "a/.tplkit/x", ".tplkit-tmp-1", "repo/.tplkit-tmp-1", strings.Repeat("a/", 3000) + "a",
}

var goodNames = []string{
	"a", "repo/el8:v1.xz", "a/b/c/d", ".hidden", "..x", "a..b", "-", "a b", "ä/ö", "H.hash", ".tplki",
	strings.Repeat("n", 255),
}

func TestNames(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, small)
	for _, name := range badNames {
		_, err := d.NewSet("").Create(name, 0)
		require.Error(t, err, "%q", name)
		require.NotContains(t, err.Error(), "\x1b")
		set := d.NewSet("")
		set.Remove(name)
		require.Error(t, set.Commit(context.Background()), "%q", name)
	}
	_, err := d.NewSet("").Create(strings.Repeat("n", 256), 0)
	require.ErrorIs(t, err, syscall.ENAMETOOLONG)
	require.Less(t, len(err.Error()), 300)
	_, err = d.NewSet("").Create("a", -1)
	require.ErrorContains(t, err, "size hint -1")
	for _, name := range goodNames {
		require.NoError(t, put(context.Background(), d, []file{{name, "x"}}, "is/not/there"), "%q", name)
		got, err := d.Root().ReadFile(name)
		require.NoError(t, err)
		require.Equal(t, "x", string(got))
		require.NoError(t, put(context.Background(), d, nil, name))
	}
}

func TestNamesThatClash(t *testing.T) {
	tests := map[string][]string{
		"twice":                     {"a", "a"},
		"a file below a file":       {"a", "a/b"},
		"a file above a file":       {"a/b", "a"},
		"a file far above one":      {"a/b/c/d", "a/b"},
		"a file far below a file":   {"a/b", "a/b/c/d"},
		"twice in a directory":      {"a/b", "a/b"},
		"created twice among other": {"x", "a/b", "y", "a/b"},
	}
	for name, names := range tests {
		t.Run(name, func(t *testing.T) {
			d := open(t, t.TempDir(), small)
			set := d.NewSet("")
			defer set.Discard()
			for _, name := range names[:len(names)-1] {
				_, err := set.Create(name, 0)
				require.NoError(t, err)
			}
			_, err := set.Create(names[len(names)-1], 0)
			require.ErrorContains(t, err, "one set")
		})
	}
}

// What stands in the way of a name, and is neither replaced nor followed.
func TestObstacles(t *testing.T) {
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "f"), []byte("outside"), 0o644))
	tests := map[string]struct {
		make func(t *testing.T, dir string)
		name string
		want string
	}{
		"a link to a file outside": {func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink(filepath.Join(outside, "f"), filepath.Join(dir, "x")))
		}, "x", "found a symbolic link"},
		"a link to a file inside": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "f"), nil, 0o644))
			require.NoError(t, os.Symlink("f", filepath.Join(dir, "x")))
		}, "x", "found a symbolic link"},
		"a dangling link": {func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink("none", filepath.Join(dir, "x")))
		}, "x", "found a symbolic link"},
		"a directory": {func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "x"), 0o755))
		}, "x", "found a directory"},
		"a fifo": {func(t *testing.T, dir string) {
			require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "x"), 0o644))
		}, "x", "found a fifo"},
		"a socket": {func(t *testing.T, dir string) {
			l, err := net.Listen("unix", filepath.Join(dir, "x"))
			require.NoError(t, err)
			t.Cleanup(func() { l.Close() })
		}, "x", "found a socket"},
		"a linked parent outside": {func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "p")))
		}, "p/f", "found a symbolic link, expected a directory"},
		"a linked parent inside": {func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "kubevirt"), 0o755))
			require.NoError(t, os.Symlink("kubevirt", filepath.Join(dir, "p")))
		}, "p/new", "found a symbolic link, expected a directory"},
		"a dangling parent": {func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink("none", filepath.Join(dir, "p")))
		}, "p/a/new", "found a symbolic link, expected a directory"},
		"a linked parent below": {func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "p"), 0o755))
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, "p/q")))
		}, "p/q/new", `"p/q": found a symbolic link`},
		"a file as parent": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "p"), nil, 0o644))
		}, "p/new", "found a regular file, expected a directory"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			tt.make(t, dir)
			before := tree(t, dir)
			err := publishOnce(dir, replacing(), []file{{"first", "1"}, {tt.name, "2"}})
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, before, tree(t, dir), "Create refuses it")

			// It may also come to be after Create.
			late := t.TempDir()
			d, err := publish.Open(context.Background(), late, replacing())
			require.NoError(t, err)
			set := d.NewSet("")
			for _, name := range []string{"first", tt.name} {
				_, err := set.Create(name, 0)
				require.NoError(t, err)
			}
			tt.make(t, late)
			require.ErrorContains(t, set.Commit(context.Background()), tt.want)
			require.NoError(t, d.Close())
			require.NoFileExists(t, filepath.Join(late, "first"), "Commit refuses it")

			// And between the check of Commit and the rename.
			race := t.TempDir()
			made := false
			step := func(op, name string) error {
				if op == "sync-rename" && !made {
					made = true
					tt.make(t, race)
				}
				return nil
			}
			err = publishOnce(race, publish.WithStep(replacing(), step), []file{{"first", "1"}, {tt.name, "2"}})
			require.Error(t, err)
			require.NoFileExists(t, filepath.Join(race, "first"), "it is taken back")

			if tt.name == "x" {
				path := filepath.Join(dir, "x")
				for _, force := range []bool{false, true} {
					err := publish.WriteFile(context.Background(), path, publish.FileOptions{Force: force}, writeText("new"))
					require.ErrorContains(t, err, tt.want)
				}
				require.Equal(t, before, tree(t, dir))
			}
		})
	}
	require.Equal(t, map[string]string{"f": "outside"}, tree(t, outside))
}

// A tree is not opened where a link or something else stands in the place of what is ours.
func TestHostileMeta(t *testing.T) {
	outside := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(outside, "lock"), []byte("precious"), 0o644))
	tests := map[string]func(t *testing.T, dir string){
		"a link as .tplkit": func(t *testing.T, dir string) {
			require.NoError(t, os.Symlink(outside, filepath.Join(dir, ".tplkit")))
		},
		"a file as .tplkit": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, ".tplkit"), nil, 0o644))
		},
		"a link as lock": func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, ".tplkit"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "index"), []byte("precious"), 0o644))
			require.NoError(t, os.Symlink("../index", filepath.Join(dir, ".tplkit/lock")))
		},
		"a fifo as lock": func(t *testing.T, dir string) {
			require.NoError(t, os.Mkdir(filepath.Join(dir, ".tplkit"), 0o755))
			require.NoError(t, syscall.Mkfifo(filepath.Join(dir, ".tplkit/lock"), 0o644))
		},
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			make(t, dir)
			before := tree(t, dir)
			_, err := publish.Open(context.Background(), dir, small)
			require.ErrorContains(t, err, ".tplkit")
			require.ErrorContains(t, err, "expected")
			require.Equal(t, before, tree(t, dir))
		})
	}
	require.Equal(t, map[string]string{"lock": "precious"}, tree(t, outside))
}

// The sweep removes what it owns and nothing else.
func TestSweepKeepsWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	set := filepath.Join(dir, ".tplkit", "set-000007")
	require.NoError(t, os.MkdirAll(set, 0o755))
	for _, name := range []string{".f0-123", ".journal99", "b0", "r12"} {
		require.NoError(t, os.WriteFile(filepath.Join(set, name), nil, 0o644))
	}
	empty := filepath.Join(dir, ".tplkit", "set-000008")
	require.NoError(t, os.Mkdir(empty, 0o755))
	foreign := []string{
		".tplkit/notes", ".tplkit/set-1", ".tplkit/set-00000x", ".tplkit/set-000007/b0x", ".tplkit/set-000007/keep",
		".tplkit/set-000007/.f0-", ".tplkit/set-000007/.fx-1", ".tplkit/set-000007/f0-1", ".tplkit/set-000007/.journalx",
	}
	for _, name := range foreign {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o644))
	}
	require.NoError(t, os.Symlink("keep", filepath.Join(set, "b1")))
	require.NoError(t, os.Symlink("..", filepath.Join(dir, ".tplkit", "set-000009")))

	require.NoError(t, publishOnce(dir, small, []file{{"a", "a"}}))
	want := map[string]string{
		"a": "a", ".tplkit/": "", ".tplkit/set-000007/": "", ".tplkit/set-000007/b1": "-> keep", ".tplkit/set-000009": "-> ..",
	}
	for _, name := range foreign {
		want[name] = name
	}
	require.Equal(t, want, tree(t, dir))
}
