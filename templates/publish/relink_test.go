//go:build unix

package publish_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

func openRoot(t *testing.T, dir string) *os.Root {
	t.Helper()
	r, err := os.OpenRoot(dir)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestLinkAndMove(t *testing.T) {
	for name, tt := range map[string]struct {
		do    func(from *os.Root, old string, to *os.Root, name string) error
		stays bool
	}{
		"link": {publish.Link, true},
		"move": {publish.Move, false},
	} {
		t.Run(name, func(t *testing.T) {
			src, dst := t.TempDir(), t.TempDir()
			require.NoError(t, os.MkdirAll(filepath.Join(src, "rhel8"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(src, "rhel8", "disk.img"), []byte("disk"), 0o644))
			require.NoError(t, os.WriteFile(filepath.Join(src, "other"), []byte("other"), 0o644))
			require.NoError(t, os.Symlink("rhel8", filepath.Join(src, "alias")))
			from, to := openRoot(t, src), openRoot(t, dst)
			before, err := from.Stat("rhel8/disk.img")
			require.NoError(t, err)

			require.Error(t, tt.do(from, "alias/disk.img", to, "rhel8.qcow2"), "no link is followed")
			require.NoError(t, tt.do(from, "rhel8/disk.img", to, "rhel8.qcow2"))
			require.NoError(t, publish.SyncDir(to))
			after, err := to.Stat("rhel8.qcow2")
			require.NoError(t, err)
			require.True(t, os.SameFile(before, after))
			_, err = from.Stat("rhel8/disk.img")
			if tt.stays {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, fs.ErrNotExist)
			}

			err = tt.do(from, "other", to, "rhel8.qcow2")
			require.ErrorIs(t, err, publish.ErrExists)
			text, err := to.ReadFile("rhel8.qcow2")
			require.NoError(t, err)
			require.Equal(t, "disk", string(text), "nothing is replaced")

			require.ErrorIs(t, tt.do(from, "absent", to, "x"), fs.ErrNotExist)
			for _, bad := range []string{"", ".", "..", "../other", "/other", "a//b"} {
				require.ErrorContains(t, tt.do(from, bad, to, "x"), "expected the path", bad)
				require.ErrorContains(t, tt.do(from, "other", to, bad), "expected the path", bad)
			}
		})
	}
}

func ExampleLink() {
	dir, err := os.MkdirTemp("", "link")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer root.Close()
	if err := root.WriteFile("disk.img", []byte("disk"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(publish.Link(root, "disk.img", root, "rhel8.qcow2"))
	fmt.Println(publish.Move(root, "disk.img", root, "rhel8.qcow2"))
	// Output:
	// <nil>
	// "rhel8.qcow2": exists already
}
