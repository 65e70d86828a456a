package hashutil_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

func manyFiles(n int) files {
	tree := files{}
	for i := range n {
		name := fmt.Sprintf("d%d/f%03d.img", i%7, i)
		tree[name] = name
		tree[name+".sha1"] = sha1Of(name)
		if i%5 == 0 {
			tree[name+".sha1"] = hexSHA1
		}
		if i%11 == 0 {
			delete(tree, name+".sha1")
		}
	}
	return tree
}

func TestVerifyIsTheSameForAnyJobs(t *testing.T) {
	tree := manyFiles(200).fs()
	first := verify(t, tree, hashutil.VerifyOptions{Jobs: 1})
	require.Len(t, first.Files, 200)
	for _, jobs := range []int{0, 2, 7} {
		require.Equal(t, first, verify(t, tree, hashutil.VerifyOptions{Jobs: jobs}))
	}
}

func TestVerifyIsCancelled(t *testing.T) {
	cause := errors.New("interrupted")
	for _, jobs := range []int{1, 2} {
		t.Run(fmt.Sprint(jobs), func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			var read atomic.Int32
			stuck := func(ctx context.Context, _ fs.File, dst *hashutil.Hasher) (string, error) {
				if read.Add(1) == 3 {
					cancel(cause)
				}
				// A decoder that looks at nothing but its writer's errors.
				return "hole", dst.WriteZeros(1 << 24)
			}
			report, err := hashutil.Verify(ctx, manyFiles(200).fs(), hashutil.VerifyOptions{Jobs: jobs, Content: stuck})
			require.ErrorIs(t, err, cause)
			require.Nil(t, report)
			require.Less(t, read.Load(), int32(10))
		})
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	for _, names := range [][]string{nil, {"d0/f000.img"}} {
		_, err := hashutil.Verify(ctx, manyFiles(3).fs(), hashutil.VerifyOptions{Names: names})
		require.ErrorIs(t, err, cause)
	}
}

func TestVerifyNames(t *testing.T) {
	tree := files{
		"a": "x", "a.sha1": sha1Of("x"), "a.md5": "", "b": "x", "b.sha1": sha1Of("x"),
		"sub/c": "x", "sub/SHA1SUMS": sha1Of("x") + "  c\n" + sha1Of("x") + "  deep/d\n" + "rubbish\n", "sub/deep/d": "x",
		"el8.xz": packed(t, "x"), "el8": "x", "el8.hash": sha1Of("x"),
		"lone.sha1": "", "repo.metadata": "{}", ".hidden": "x", ".dir/e": "x",
	}.fs()
	tree["link"] = &fstest.MapFile{Mode: modeSymlink, Data: []byte("a")}
	cases := []struct {
		names []string
		want  []string
	}{
		{[]string{"a"}, []string{"a a.md5 malformed", "a a.sha1 ok"}},
		{[]string{"a.sha1"}, []string{"a a.sha1 ok"}},
		{[]string{"b", "a.sha1", "b"}, []string{"a a.sha1 ok", "b b.sha1 ok"}},
		{[]string{"sub/c"}, []string{"sub/c sub/SHA1SUMS ok"}},
		{[]string{"sub/SHA1SUMS"}, []string{"sub/SHA1SUMS sub/SHA1SUMS malformed", "sub/c sub/SHA1SUMS ok", "sub/deep/d sub/SHA1SUMS ok"}},
		{[]string{"sub"}, []string{"sub/SHA1SUMS sub/SHA1SUMS malformed", "sub/c sub/SHA1SUMS ok", "sub/deep/d sub/SHA1SUMS ok"}},
		{[]string{"sub/deep"}, []string{"sub/deep/d sub/deep/d.sha1 missing"}},
		{[]string{"el8.xz"}, []string{"el8.xz el8.hash ok"}},
		{[]string{"el8"}, []string{"el8 el8.hash ok"}},
		{[]string{"el8.hash"}, []string{"el8 el8.hash ok", "el8.xz el8.hash ok"}},
		{[]string{"lone.sha1"}, []string{"lone.sha1 lone.sha1 orphan"}},
		{[]string{"lone"}, []string{"lone.sha1 lone.sha1 orphan"}},
		{[]string{"nothing", "none/at/all"}, []string{"none/at/all  unreadable", "nothing  unreadable"}},
		{[]string{"repo.metadata"}, []string{"repo.metadata repo.metadata.hash missing"}},
		{[]string{".hidden"}, []string{".hidden .hidden.hash missing"}},
		{[]string{"link"}, []string{"link link.hash unreadable"}},
		{[]string{}, []string{}},
	}
	for _, tc := range cases {
		t.Run(strings.Join(tc.names, ","), func(t *testing.T) {
			require.Equal(t, tc.want, short(verify(t, tree, hashutil.VerifyOptions{Names: tc.names})))
		})
	}
	all, dot := verify(t, tree, hashutil.VerifyOptions{}), verify(t, tree, hashutil.VerifyOptions{Names: []string{"."}})
	require.Equal(t, short(all), short(dot))
}

func TestVerifyProgress(t *testing.T) {
	const size = 10 << 20
	tree := files{"a": strings.Repeat("x", size), "a.sha1": hexSHA1, "b": "x", "b.sha1": sha1Of("x")}
	var seen []hashutil.Progress
	verify(t, tree.fs(), hashutil.VerifyOptions{Progress: func(p hashutil.Progress) { seen = append(seen, p) }})
	require.NotEmpty(t, seen)
	last := seen[len(seen)-1]
	require.Equal(t, 2, last.Checked)
	require.Equal(t, 2, last.Files)
	i := slices.IndexFunc(seen, func(p hashutil.Progress) bool { return p.Path == "a" && p.Done >= size/2 })
	require.GreaterOrEqual(t, i, 0)
	require.EqualValues(t, size, seen[i].Total)
}

func TestVerifyOnDisk(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	write("r.img", "x")
	write("r.img.sha1", sha1Of("x"))
	require.NoError(t, os.Symlink("r.img", filepath.Join(dir, "l.img")))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	for _, fsys := range []fs.FS{os.DirFS(dir), root.FS()} {
		require.Equal(t, []string{"l.img l.img.sha1 unreadable", "r.img r.img.sha1 ok"}, short(verify(t, fsys, hashutil.VerifyOptions{})))
	}
}
