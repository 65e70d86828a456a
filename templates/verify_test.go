package templates_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// packedTree makes a tree with repo/el8.xz, its right el8.hash, and
// kubevirt/rhel7.img without a sidecar. It gives the tree's path and the SHA-1
// of the image's content.
func packedTree(t testing.TB) (root, sha1 string) {
	t.Helper()
	root = t.TempDir()
	path, content := sparseImage(t, 3<<20)
	ctx := context.Background()
	for _, d := range []string{"repo", "kubevirt"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, d), 0o755))
	}
	img := openImage(t, path)
	err := publish.WriteFile(ctx, filepath.Join(root, "repo", "el8.xz"), publish.FileOptions{}, func(f *publish.File) error {
		_, _, err := templates.Pack(ctx, f, img, templates.PackOptions{})
		return err
	})
	require.NoError(t, err)
	sha1 = sums(t, content, hashutil.SHA1)[hashutil.SHA1]
	require.NoError(t, os.WriteFile(filepath.Join(root, "repo", "el8.hash"), []byte(sha1), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(root, "kubevirt", "rhel7.img"), content, 0o644))
	return root, sha1
}

func statuses(r *hashutil.VerifyReport) map[string]hashutil.Status {
	m := make(map[string]hashutil.Status)
	for _, f := range r.Files {
		m[f.Path] = f.Status
	}
	return m
}

func TestVerifyHashesAndUpdate(t *testing.T) {
	root, sha1 := packedTree(t)
	ctx := context.Background()
	xzPath, imgPath := filepath.Join(root, "repo", "el8.xz"), filepath.Join(root, "kubevirt", "rhel7.img")
	r, err := templates.VerifyHashes(ctx, []string{root}, templates.VerifyOptions{})
	require.NoError(t, err)
	require.Equal(t, map[string]hashutil.Status{xzPath: hashutil.StatusOK, imgPath: hashutil.StatusMissing}, statuses(r))

	packed, err := os.ReadFile(xzPath)
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		hash string
		want hashutil.Status
	}{
		"mismatch":   {"da39a3ee5e6b4b0d3255bfef95601890afd80709", hashutil.StatusMismatch},
		"compressed": {sums(t, packed, hashutil.SHA1)[hashutil.SHA1], hashutil.StatusCompressed},
		"malformed":  {"not a digest", hashutil.StatusMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			hashPath := filepath.Join(root, "repo", "el8.hash")
			require.NoError(t, os.WriteFile(hashPath, []byte(tt.hash), 0o644))
			r, err := templates.VerifyHashes(ctx, []string{xzPath}, templates.VerifyOptions{})
			require.NoError(t, err)
			require.Equal(t, map[string]hashutil.Status{xzPath: tt.want}, statuses(r))

			r, err = templates.VerifyHashes(ctx, []string{root}, templates.VerifyOptions{Update: true, DryRun: true})
			require.NoError(t, err)
			require.Equal(t, tt.want, statuses(r)[xzPath])
			require.Contains(t, r.Files[1].Reason, "it would be written")
			text, err := os.ReadFile(hashPath)
			require.NoError(t, err)
			require.Equal(t, tt.hash, string(text), "a dry run writes nothing")

			r, err = templates.VerifyHashes(ctx, []string{filepath.Join(root, "repo")}, templates.VerifyOptions{Update: true})
			require.NoError(t, err)
			require.True(t, r.OK(), "%+v", r.Files)
			require.Contains(t, r.Files[0].Reason, fmt.Sprintf("it was %s", tt.want))
			text, err = os.ReadFile(hashPath)
			require.NoError(t, err)
			require.Equal(t, sha1, string(text))
		})
	}
	r, err = templates.VerifyHashes(ctx, []string{root}, templates.VerifyOptions{Update: true})
	require.NoError(t, err)
	require.True(t, r.OK(), "%+v", r.Files)
	text, err := os.ReadFile(imgPath + ".sha1")
	require.NoError(t, err)
	require.Equal(t, sha1+"\n", string(text))
	after, err := os.ReadFile(xzPath)
	require.NoError(t, err)
	require.Equal(t, packed, after, "no image is touched")
}

