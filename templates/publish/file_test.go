//go:build unix

package publish_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

// Every way of writing gives the same file, whatever is hashed, announced or preallocated.
func TestWaysOfWriting(t *testing.T) {
	const hole = 3 << 20
	head, tail := bytes.Repeat([]byte("head"), 300<<10), bytes.Repeat([]byte("tail"), 500<<10)
	want := append(append(append([]byte{}, head...), make([]byte, hole)...), tail...)
	want = append(want, make([]byte, hole)...)
	ways := map[string]func(t *testing.T, f *publish.File){
		"Write": func(t *testing.T, f *publish.File) {
			for part := want; len(part) > 0; part = part[min(len(part), 100_000):] {
				n, err := f.Write(part[:min(len(part), 100_000)])
				require.NoError(t, err)
				require.Equal(t, min(len(part), 100_000), n)
			}
		},
		"Write and WriteZeros": func(t *testing.T, f *publish.File) {
			_, err := f.Write(head)
			require.NoError(t, err)
			require.NoError(t, f.WriteZeros(1))
			require.NoError(t, f.WriteZeros(hole-1))
			require.NoError(t, f.WriteZeros(0))
			_, err = f.Write(tail)
			require.NoError(t, err)
			require.NoError(t, f.WriteZeros(hole))
		},
		"ReadFrom a reader": func(t *testing.T, f *publish.File) {
			n, err := f.ReadFrom(iotest.HalfReader(bytes.NewReader(want)))
			require.NoError(t, err)
			require.EqualValues(t, len(want), n)
		},
		"ReadFrom a file": func(t *testing.T, f *publish.File) {
			src := filepath.Join(t.TempDir(), "src")
			require.NoError(t, os.WriteFile(src, want, 0o644))
			r, err := os.Open(src)
			require.NoError(t, err)
			defer r.Close()
			_, err = r.Seek(int64(len(head)), io.SeekStart)
			require.NoError(t, err)
			_, err = f.Write(head)
			require.NoError(t, err)
			n, err := io.Copy(f, r)
			require.NoError(t, err)
			require.EqualValues(t, len(want)-len(head), n)
		},
		"File": func(t *testing.T, f *publish.File) {
			_, err := f.File().WriteAt(tail, int64(len(head)+hole))
			require.NoError(t, err)
			_, err = f.File().WriteAt(head, 0)
			require.NoError(t, err)
			require.NoError(t, f.File().Truncate(int64(len(want))))
		},
	}
	for name, write := range ways {
		for mode, opt := range map[string]publish.Options{
			"small": {Reserve: -1}, "none": {Reserve: -1, Verify: publish.VerifyNone}, "all": {Reserve: -1, Verify: publish.VerifyAll},
		} {
			for hintName, hint := range map[string]int64{"no hint": 0, "right": int64(len(want)), "too small": 2 << 20, "too big": 20 << 20} {
				t.Run(name+"/"+mode+"/"+hintName, func(t *testing.T) {
					dir := quickDir(t)
					if mode == "small" && hint > 2<<20 {
						dir = t.TempDir() // most likely of another kind, with its own ideas of preallocation
					}
					d := open(t, dir, opt)
					set := d.NewSet("")
					f, err := set.Create("f", hint)
					require.NoError(t, err)
					write(t, f)
					require.NoError(t, f.Close())
					require.NoError(t, f.Close())
					_, err = f.Write([]byte("x"))
					require.ErrorContains(t, err, "closed")
					require.Error(t, f.WriteZeros(1))
					_, err = f.ReadFrom(strings.NewReader("x"))
					require.Error(t, err)
					require.Nil(t, f.File())
					require.NoError(t, set.Commit(context.Background()))
					got, err := os.ReadFile(filepath.Join(dir, "f"))
					require.NoError(t, err)
					require.True(t, bytes.Equal(want, got))
					info, err := os.Stat(filepath.Join(dir, "f"))
					require.NoError(t, err)
					blocks := info.Sys().(*syscall.Stat_t).Blocks * 512
					if name == "Write and WriteZeros" || name == "File" {
						require.Less(t, blocks, int64(len(head)+len(tail)+1<<20), "holes stay holes, and what was set aside is given back")
					} else {
						require.Less(t, blocks, int64(len(want)+1<<20))
					}
				})
			}
		}
	}
}

// A file whose writing failed once is not published, even if nobody looked at the error.
func TestFailedWriteIsNotPublished(t *testing.T) {
	for _, op := range []string{"write", "punch", "preallocate", "truncate", "chtimes", "close"} {
		t.Run(op, func(t *testing.T) {
			dir := t.TempDir()
			fail := true
			step := func(o, name string) error {
				if o == op && name == "f" && fail {
					fail = false
					return syscall.EIO
				}
				return nil
			}
			d := open(t, dir, publish.WithStep(small, step))
			set := d.NewSet("")
			f, err := set.Create("f", 4<<20)
			require.NoError(t, err)
			f.SetModTime(testTime)
			_, _ = f.Write([]byte("text"))
			_ = f.WriteZeros(1 << 20)
			err = set.Commit(context.Background())
			if fail {
				t.Skip("not done on this file system")
			}
			require.ErrorIs(t, err, syscall.EIO)
			require.ErrorContains(t, err, `"f"`)
			require.NoFileExists(t, filepath.Join(dir, "f"))
		})
	}
	t.Run("reader", func(t *testing.T) {
		broken := errors.New("broken")
		for _, size := range []int64{0, 2 << 20} {
			dir := t.TempDir()
			d := open(t, dir, small)
			set := d.NewSet("")
			f, err := set.Create("f", size)
			require.NoError(t, err)
			_, err = f.ReadFrom(io.MultiReader(strings.NewReader("some"), iotest.ErrReader(broken)))
			require.ErrorIs(t, err, broken)
			require.ErrorIs(t, set.Commit(context.Background()), broken)
			require.Empty(t, tree(t, dir)["f"])
		}
	})
	t.Run("negative zeros", func(t *testing.T) {
		d := open(t, t.TempDir(), small)
		f, err := d.NewSet("").Create("f", 0)
		require.NoError(t, err)
		require.ErrorContains(t, f.WriteZeros(-1), "-1")
	})
}

// The bytes on the disk change between writing and reading back.
func TestVerifyFindsDamage(t *testing.T) {
	for name, tt := range map[string]struct {
		verify publish.VerifyMode
		size   int
		found  bool
	}{
		"small file": {publish.VerifySmall, 100, true},
		"big file":   {publish.VerifySmall, 2 << 20, false},
		"all":        {publish.VerifyAll, 2 << 20, true},
		"none":       {publish.VerifyNone, 100, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			damage := func(op, name string) error {
				if op == "sync-file" {
					found, err := filepath.Glob(filepath.Join(dir, ".tplkit/set-000001/.f0-*"))
					require.NoError(t, err)
					require.Len(t, found, 1)
					w, err := os.OpenFile(found[0], os.O_WRONLY, 0)
					require.NoError(t, err)
					_, err = w.WriteAt([]byte("!"), 50)
					require.NoError(t, err)
					require.NoError(t, w.Close())
				}
				return nil
			}
			opt := small
			opt.Verify = tt.verify
			err := publishOnce(dir, publish.WithStep(opt, damage), []file{{"f", strings.Repeat("x", tt.size)}})
			if tt.found {
				require.ErrorContains(t, err, `"f": the file system gave back other bytes`)
				require.Empty(t, tree(t, dir))
			} else {
				require.NoError(t, err)
			}
		})
	}
}
