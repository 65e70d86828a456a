package imagespec_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
)

// files makes a directory with the files, "name: text", and returns its path. A
// name that ends in / is a directory.
func files(t *testing.T, texts map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range texts {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if strings.HasSuffix(name, "/") {
			require.NoError(t, os.MkdirAll(path, 0o755))
			continue
		}
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

func paths(specs []*imagespec.Spec) []string {
	var out []string
	for _, s := range specs {
		out = append(out, s.Path)
	}
	return out
}

func TestLoad(t *testing.T) {
	dir := files(t, map[string]string{
		"specs/el8": "#base=el7\n", "specs/el7": whole, "specs/sub/el9": "", "specs/.hidden": "", "specs/el7~": "", "specs/#el7#": "",
		"specs/el7.orig": "", "specs/el7.bak": "", "specs/el7.swp": "", "more/fc23": "#base=el8", "more/debian": "", "el6": "#base=x\n",
	})
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	specs, err := imagespec.Load(t.Context(), []string{in("specs"), in("more/fc23"), in("el6")})
	require.NoError(t, err)
	require.Equal(t, []string{in("el6"), in("specs/el7"), in("specs/el8"), in("more/fc23")}, paths(specs))
	require.Equal(t, whole, string(specs[1].Text))
	require.Equal(t, "el7", specs[1].ID)
	require.Len(t, specs[1].Properties, 10)

	again, err := imagespec.Load(t.Context(), []string{in("el6"), in("more/fc23"), in("specs/el8"), in("specs") + "/", in("more") + "/./fc23"})
	require.NoError(t, err)
	require.Equal(t, specs, again, "in any order, and each file once")

	none, err := imagespec.Load(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestLoadBad(t *testing.T) {
	dir := files(t, map[string]string{
		"good/el7": "", "other/el7": "", "other/el8": "", "bad/el7": "\x00", "bad/el8": "#a=b\n#a=c\n", "bad/my spec": "", "bad/ok": "",
		"empty/sub/": "", "empty/.gitignore": "", "large/el7": strings.Repeat("\n", imagespec.MaxSize+1),
	})
	in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for _, c := range []struct {
		name  string
		paths []string
		want  []string
	}{
		{"missing", []string{"gone", "good"}, []string{in("gone") + ": does not exist; give a spec or a directory of specs"}},
		{"nothing in it", []string{"empty"}, []string{in("empty") + ": the directory holds no spec"}},
		{"all faults at once", []string{"bad", "gone"}, []string{
			in("bad/el7") + ": line 1: ", in("bad/el8") + ": line 2: ", in("bad/my spec"), in("gone") + ": does not exist"}},
		{"too large", []string{"large"}, []string{in("large/el7") + ": must be at most 1048576 bytes"}},
		{"one ID twice", []string{"good", "other"}, []string{`"el7" is wanted by`, in("good/el7"), in("other/el7"), "rename one of the files"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var given []string
			for _, p := range c.paths {
				given = append(given, in(p))
			}
			specs, err := imagespec.Load(t.Context(), given)
			require.Empty(t, specs)
			for _, want := range c.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
	_, err := imagespec.Load(t.Context(), []string{in("good"), in("other")})
	var conflict *templates.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Len(t, conflict.Conflicts, 1)
	require.Len(t, conflict.Conflicts[0].Entries, 2)
}

func TestLoadOnlyRegularFiles(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege there")
	}
	dir := files(t, map[string]string{"specs/el7": "#base=x\n", "elsewhere": ""})
	link := filepath.Join(dir, "specs", "el8")
	require.NoError(t, os.Symlink("el7", link))
	_, err := imagespec.Load(t.Context(), []string{filepath.Join(dir, "specs")})
	require.ErrorIs(t, err, templates.ErrNotRegular)
	require.ErrorContains(t, err, link+": ")
	require.ErrorContains(t, err, "a symbolic link")

	specs, err := imagespec.Load(t.Context(), []string{link})
	require.NoError(t, err, "a path of the caller's is followed")
	require.Equal(t, "el8", specs[0].ID)

	_, err = imagespec.Load(t.Context(), []string{os.DevNull})
	require.ErrorContains(t, err, "must be a spec or a directory of specs, is a device")

	if os.Geteuid() != 0 {
		secret := filepath.Join(dir, "elsewhere")
		require.NoError(t, os.Chmod(secret, 0))
		_, err = imagespec.Load(t.Context(), []string{secret})
		require.ErrorIs(t, err, fs.ErrPermission)
		require.ErrorContains(t, err, secret+": ")
	}
}

func TestLoadTooMany(t *testing.T) {
	texts := make(map[string]string)
	for i := range imagespec.MaxSpecs + 3 {
		texts[fmt.Sprintf("s%05d", i)] = ""
	}
	dir := files(t, texts)
	_, err := imagespec.Load(t.Context(), []string{dir})
	require.EqualError(t, err, filepath.Join(dir, fmt.Sprintf("s%05d", imagespec.MaxSpecs))+": is one more than the 4096 specs that are read at a time")
}

func TestLoadCancelled(t *testing.T) {
	dir := files(t, map[string]string{"el7": "", "el8": "\x00"})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	specs, err := imagespec.Load(ctx, []string{dir, "gone"})
	require.Equal(t, why, err)
	require.Empty(t, specs)
}
