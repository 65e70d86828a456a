package templates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// rawBytes are n KiB that begin like no known format, with a hole's worth of
// zeros in the middle.
func rawBytes(kib int) []byte {
	b := bytes.Repeat([]byte("a disk's data, block after block\n"), kib*1024/33+1)[:kib*1024]
	clear(b[len(b)/4 : len(b)/2])
	return b
}

func writeImage(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, data, 0o644))
	return path
}

func onlyItem(t *testing.T, rep *templates.Report) templates.Item {
	t.Helper()
	require.Len(t, rep.Items, 1)
	return rep.Items[0]
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	var out []string
	for _, e := range list {
		out = append(out, e.Name())
	}
	return out
}

func TestPackAndUnpackFiles(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	data := rawBytes(300)
	img := writeImage(t, dir, "disk.img", data)
	when := time.Date(2020, 8, 17, 9, 30, 0, 0, time.UTC)
	require.NoError(t, os.Chtimes(img, when, when))
	require.NoError(t, os.Chmod(img, 0o600))

	var last templates.Progress
	rep, err := templates.PackFiles(ctx, []string{img}, templates.FilesOptions{}, templates.PackOptions{
		BlockSize: 64 << 10,
		Content:   []hashutil.Algorithm{hashutil.SHA1},
		Packed:    []hashutil.Algorithm{},
		Progress:  func(p templates.Progress) { last = p },
	})
	require.NoError(t, err)
	it := onlyItem(t, rep)
	require.Equal(t, templates.PackedState, it.State, it.Error)
	require.Equal(t, img, it.Source)
	require.Equal(t, img+".xz", it.Destination)
	require.Equal(t, templates.Progress{Item: img, Done: 300 << 10, Total: 300 << 10}, last)
	require.Equal(t, int64(300<<10), it.Sizes.Virtual)
	require.Len(t, it.Digests.Content, 1)
	require.Empty(t, it.Digests.Packed, "nothing is hashed that nobody asked for")
	st, err := os.Stat(img + ".xz")
	require.NoError(t, err)
	require.Equal(t, it.Sizes.Packed, st.Size())
	require.Equal(t, os.FileMode(0o600), st.Mode(), "a private image stays private")
	require.True(t, when.Equal(st.ModTime()))

	out := filepath.Join(dir, "new", "out")
	rep, err = templates.UnpackFiles(ctx, []string{img + ".xz"}, templates.FilesOptions{Dir: out}, templates.UnpackOptions{
		Progress: func(p templates.Progress) { last = p },
	})
	require.NoError(t, err)
	it = onlyItem(t, rep)
	require.Equal(t, templates.Unpacked, it.State, it.Error)
	require.Equal(t, filepath.Join(out, "disk.img"), it.Destination)
	require.Equal(t, templates.Progress{Item: img + ".xz", Done: 300 << 10, Total: 300 << 10}, last)
	require.Equal(t, int64(300<<10), it.Sizes.Virtual)
	got, err := os.ReadFile(it.Destination)
	require.NoError(t, err)
	require.Equal(t, data, got)
	st, err = os.Stat(it.Destination)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), st.Mode())
	require.True(t, when.Equal(st.ModTime()))
}

