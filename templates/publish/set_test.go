//go:build unix

package publish_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

func TestSetPublishes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "tree")
	old := syscall.Umask(0o077)
	defer syscall.Umask(old)

	d, err := publish.Open(context.Background(), dir, small)
	require.NoError(t, err)
	set := d.NewSet("lago el8:v1")
	image, err := set.Create("repo/el8.xz", 0)
	require.NoError(t, err)
	require.Equal(t, "repo/el8.xz", image.Name())
	index, err := set.Create("index", 0)
	require.NoError(t, err)
	_, err = index.ReadFrom(strings.NewReader("[el8]\n"))
	require.NoError(t, err)
	_, err = image.Write([]byte("image"))
	require.NoError(t, err)
	when := time.Unix(1500000000, 0)
	image.SetModTime(when)

	require.NoFileExists(t, filepath.Join(dir, "repo", "el8.xz"))
	require.NoDirExists(t, filepath.Join(dir, "repo"))
	require.NoError(t, set.Commit(context.Background()))
	require.NoError(t, set.Discard(), "after Commit it does nothing")
	require.Error(t, set.Commit(context.Background()), "a set is published once")
	require.Empty(t, d.Recovered())
	require.Equal(t, dir, d.Path())
	got, err := d.Root().ReadFile("repo/el8.xz")
	require.NoError(t, err)
	require.Equal(t, "image", string(got))
	require.NoError(t, d.Close())
	require.NoError(t, d.Close())

	require.Equal(t, map[string]string{"repo/": "", "repo/el8.xz": "image", "index": "[el8]\n"}, tree(t, dir))
	for path, mode := range map[string]fs.FileMode{
		".": 0o755, "..": 0o755, "repo": 0o755, "repo/el8.xz": 0o644, "index": 0o644,
	} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
	info, err := os.Stat(filepath.Join(dir, "repo/el8.xz"))
	require.NoError(t, err)
	require.True(t, when.Equal(info.ModTime()))
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	opt := small
	opt.FileMode, opt.DirMode = 0o640, 0o750
	require.NoError(t, publishOnce(dir, opt, []file{{"a/b/f", "x"}}))
	for path, mode := range map[string]fs.FileMode{"a": 0o750, "a/b": 0o750, "a/b/f": 0o640} {
		info, err := os.Stat(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestBadOptions(t *testing.T) {
	for name, opt := range map[string]publish.Options{
		"verify mode":    {Verify: 7},
		"file mode":      {FileMode: fs.ModeSetuid | 0o755},
		"directory mode": {DirMode: fs.ModeDir | 0o755},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "tree")
			_, err := publish.Open(context.Background(), dir, opt)
			require.ErrorContains(t, err, "expected")
			require.NoDirExists(t, dir)
		})
	}
}

func TestExisting(t *testing.T) {
	before := []file{{"repo/a", "old a"}, {"repo/b", "old b"}}
	t.Run("refused at once", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, publishOnce(dir, small, before))
		err := publishOnce(dir, small, []file{{"new", "x"}, {"repo/a", "new a"}})
		require.ErrorIs(t, err, publish.ErrExists)
		require.ErrorIs(t, err, fs.ErrExist)
		require.ErrorContains(t, err, `"repo/a"`)
		require.Equal(t, map[string]string{"repo/": "", "repo/a": "old a", "repo/b": "old b"}, tree(t, dir))
	})
	t.Run("refused in Commit when it came to be in between", func(t *testing.T) {
		dir := t.TempDir()
		d := open(t, dir, small)
		set := d.NewSet("late")
		for _, name := range []string{"first", "second"} {
			f, err := set.Create(name, 0)
			require.NoError(t, err)
			require.NoError(t, f.Close())
		}
		require.NoError(t, put(context.Background(), d, []file{{"second", "theirs"}}))
		err := set.Commit(context.Background())
		require.ErrorIs(t, err, publish.ErrExists)
		require.ErrorContains(t, err, `"late"`)
		got := tree(t, dir)
		require.Equal(t, "theirs", got["second"])
		require.NotContains(t, got, "first")
	})
	t.Run("replaced when asked for", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, publishOnce(dir, small, before))
		require.NoError(t, publishOnce(dir, replacing(), []file{{"repo/a", "new a"}, {"c", "c"}}))
		require.Equal(t, map[string]string{"repo/": "", "repo/a": "new a", "repo/b": "old b", "c": "c"}, tree(t, dir))
	})
	t.Run("for one set", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, publishOnce(dir, small, before))
		d := open(t, dir, small)
		set := d.NewSet("")
		set.Replace(true)
		f, err := set.Create("repo/a", 0)
		require.NoError(t, err)
		_, err = f.Write([]byte("new"))
		require.NoError(t, err)
		require.NoError(t, set.Commit(context.Background()))
		require.Equal(t, "new", tree(t, dir)["repo/a"])
		_, err = d.NewSet("").Create("repo/a", 0)
		require.ErrorIs(t, err, publish.ErrExists)
	})
	t.Run("a reader keeps what it has open", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, publishOnce(dir, small, before))
		f, err := os.Open(filepath.Join(dir, "repo/a"))
		require.NoError(t, err)
		defer f.Close()
		require.NoError(t, publishOnce(dir, replacing(), []file{{"repo/a", "new a"}}))
		got, err := io.ReadAll(f)
		require.NoError(t, err)
		require.Equal(t, "old a", string(got))
	})
}

