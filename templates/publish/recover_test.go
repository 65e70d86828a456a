//go:build unix

package publish_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

// staged is the path of the only staged file that is left of an interrupted set, or the one with that number.
func staged(t *testing.T, dir, number string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, ".tplkit/set-000001/.f"+number+"-*"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// What happens between a kill and the next Open decides whether the set is completed or taken back.
func TestRecovery(t *testing.T) {
	before := map[string]string{"index": "old", "gone": "old"}
	after := map[string]string{"repo/": "", "repo/a": "new a", "repo/b": "new b", "index": "new"}
	tests := map[string]struct {
		meddle func(t *testing.T, dir string)
		want   map[string]string
		told   string
	}{
		"nothing": {func(*testing.T, string) {}, after, "completed: 3 files published, 1 removed"},
		"a staged file is cut": {func(t *testing.T, dir string) {
			require.NoError(t, os.Truncate(staged(t, dir, "2"), 1))
		}, before, `taken back: "index": found 1 bytes, expected 3`},
		"a staged file has other bytes": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(staged(t, dir, "1"), []byte("new x"), 0o644))
		}, before, `taken back: "repo/b": found sha256`},
		"a staged file is gone": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(staged(t, dir, "1")))
		}, before, `taken back: "repo/b": neither`},
		"a staged file is a link": {func(t *testing.T, dir string) {
			name := staged(t, dir, "1")
			require.NoError(t, os.Remove(name))
			require.NoError(t, os.Symlink("/etc/passwd", name))
		}, before, `taken back: ".tplkit/set-000001/.f1-`},
		"a published file is gone": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "repo/a")))
		}, before, `taken back: "repo/a": neither`},
		"a published file was changed by hand": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "repo/a"), []byte("by hand"), 0o644))
		}, map[string]string{"repo/": "", "repo/a": "by hand", "index": "old", "gone": "old"}, `taken back: "repo/a": found 7 bytes`},
		"a name was taken": {func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "repo/b"), []byte("theirs"), 0o644))
		}, map[string]string{"repo/": "", "repo/b": "theirs", "index": "old", "gone": "old"}, `taken back: "repo/b": exists already`},
		"the file to remove is gone": {func(t *testing.T, dir string) {
			require.NoError(t, os.Remove(filepath.Join(dir, "gone")))
		}, after, "completed"},
		"a rename was cut in half": {func(t *testing.T, dir string) {
			require.NoError(t, os.Link(staged(t, dir, "1"), filepath.Join(dir, "repo/b")))
		}, after, "completed"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, publishOnce(dir, small, []file{{"index", "old"}, {"gone", "old"}}))
			interrupt(t, dir, replacing(), "rename-new", "repo/b",
				[]file{{"repo/a", "new a"}, {"repo/b", "new b"}, {"index", "new"}}, "gone")
			require.FileExists(t, filepath.Join(dir, "repo/a"))
			tt.meddle(t, dir)
			d, err := publish.Open(context.Background(), dir, small)
			require.NoError(t, err)
			require.Len(t, d.Recovered(), 1)
			require.Contains(t, d.Recovered()[0], tt.told)
			require.NoError(t, d.Close())
			// What is not ours in the staging stays there.
			require.NoError(t, os.RemoveAll(filepath.Join(dir, ".tplkit")))
			require.Equal(t, tt.want, tree(t, dir))
		})
	}
}

// Big files are compared by size, and by digest when one was said.
func TestRecoveryOfBigFiles(t *testing.T) {
	big := strings.Repeat("big", 1<<20)
	sum := sha256.Sum256([]byte(big))
	for name, say := range map[string]bool{"digest known": true, "digest unknown": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			dead := false
			step := func(op, name string) error {
				if dead = dead || op == "rename-new"; dead {
					return syscall.EIO
				}
				return nil
			}
			d, err := publish.Open(context.Background(), dir, publish.WithStep(small, step))
			require.NoError(t, err)
			set := d.NewSet("")
			f, err := set.Create("image", int64(len(big)))
			require.NoError(t, err)
			_, err = f.Write([]byte(big))
			require.NoError(t, err)
			if say {
				require.NoError(t, f.SetSum(crypto.SHA256, sum[:]))
			}
			require.ErrorIs(t, set.Commit(context.Background()), publish.ErrUnfinished)
			require.Error(t, d.Close())

			w, err := os.OpenFile(staged(t, dir, "0"), os.O_WRONLY, 0)
			require.NoError(t, err)
			_, err = w.WriteAt([]byte("x"), 1<<20)
			require.NoError(t, err)
			require.NoError(t, w.Close())

			cause := errors.New("no time")
			ctx, cancel := context.WithCancelCause(context.Background())
			stop := publish.WithStep(small, func(op, name string) error {
				if op == "lock" {
					cancel(cause)
				}
				return nil
			})
			if say {
				_, err = publish.Open(ctx, dir, stop)
				require.ErrorIs(t, err, cause, "a cancelled recovery decides nothing")
			}

			second := open(t, dir, small)
			if say {
				require.Contains(t, second.Recovered()[0], "taken back")
				require.Empty(t, second.NewSet("").Discard())
				require.NoFileExists(t, filepath.Join(dir, "image"))
			} else {
				require.Contains(t, second.Recovered()[0], "completed")
				require.FileExists(t, filepath.Join(dir, "image"))
			}
		})
	}
}