func TestFilesThatAreRefused(t *testing.T) {
	pack := func(t *testing.T, dir string, out templates.FilesOptions, paths ...string) *templates.Report {
		rep, err := templates.PackFiles(context.Background(), paths, out, templates.PackOptions{})
		require.NoError(t, err)
		return rep
	}
	unpack := func(t *testing.T, dir string, out templates.FilesOptions, paths ...string) *templates.Report {
		rep, err := templates.UnpackFiles(context.Background(), paths, out, templates.UnpackOptions{})
		require.NoError(t, err)
		return rep
	}
	xz := func(t *testing.T, dir string) []byte {
		t.Helper()
		img := writeImage(t, dir, "tmp/x", rawBytes(64))
		require.False(t, pack(t, dir, templates.FilesOptions{}, img).Failed())
		data, err := os.ReadFile(img + ".xz")
		require.NoError(t, err)
		require.NoError(t, os.RemoveAll(filepath.Join(dir, "tmp")))
		return data
	}
	for _, tc := range []struct {
		name string
		do   func(t *testing.T, dir string) *templates.Report
		want string   // in the error
		left []string // all that is in the directory afterwards
	}{
		{"a packed image is not packed again", func(t *testing.T, dir string) *templates.Report {
			return pack(t, dir, templates.FilesOptions{}, writeImage(t, dir, "a.xz", xz(t, dir)))
		}, "compressed already", []string{"a.xz"}},
		{"an output that exists stays", func(t *testing.T, dir string) *templates.Report {
			writeImage(t, dir, "a.xz", []byte("precious"))
			return pack(t, dir, templates.FilesOptions{}, writeImage(t, dir, "a", rawBytes(64)))
		}, "exists already", []string{"a", "a.xz"}},
		{"a missing image", func(t *testing.T, dir string) *templates.Report {
			return pack(t, dir, templates.FilesOptions{}, filepath.Join(dir, "gone"))
		}, "no such file", nil},
		{"a directory in the way of the output", func(t *testing.T, dir string) *templates.Report {
			require.NoError(t, os.Mkdir(filepath.Join(dir, "a.xz"), 0o755))
			return pack(t, dir, templates.FilesOptions{Force: true}, writeImage(t, dir, "a", rawBytes(64)))
		}, "directory", []string{"a", "a.xz"}},
		{"a name without .xz and nowhere to go", func(t *testing.T, dir string) *templates.Report {
			return unpack(t, dir, templates.FilesOptions{}, writeImage(t, dir, "a", xz(t, dir)))
		}, "does not end in .xz", []string{"a"}},
		{"unpacking onto itself", func(t *testing.T, dir string) *templates.Report {
			return unpack(t, dir, templates.FilesOptions{Dir: dir, Force: true}, writeImage(t, dir, "a", xz(t, dir)))
		}, "is the input itself", []string{"a"}},
		{"unpacking what is no xz", func(t *testing.T, dir string) *templates.Report {
			return unpack(t, dir, templates.FilesOptions{}, writeImage(t, dir, "a.xz", rawBytes(64)))
		}, "expected the .xz format, found raw", []string{"a.xz"}},
		{"a truncated xz", func(t *testing.T, dir string) *templates.Report {
			data := xz(t, dir)
			return unpack(t, dir, templates.FilesOptions{}, writeImage(t, dir, "a.xz", data[:len(data)-5]))
		}, "", []string{"a.xz"}},
		{"a corrupt xz", func(t *testing.T, dir string) *templates.Report {
			data := xz(t, dir)
			data[len(data)/2] ^= 0x40
			return unpack(t, dir, templates.FilesOptions{}, writeImage(t, dir, "a.xz", data))
		}, "block", []string{"a.xz"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir := t.TempDir()
			it := onlyItem(t, tc.do(t, dir))
			require.Equal(t, templates.Failed, it.State)
			require.NotEmpty(t, it.Error)
			require.Contains(t, it.Error, tc.want)
			require.Equal(t, tc.left, names(t, dir), "nothing is left behind")
			if data, err := os.ReadFile(filepath.Join(dir, "a.xz")); err == nil && string(data[:8]) == "precious" {
				require.Equal(t, "precious", string(data))
			}
		})
	}
}