func TestRemove(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, publishOnce(dir, small, []file{{"repo/old", "old"}, {"repo/kept", "kept"}}))
	require.NoError(t, publishOnce(dir, small, []file{{"repo/new", "new"}}, "repo/old", "repo/none", "nodir/none"))
	require.Equal(t, map[string]string{"repo/": "", "repo/new": "new", "repo/kept": "kept"}, tree(t, dir))
	require.NoError(t, publishOnce(dir, small, nil, "repo/new"), "a set may only remove")
	require.Equal(t, map[string]string{"repo/": "", "repo/kept": "kept"}, tree(t, dir))
	require.NoError(t, publishOnce(dir, small, nil, "repo/none"), "or do nothing")

	err := publishOnce(dir, small, []file{{"x", "x"}}, "repo")
	require.ErrorContains(t, err, "found a directory")
	err = publishOnce(dir, small, []file{{"x", "x"}}, "../x")
	require.ErrorContains(t, err, `"../x"`)
	require.ErrorContains(t, publishOnce(dir, small, []file{{"x", "x"}}, "x"), "twice")
	require.Equal(t, map[string]string{"repo/": "", "repo/kept": "kept"}, tree(t, dir))
}

func TestDiscard(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir, small)
	set := d.NewSet("")
	f, err := set.Create("a", 0)
	require.NoError(t, err)
	closed, err := set.Create("b", 0)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	require.NoError(t, set.Discard())
	require.NoError(t, set.Discard())
	_, err = f.Write([]byte("x"))
	require.Error(t, err)
	require.Nil(t, f.File())
	require.Error(t, f.Close())
	_, err = set.Create("c", 0)
	require.Error(t, err)
	require.Error(t, set.Commit(context.Background()))

	left := d.NewSet("")
	_, err = left.Create("d", 0)
	require.NoError(t, err)
	require.NoError(t, d.Close(), "which discards the set that is open")
	require.Empty(t, tree(t, dir))
	_, err = d.NewSet("").Create("e", 0)
	require.Error(t, err)
}

func TestCancelled(t *testing.T) {
	cause := errors.New("the user left")
	ctx, cancel := context.WithCancelCause(context.Background())
	dir := t.TempDir()
	d, err := publish.Open(ctx, dir, small)
	require.NoError(t, err)
	set := d.NewSet("")
	_, err = set.Create("a", 0)
	require.NoError(t, err)
	cancel(cause)
	require.ErrorIs(t, set.Commit(ctx), cause)
	require.NoError(t, d.Close())
	require.Empty(t, tree(t, dir))
	_, err = publish.Open(ctx, dir, small)
	require.ErrorIs(t, err, cause)

	// Cancelled at any step: either nothing is published and the error says so, or all of it.
	for n := 1; ; n++ {
		ctx, cancel := context.WithCancelCause(context.Background())
		dir := t.TempDir()
		left := n
		step := func(string, string) error {
			if left--; left == 0 {
				cancel(cause)
			}
			return nil
		}
		d, err := publish.Open(context.Background(), dir, publish.WithStep(small, step))
		require.NoError(t, err)
		err = put(ctx, d, []file{{"r/a", "a"}, {"b", "b"}})
		require.NoError(t, d.Close())
		cancel(nil)
		if err != nil {
			require.ErrorIs(t, err, cause)
			require.Empty(t, tree(t, dir))
		} else {
			require.Equal(t, map[string]string{"r/": "", "r/a": "a", "b": "b"}, tree(t, dir))
		}
		if left > 0 {
			break
		}
	}
}

func TestSums(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 1<<17) // 2 MiB
	sum256, sum512 := sha256.Sum256([]byte(text)), sha512.Sum512([]byte(text))
	wrong := sha256.Sum256(nil)
	tests := map[string]struct {
		verify publish.VerifyMode
		text   string
		hash   crypto.Hash
		sum    []byte
		want   string
	}{
		"right sha256":             {publish.VerifyAll, text, crypto.SHA256, sum256[:], ""},
		"right sha512":             {publish.VerifyAll, text, crypto.SHA512, sum512[:], ""},
		"wrong":                    {publish.VerifyAll, text, crypto.SHA256, wrong[:], "expected"},
		"wrong and small":          {publish.VerifySmall, "x", crypto.SHA256, wrong[:], "expected"},
		"wrong but too big":        {publish.VerifySmall, text, crypto.SHA256, wrong[:], ""},
		"wrong but nobody looks":   {publish.VerifyNone, "x", crypto.SHA256, wrong[:], ""},
		"wrong sha512 of a sha256": {publish.VerifySmall, "x", crypto.SHA512, make([]byte, 64), "expected"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			opt := small
			opt.Verify = tt.verify
			d := open(t, dir, opt)
			set := d.NewSet("")
			f, err := set.Create("a", 0)
			require.NoError(t, err)
			_, err = io.WriteString(f, tt.text)
			require.NoError(t, err)
			require.NoError(t, f.SetSum(tt.hash, tt.sum))
			require.ErrorContains(t, f.SetSum(crypto.MD5, nil), "SHA-256")
			require.ErrorContains(t, f.SetSum(crypto.SHA256, nil), "32")
			err = set.Commit(context.Background())
			if tt.want != "" {
				require.ErrorContains(t, err, tt.want)
				require.NoFileExists(t, filepath.Join(dir, "a"))
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.text, tree(t, dir)["a"])
		})
	}
}
