package templates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// sparseImage makes a raw image of size bytes with data at both ends and in the
// middle, and gives its path and its content.
func sparseImage(t testing.TB, size int64) (string, []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(size))
	for _, off := range []int64{0, size / 2, size - 7} {
		_, err := f.WriteAt([]byte("tplkit!"), off)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return path, content
}

func openImage(t testing.TB, path string) *templates.Image {
	t.Helper()
	img, err := templates.OpenImageFile(path)
	require.NoError(t, err)
	t.Cleanup(func() { _ = img.Close() })
	return img
}

func sums(t testing.TB, content []byte, algs ...hashutil.Algorithm) hashutil.Digests {
	t.Helper()
	d, _, err := hashutil.Sum(context.Background(), bytes.NewReader(content), algs...)
	require.NoError(t, err)
	return d
}

func TestOpenImage(t *testing.T) {
	path, content := sparseImage(t, 40<<20)
	img := openImage(t, path)
	require.Equal(t, templates.Info{Format: templates.Raw, Virtual: 40 << 20}, img.Info)
	require.EqualValues(t, 40<<20, img.Sizes.Apparent)
	require.Less(t, img.Sizes.Allocated, int64(1<<20), "holes are not counted")
	require.Equal(t, "disk", img.Stat().Name())
	p := make([]byte, 7)
	_, err := img.ReadAt(p, 20<<20)
	require.NoError(t, err)
	require.Equal(t, content[20<<20:20<<20+7], p)

	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(path, link))
	img = openImage(t, link)
	require.Equal(t, link, img.Name, "a link on the command line is followed and keeps its name")
}