// TestUnpackOneLargeBlock: an image that is one block, too large to be held, is unpacked all the same, whole or not at all.
func TestUnpackOneLargeBlock(t *testing.T) {
	dir := t.TempDir()
	data := rawBytes(4 << 10)
	img := writeImage(t, dir, "tmp/a", data)
	rep, err := templates.PackFiles(context.Background(), []string{img}, templates.FilesOptions{}, templates.PackOptions{})
	require.NoError(t, err)
	require.False(t, rep.Failed())
	packed, err := os.ReadFile(img + ".xz")
	require.NoError(t, err)
	require.NoError(t, os.RemoveAll(filepath.Dir(img)))
	path := writeImage(t, dir, "a.xz", packed)
	opt := templates.UnpackOptions{Limits: xzpack.Limits{Block: 1 << 20}}

	bad := bytes.Clone(packed)
	bad[len(bad)-60] ^= 1
	for name, data := range map[string][]byte{"truncated": packed[:len(packed)-40], "corrupt": bad} {
		writeImage(t, dir, "a.xz", data)
		rep, err := templates.UnpackFiles(context.Background(), []string{path}, templates.FilesOptions{}, opt)
		require.NoError(t, err)
		require.Equal(t, templates.Failed, onlyItem(t, rep).State, name)
		require.Equal(t, []string{"a.xz"}, names(t, dir), name)
	}
	writeImage(t, dir, "a.xz", packed)

	stop := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	opt.Progress = func(p templates.Progress) {
		require.Less(t, p.Done, p.Total)
		cancel(stop)
	}
	_, err = templates.UnpackFiles(ctx, []string{path}, templates.FilesOptions{}, opt)
	require.ErrorIs(t, err, stop)
	require.Equal(t, []string{"a.xz"}, names(t, dir), "cancelled in the middle")

	var last templates.Progress
	opt.Progress = func(p templates.Progress) { last = p }
	rep, err = templates.UnpackFiles(context.Background(), []string{path}, templates.FilesOptions{}, opt)
	require.NoError(t, err)
	it := onlyItem(t, rep)
	require.Equal(t, templates.Unpacked, it.State, it.Error)
	require.Equal(t, templates.Progress{Item: path, Done: 4 << 20, Total: 4 << 20}, last)
	require.Less(t, it.Sizes.Allocated, int64(7<<19), "a quarter of it is zeros")
	got, err := os.ReadFile(filepath.Join(dir, "a"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}

func TestOneFailureDoesNotStopTheOthers(t *testing.T) {
	dir := t.TempDir()
	bad, good := filepath.Join(dir, "gone"), writeImage(t, dir, "a", rawBytes(64))
	rep, err := templates.PackFiles(context.Background(), []string{bad, good}, templates.FilesOptions{}, templates.PackOptions{})
	require.NoError(t, err)
	require.True(t, rep.Failed())
	require.Equal(t, map[templates.State]int{templates.Failed: 1, templates.PackedState: 1}, rep.Summary)
	require.FileExists(t, good+".xz")
}

func TestForceReplaces(t *testing.T) {
	dir := t.TempDir()
	img := writeImage(t, dir, "a", rawBytes(64))
	writeImage(t, dir, "a.xz", []byte("old"))
	rep, err := templates.PackFiles(context.Background(), []string{img}, templates.FilesOptions{Force: true}, templates.PackOptions{})
	require.NoError(t, err)
	require.False(t, rep.Failed())
	rep, err = templates.UnpackFiles(context.Background(), []string{img + ".xz"}, templates.FilesOptions{Force: true}, templates.UnpackOptions{})
	require.NoError(t, err)
	require.Equal(t, templates.Unpacked, onlyItem(t, rep).State)
}

func TestDryRunOfFiles(t *testing.T) {
	dir := t.TempDir()
	img := writeImage(t, dir, "a", rawBytes(64))
	out := templates.FilesOptions{Dir: filepath.Join(dir, "out"), DryRun: true}
	rep, err := templates.PackFiles(context.Background(), []string{img}, out, templates.PackOptions{})
	require.NoError(t, err)
	it := onlyItem(t, rep)
	require.Equal(t, templates.Planned, it.State)
	require.Equal(t, "would be packed, level best", it.Reason)
	require.Equal(t, []string{"a"}, names(t, dir))

	_, err = templates.PackFiles(context.Background(), []string{img}, templates.FilesOptions{}, templates.PackOptions{})
	require.NoError(t, err)
	rep, err = templates.UnpackFiles(context.Background(), []string{img + ".xz"}, out, templates.UnpackOptions{})
	require.NoError(t, err)
	it = onlyItem(t, rep)
	require.Equal(t, templates.Planned, it.State)
	require.Equal(t, int64(64<<10), it.Sizes.Apparent)
	require.Equal(t, []string{"a", "a.xz"}, names(t, dir))
}

func TestTwoInputsWithOneOutput(t *testing.T) {
	dir := t.TempDir()
	one, two := writeImage(t, dir, "one/a", rawBytes(64)), writeImage(t, dir, "two/a", rawBytes(64))
	out := filepath.Join(dir, "out")
	rep, err := templates.PackFiles(context.Background(), []string{one, two}, templates.FilesOptions{Dir: out}, templates.PackOptions{})
	var clash *templates.ConflictError
	require.ErrorAs(t, err, &clash)
	require.Len(t, clash.Conflicts, 1)
	require.Equal(t, clash.Conflicts, rep.Conflicts)
	require.Equal(t, filepath.Join(out, "a.xz"), clash.Conflicts[0].Name)
	require.Len(t, clash.Conflicts[0].Entries, 2)
	require.NoDirExists(t, out)

	// The same file under two names is the same output.
	link := filepath.Join(dir, "link")
	require.NoError(t, os.Symlink(filepath.Join(dir, "one"), link))
	_, err = templates.PackFiles(context.Background(), []string{one, filepath.Join(link, "a")}, templates.FilesOptions{}, templates.PackOptions{})
	require.ErrorAs(t, err, &clash)
}

func TestCancelledFiles(t *testing.T) {
	dir := t.TempDir()
	img := writeImage(t, dir, "a", rawBytes(1024))
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(context.Background())
	rep, err := templates.PackFiles(ctx, []string{img}, templates.FilesOptions{}, templates.PackOptions{
		BlockSize: 4096, Jobs: 1,
		Progress: func(templates.Progress) { cancel(why) },
	})
	require.ErrorIs(t, err, why)
	require.Empty(t, rep.Items)
	require.Equal(t, []string{"a"}, names(t, dir))

	_, err = templates.UnpackFiles(ctx, []string{img}, templates.FilesOptions{}, templates.UnpackOptions{})
	require.ErrorIs(t, err, why)
}

func ExamplePackFiles() {
	dir, err := os.MkdirTemp("", "tplkit")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	img := filepath.Join(dir, "el8.img")
	if err := os.WriteFile(img, rawBytes(64), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	rep, err := templates.PackFiles(context.Background(), []string{img, filepath.Join(dir, "gone.img")},
		templates.FilesOptions{}, templates.PackOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, it := range rep.Items {
		fmt.Println(it.State, filepath.Base(it.Source))
	}
	// Output:
	// packed el8.img
	// failed gone.img
}

func ExampleUnpackFiles() {
	rep, err := templates.UnpackFiles(context.Background(), []string{"el8.xz"},
		templates.FilesOptions{DryRun: true}, templates.UnpackOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rep.Items[0].State, rep.Items[0].Error)
	// Output:
	// failed lstat el8.xz: no such file or directory
}