// A journal that nobody understands is left for a human, and nothing is done with the tree.
func TestBadJournals(t *testing.T) {
	good := `{"version":1,"files":[{"name":"a","staged":".f0-1","size":1}]}`
	_, err := publish.ReencodeJournal([]byte(good))
	require.NoError(t, err)
	tests := map[string]string{
		"empty":                     ``,
		"not json":                  `hello`,
		"cut":                       good[:len(good)-5],
		"more after it":             good + `{}`,
		"another version":           strings.Replace(good, `:1,`, `:2,`, 1),
		"an unknown field":          strings.Replace(good, `"size"`, `"mode"`, 1),
		"nothing to do":             `{"version":1}`,
		"climbing":                  strings.Replace(good, `"a"`, `"../a"`, 1),
		"absolute":                  strings.Replace(good, `"a"`, `"/etc/passwd"`, 1),
		"into .tplkit":              strings.Replace(good, `"a"`, `".tplkit/lock"`, 1),
		"staged elsewhere":          strings.Replace(good, `.f0-1`, `../../index`, 1),
		"staged absolutely":         strings.Replace(good, `.f0-1`, `/etc/passwd`, 1),
		"staged is the journal":     strings.Replace(good, `.f0-1`, `journal`, 1),
		"negative size":             strings.Replace(good, `"size":1`, `"size":-1`, 1),
		"backup without replacing":  strings.Replace(good, `"size":1`, `"size":1,"backup":"b0"`, 1),
		"backup elsewhere":          strings.Replace(good, `"size":1`, `"size":1,"replaces":true,"backup":"../x"`, 1),
		"unknown digest":            strings.Replace(good, `"size":1`, `"size":1,"sums":{"md5":"d41d8cd98f00b204e9800998ecf8427e"}`, 1),
		"short digest":              strings.Replace(good, `"size":1`, `"size":1,"sums":{"sha256":"d41d"}`, 1),
		"upper-case digest":         strings.Replace(good, `"size":1`, `"size":1,"sums":{"sha256":"`+strings.Repeat("A", 64)+`"}`, 1),
		"directory of no file":      strings.Replace(good, `"files"`, `"dirs":["b"],"files"`, 1),
		"climbing directory":        strings.Replace(good, `"files"`, `"dirs":["../b"],"files"`, 1),
		"removing a climbing name":  `{"version":1,"remove":[{"name":"../x","taken":"r0"}]}`,
		"removing to elsewhere":     `{"version":1,"remove":[{"name":"x","taken":"../../y"}]}`,
		"removing what is created":  strings.Replace(good, `]}`, `],"remove":[{"name":"a","taken":"r0"}]}`, 1),
		"the same name twice":       `{"version":1,"files":[{"name":"a","staged":".f0-1","size":1},{"name":"a","staged":".f1-1","size":1}]}`,
		"the same staged twice":     `{"version":1,"files":[{"name":"a","staged":".f0-1","size":1},{"name":"b","staged":".f0-1","size":1}]}`,
		"a label of a thousand":     strings.Replace(good, `"files"`, `"label":"`+strings.Repeat("x", 1000)+`","files"`, 1),
		"more than the limit":       good + strings.Repeat(" ", 16<<20),
		"a file and its directory":  `{"version":1,"files":[{"name":"a","staged":".f0-1","size":1},{"name":"a/b","staged":".f1-1","size":1}]}`,
		"a name that hides its end": strings.Replace(good, `"a"`, `"a\u001b[2K"`, 1),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			for _, journal := range []string{"journal", "undo"} {
				dir := t.TempDir()
				set := filepath.Join(dir, ".tplkit", "set-000001")
				require.NoError(t, os.MkdirAll(set, 0o700))
				require.NoError(t, os.WriteFile(filepath.Join(set, journal), []byte(text), 0o600))
				require.NoError(t, os.WriteFile(filepath.Join(set, ".f0-1"), []byte("x"), 0o600))
				before := tree(t, dir)
				_, err := publish.Open(context.Background(), dir, small)
				require.ErrorContains(t, err, `remove ".tplkit/set-000001"`)
				require.NotContains(t, err.Error(), "\x1b")
				require.Equal(t, before, tree(t, dir))
			}
		})
	}
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"version":1,"label":"x","dirs":["r"],"files":[{"name":"r/a","staged":".f0-1","size":1,"replaces":true,"backup":"b0",` +
		`"sums":{"sha256":"` + strings.Repeat("0a", 32) + `"}}],"remove":[{"name":"old","taken":"r0"}]}`))
	for _, name := range append(badNames, "a.tplkit/x") {
		f.Add([]byte(`{"version":1,"files":[{"name":"` + name + `","staged":".f0-1","size":0}]}`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		printed, err := publish.ReencodeJournal(text)
		if err != nil {
			return
		}
		again, err := publish.ReencodeJournal(printed)
		require.NoError(t, err)
		require.Equal(t, string(printed), string(again))
		names, err := publish.JournalNames(text)
		require.NoError(t, err)
		for _, name := range names {
			require.True(t, filepath.IsLocal(name), "%q", name)
			require.NotContains(t, "/"+strings.ToLower(name), "/.tplkit")
		}
	})
}