func TestOpenImageRefuses(t *testing.T) {
	fsys := fstest.MapFS{
		"vmdk":  {Data: []byte("KDMV....")},
		"empty": {},
		"dir/x": {Data: []byte("x")},
	}
	_, err := templates.OpenImage(fsys, "vmdk")
	var fe *templates.FormatError
	require.True(t, errors.As(err, &fe))
	require.ErrorContains(t, err, `"vmdk": vmdk: neither raw nor qcow2`)
	_, err = templates.OpenImage(fsys, "empty")
	require.ErrorContains(t, err, "holds no image")
	_, err = templates.OpenImage(fsys, "dir")
	require.ErrorIs(t, err, templates.ErrNotRegular)
	_, err = templates.OpenImage(fsys, "absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = templates.OpenImageFile(t.TempDir())
	require.ErrorIs(t, err, templates.ErrNotRegular)
	_, err = templates.OpenImageFile(filepath.Join(t.TempDir(), "absent"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestPackReadsOnceAndTellsAll(t *testing.T) {
	path, content := sparseImage(t, 40<<20)
	img := openImage(t, path)
	var out bytes.Buffer
	var last templates.Progress
	sizes, digests, err := templates.Pack(context.Background(), &out, img, templates.PackOptions{
		Content:  []hashutil.Algorithm{hashutil.SHA1, hashutil.SHA256},
		Progress: func(p templates.Progress) { last = p },
	})
	require.NoError(t, err)
	require.Equal(t, templates.Progress{Item: path, Done: 40 << 20, Total: 40 << 20}, last)
	require.EqualValues(t, out.Len(), sizes.Packed)
	require.EqualValues(t, 40<<20, sizes.Virtual)
	require.Equal(t, sums(t, content, hashutil.SHA1, hashutil.SHA256), digests.Content)
	require.Equal(t, sums(t, out.Bytes(), hashutil.SHA512), digests.Packed)

	r, err := xz.NewReader(&out)
	require.NoError(t, err)
	back, err := io.ReadAll(r)
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, back))
}

func TestPackWithoutDigests(t *testing.T) {
	path, _ := sparseImage(t, 1<<20)
	_, digests, err := templates.Pack(context.Background(), io.Discard, openImage(t, path),
		templates.PackOptions{Packed: []hashutil.Algorithm{}})
	require.NoError(t, err)
	require.Empty(t, digests.Content)
	require.Empty(t, digests.Packed)
}

func TestPackRefusesWhatIsPacked(t *testing.T) {
	fsys := fstest.MapFS{"x": {Data: []byte("\xfd7zXZ\x00....")}}
	img, err := templates.OpenImage(fsys, "x")
	require.NoError(t, err)
	_, _, err = templates.Pack(context.Background(), io.Discard, img, templates.PackOptions{})
	require.ErrorContains(t, err, "compressed already")
}

// changeDuring changes the file when the work on it is under way.
func changeDuring(t *testing.T, path string, change func(f *os.File)) func(templates.Progress) {
	t.Helper()
	changed := false
	return func(templates.Progress) {
		if changed {
			return
		}
		changed = true
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		require.NoError(t, err)
		change(f)
		require.NoError(t, f.Close())
	}
}

func TestAFileThatChangesIsAnError(t *testing.T) {
	for name, change := range map[string]func(f *os.File){
		"shrinks":   func(f *os.File) { require.NoError(t, f.Truncate(5<<20)) },
		"grows":     func(f *os.File) { require.NoError(t, f.Truncate(60<<20)) },
		"rewritten": func(f *os.File) { _, err := f.WriteAt([]byte("x"), 1); require.NoError(t, err) },
	} {
		t.Run(name, func(t *testing.T) {
			path, _ := sparseImage(t, 40<<20)
			past := time.Now().Add(-time.Hour)
			require.NoError(t, os.Chtimes(path, past, past))
			img := openImage(t, path)
			_, err := templates.Digest(context.Background(), img, changeDuring(t, path, change), hashutil.SHA1)
			require.Error(t, err)
			require.ErrorContains(t, err, path)

			path, _ = sparseImage(t, 40<<20)
			require.NoError(t, os.Chtimes(path, past, past))
			_, _, err = templates.Pack(context.Background(), io.Discard, openImage(t, path),
				templates.PackOptions{Progress: changeDuring(t, path, change)})
			require.Error(t, err)
			require.ErrorContains(t, err, path)
		})
	}
}

func TestCancelling(t *testing.T) {
	path, _ := sparseImage(t, 40<<20)
	cause := errors.New("the operator went home")
	for name, work := range map[string]func(ctx context.Context, stop func(templates.Progress)) error{
		"digest": func(ctx context.Context, stop func(templates.Progress)) error {
			_, err := templates.Digest(ctx, openImage(t, path), stop, hashutil.SHA1)
			return err
		},
		"pack": func(ctx context.Context, stop func(templates.Progress)) error {
			_, _, err := templates.Pack(ctx, io.Discard, openImage(t, path), templates.PackOptions{Progress: stop})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(context.Background())
			defer cancel(nil)
			require.ErrorIs(t, work(ctx, func(templates.Progress) { cancel(cause) }), cause)
		})
	}
}

func TestDigestOfEveryShape(t *testing.T) {
	for _, size := range []int64{7, 4096, 1 << 20, 1<<20 + 7, 3<<20 - 1} {
		path, content := sparseImage(t, size)
		got, err := templates.Digest(context.Background(), openImage(t, path), nil, hashutil.SHA1, hashutil.MD5)
		require.NoError(t, err)
		require.Equal(t, sums(t, content, hashutil.SHA1, hashutil.MD5), got, "%d bytes", size)
	}
}

func TestCopyKeepsHolesAndTime(t *testing.T) {
	path, content := sparseImage(t, 40<<20)
	when := time.Date(2020, 5, 1, 12, 0, 0, 0, time.UTC)
	require.NoError(t, os.Chtimes(path, when, when))
	ctx := context.Background()
	out := t.TempDir()
	d, err := publish.Open(ctx, out, publish.Options{})
	require.NoError(t, err)
	defer d.Close()
	set := d.NewSet("disk")
	defer set.Discard()
	f, err := set.Create("kubevirt/rhel7.img", 0)
	require.NoError(t, err)
	img := openImage(t, path)
	digests, err := templates.Copy(ctx, f, img, nil, hashutil.SHA1)
	require.NoError(t, err)
	require.NoError(t, set.Commit(ctx))
	require.Equal(t, sums(t, content, hashutil.SHA1), digests)

	copied := openImage(t, filepath.Join(out, "kubevirt", "rhel7.img"))
	require.Less(t, copied.Sizes.Allocated, int64(4<<20), "holes stay holes")
	require.True(t, copied.Stat().ModTime().Equal(when), "%s", copied.Stat().ModTime())
	back, err := os.ReadFile(filepath.Join(out, "kubevirt", "rhel7.img"))
	require.NoError(t, err)
	require.True(t, bytes.Equal(content, back))
}

func TestContentAndInspectXZ(t *testing.T) {
	path, content := sparseImage(t, 40<<20)
	var packed bytes.Buffer
	_, _, err := templates.Pack(context.Background(), &packed, openImage(t, path), templates.PackOptions{})
	require.NoError(t, err)
	fsys := fstest.MapFS{"h.xz": {Data: packed.Bytes()}, "plain": {Data: content}}
	for name, method := range map[string]string{"h.xz": "the content of the xz", "plain": "the bytes of the file"} {
		f, err := fsys.Open(name)
		require.NoError(t, err)
		h := hashutil.NewHasher(hashutil.SHA1)
		got, err := templates.Content(context.Background(), f, h)
		require.NoError(t, err)
		require.Equal(t, method, got)
		require.Equal(t, sums(t, content, hashutil.SHA1), h.Sums())
	}
	info, sizes, err := templates.InspectXZ(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	require.NoError(t, err)
	require.Equal(t, templates.Raw, info.Format)
	require.Equal(t, templates.Sizes{Virtual: 40 << 20, Apparent: 40 << 20, Packed: int64(packed.Len())}, sizes)
	_, _, err = templates.InspectXZ(bytes.NewReader(packed.Bytes()[:100]), 100)
	require.Error(t, err)
}

// TestContentOfOneLargeBlock: what a server packed with plain xz is one block, which is not held in memory.
func TestContentOfOneLargeBlock(t *testing.T) {
	path, content := sparseImage(t, 70<<20)
	copy(content, qcow2(3, nil))
	require.NoError(t, os.WriteFile(path, content, 0o600))
	var packed bytes.Buffer
	_, _, err := templates.Pack(context.Background(), &packed, openImage(t, path), templates.PackOptions{Level: xzpack.Fast, BlockSize: 128 << 20})
	require.NoError(t, err)
	f, err := fstest.MapFS{"h.xz": {Data: packed.Bytes()}}.Open("h.xz")
	require.NoError(t, err)
	h := hashutil.NewHasher(hashutil.SHA1, hashutil.SHA256)
	_, err = templates.NewContent(2)(context.Background(), f, h)
	require.NoError(t, err)
	require.Equal(t, sums(t, content, hashutil.SHA1, hashutil.SHA256), h.Sums())

	info, sizes, err := templates.InspectXZ(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	require.NoError(t, err)
	require.Equal(t, templates.QCOW2, info.Format)
	require.Equal(t, templates.Sizes{Virtual: 6 << 30, Apparent: 70 << 20, Packed: int64(packed.Len())}, sizes)
}

func ExamplePack() {
	dir, err := os.MkdirTemp("", "pack")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "el8.2-base")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	img, err := templates.OpenImageFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer img.Close()
	var out bytes.Buffer
	sizes, digests, err := templates.Pack(context.Background(), &out, img,
		templates.PackOptions{Content: []hashutil.Algorithm{hashutil.SHA1}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(sizes.Virtual, "bytes made smaller:", sizes.Packed < 1000)
	fmt.Println(digests.Content[hashutil.SHA1])
	// Output:
	// 1048576 bytes made smaller: true
	// 3b71f43ff30f4b15b5cd85dd9e95ebc7e84eb5a3
}