func TestVerifyHashesTellsWhereAnXZIsDamaged(t *testing.T) {
	root, _ := packedTree(t)
	path := filepath.Join(root, "repo", "el8.xz")
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b[len(b)/3] ^= 0x40
	require.NoError(t, os.WriteFile(path, b, 0o644))
	r, err := templates.VerifyHashes(context.Background(), []string{path}, templates.VerifyOptions{Update: true})
	require.NoError(t, err)
	require.Equal(t, hashutil.StatusUnreadable, r.Files[0].Status)
	require.Contains(t, r.Files[0].Reason, "block 1")
	require.False(t, r.OK())
}

func TestVerifyHashesKubeVirtRoot(t *testing.T) {
	root, sha1 := packedTree(t)
	dir := filepath.Join(root, "kubevirt")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rhel7.img.sha1"), []byte(sha1+"  rhel7.img\n"), 0o644))
	for _, p := range []string{dir, root} {
		r, err := templates.VerifyHashes(context.Background(), []string{p}, templates.VerifyOptions{Jobs: 1})
		require.NoError(t, err)
		require.Equal(t, hashutil.StatusMalformed, statuses(r)[filepath.Join(dir, "rhel7.img")], p)
	}
}

func TestVerifyHashesErrors(t *testing.T) {
	root, _ := packedTree(t)
	r, err := templates.VerifyHashes(context.Background(), []string{filepath.Join(root, "absent"), root}, templates.VerifyOptions{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Len(t, r.Files, 2, "the other path is still verified")

	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	_, err = templates.VerifyHashes(ctx, []string{root}, templates.VerifyOptions{
		Progress: func(hashutil.Progress) { cancel(cause) }})
	require.ErrorIs(t, err, cause)

	// A link in the sidecar's place is left alone.
	target := filepath.Join(root, "target")
	require.NoError(t, os.Remove(filepath.Join(root, "repo", "el8.hash")))
	require.NoError(t, os.Symlink(target, filepath.Join(root, "repo", "el8.hash")))
	r, err = templates.VerifyHashes(context.Background(), []string{filepath.Join(root, "repo")}, templates.VerifyOptions{Update: true})
	require.NoError(t, err)
	require.Equal(t, map[hashutil.Status]int{hashutil.StatusUnreadable: 1}, r.Summary, "%+v", r.Files)
	_, err = os.Lstat(target)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestNewContentSharesItsWorkers(t *testing.T) {
	path, content := sparseImage(t, 3<<20)
	var packed bytes.Buffer
	_, _, err := templates.Pack(context.Background(), &packed, openImage(t, path), templates.PackOptions{BlockSize: 1 << 20})
	require.NoError(t, err)
	fsys := fstest.MapFS{"h.xz": {Data: packed.Bytes()}}
	want := sums(t, content, hashutil.SHA1)
	for _, jobs := range []int{0, 1, 2, 7} {
		feed := templates.NewContent(jobs)
		var g errgroup.Group
		for range 8 {
			g.Go(func() error {
				f, err := fsys.Open("h.xz")
				if err != nil {
					return err
				}
				h := hashutil.NewHasher(hashutil.SHA1)
				if _, err := feed(context.Background(), f, h); err != nil {
					return err
				}
				if got := h.Sums(); !maps.Equal(got, want) {
					return fmt.Errorf("got %v, want %v", got, want)
				}
				return nil
			})
		}
		require.NoError(t, g.Wait(), "%d jobs", jobs)
	}

	// One that waits for workers gives up when its context does.
	feed := templates.NewContent(1)
	f, err := fsys.Open("h.xz")
	require.NoError(t, err)
	cause := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	_, err = feed(ctx, f, hashutil.NewHasher(hashutil.SHA1))
	require.ErrorIs(t, err, cause)
}
