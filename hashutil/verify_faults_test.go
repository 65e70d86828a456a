package hashutil_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

const modeSymlink = fs.ModeSymlink

// countingFS counts how often a file was opened.
type countingFS struct {
	fs.FS
	mu     sync.Mutex
	opened map[string]int
}

func (c *countingFS) Open(name string) (fs.File, error) {
	c.mu.Lock()
	if c.opened == nil {
		c.opened = map[string]int{}
	}
	c.opened[name]++
	c.mu.Unlock()
	return c.FS.Open(name)
}

func TestVerifyOpensNothingIrregular(t *testing.T) {
	tree := fstest.MapFS{
		"dev":        {Mode: fs.ModeDevice | 0o600},
		"fifo":       {Mode: fs.ModeNamedPipe | 0o600},
		"link":       {Mode: fs.ModeSymlink | 0o777, Data: []byte("/etc/shadow")},
		"sock":       {Mode: fs.ModeSocket | 0o600},
		"odd":        {Mode: fs.ModeIrregular | 0o600},
		"a":          {Data: []byte("x")},
		"a.sha1":     {Mode: fs.ModeNamedPipe | 0o600},
		"b":          {Data: []byte("x")},
		"b.sha1":     {Mode: fs.ModeSymlink | 0o777, Data: []byte("/etc/shadow")},
		"c":          {Mode: fs.ModeSymlink | 0o777, Data: []byte("a")},
		"c.sha1":     {Data: []byte(sha1Of("x"))},
		"index":      {Mode: fs.ModeSymlink | 0o777, Data: []byte("a")},
		"dir/d.sha1": {Data: []byte(sha1Of("x"))},
		"dir/d":      {Mode: fs.ModeDir | 0o755},
	}
	counting := &countingFS{FS: tree}
	report := verify(t, counting, hashutil.VerifyOptions{})
	require.Equal(t, []string{
		"a a.sha1 unreadable", "b b.sha1 unreadable", "c c.sha1 unreadable", "dev dev.sha1 unreadable",
		"dir/d.sha1 dir/d.sha1 orphan", "fifo fifo.sha1 unreadable", "link link.sha1 unreadable",
		"odd odd.sha1 unreadable", "sock sock.sha1 unreadable",
	}, short(report))
	reasons := map[string]string{}
	for _, f := range report.Files {
		reasons[f.Path] = f.Reason
	}
	require.Equal(t, "its sidecar cannot be read: expected a regular file, found a named pipe", reasons["a"])
	require.Equal(t, "expected a regular file, found a symbolic link", reasons["c"])
	require.Equal(t, "expected a regular file, found a device", reasons["dev"])
	require.Equal(t, "expected a regular file, found a socket", reasons["sock"])
	require.Equal(t, "expected a regular file, found a special file", reasons["odd"])
	require.Empty(t, report.Repairs(), "a link is not replaced by a file unasked")
	for _, name := range []string{"dev", "fifo", "link", "sock", "odd", "a.sha1", "b.sha1", "c", "index"} {
		require.Zero(t, counting.opened[name], name)
	}
}

// shifting is a file system in which the file called a changes under the
// reader's hands: stats is asked for each of its stats, counted from 1.
type shifting struct {
	fstest.MapFS
	stats func(n int) (size int64, mod time.Time)
	n     int
}

type shiftingFile struct {
	fs.File
	fsys *shifting
}

type shiftingInfo struct {
	fs.FileInfo
	size int64
	mod  time.Time
}

func (i shiftingInfo) Size() int64        { return i.size }
func (i shiftingInfo) ModTime() time.Time { return i.mod }

func (s *shifting) Open(name string) (fs.File, error) {
	f, err := s.MapFS.Open(name)
	if err != nil || name != "a" {
		return f, err
	}
	return &shiftingFile{f, s}, nil
}

func (f *shiftingFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	if err != nil {
		return nil, err
	}
	f.fsys.n++
	size, mod := f.fsys.stats(f.fsys.n)
	return shiftingInfo{info, size, mod}, nil
}

func TestVerifyFileThatChanges(t *testing.T) {
	began := time.Unix(1_000_000_000, 0)
	cases := []struct {
		name   string
		stats  func(n int) (int64, time.Time)
		want   hashutil.Status
		reason string
	}{
		{"not at all", func(int) (int64, time.Time) { return 4, began }, hashutil.StatusOK, ""},
		{"grew before it was hashed", func(n int) (int64, time.Time) { return 4 + int64(n/2), began }, hashutil.StatusUnreadable, "it changed while it was read: 4 bytes"},
		{"touched while it was hashed", func(n int) (int64, time.Time) { return 4, began.Add(time.Duration(n / 3)) }, hashutil.StatusUnreadable, "it changed while it was read"},
		{"holds less than it says", func(int) (int64, time.Time) { return 5, began }, hashutil.StatusUnreadable, "short or long read: expected 5 bytes, got 4"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tree := files{"a": "disk", "a.sha1": sha1Of("disk")}.fs()
			fsys := &shifting{MapFS: tree, stats: tc.stats}
			report := verify(t, fsys, hashutil.VerifyOptions{})
			require.Equal(t, []string{"a a.sha1 " + string(tc.want)}, short(report))
			if tc.want != hashutil.StatusOK {
				require.Contains(t, report.Files[0].Reason, tc.reason)
				require.Empty(t, report.Files[0].Got)
			}
		})
	}
}

// failing fails to open or list some files.
type failing struct {
	fstest.MapFS
	bad map[string]error
}

func (f failing) Open(name string) (fs.File, error) {
	if err := f.bad[name]; err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f.MapFS.Open(name)
}

func (f failing) ReadDir(name string) ([]fs.DirEntry, error) {
	if err := f.bad[name]; err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return f.MapFS.ReadDir(name)
}

func TestVerifyGoesOnAfterFailures(t *testing.T) {
	tree := failing{
		files{"a": "x", "a.sha1": sha1Of("x"), "b": "x", "b.sha1": sha1Of("x"), "c": "x", "c.sha1": sha1Of("x"), "dir/d": "x", "SHA1SUMS": ""}.fs(),
		map[string]error{"a": fs.ErrPermission, "b.sha1": fs.ErrPermission, "dir": fs.ErrPermission, "SHA1SUMS": fs.ErrPermission},
	}
	report := verify(t, tree, hashutil.VerifyOptions{})
	require.Equal(t, []string{
		"SHA1SUMS SHA1SUMS unreadable", "a a.sha1 unreadable", "b b.sha1 unreadable", "c c.sha1 ok", "dir  unreadable",
	}, short(report))
	require.Contains(t, report.Files[1].Reason, "permission denied")
	require.Contains(t, report.Files[2].Reason, "its sidecar cannot be read: open b.sha1: permission denied")

	tree.bad["."] = fs.ErrPermission
	_, err := hashutil.Verify(t.Context(), tree, hashutil.VerifyOptions{})
	require.ErrorIs(t, err, fs.ErrPermission)
	_, err = hashutil.Verify(t.Context(), os.DirFS(filepath.Join(t.TempDir(), "absent")), hashutil.VerifyOptions{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestVerifyRefusesWrongOptions(t *testing.T) {
	_, err := hashutil.Verify(t.Context(), files{}.fs(), hashutil.VerifyOptions{Jobs: -1})
	require.ErrorContains(t, err, "-1 jobs: expected 0 for all processors")
	for _, name := range []string{"../a", "/a", "a/", ""} {
		_, err = hashutil.Verify(t.Context(), files{}.fs(), hashutil.VerifyOptions{Names: []string{name}})
		require.ErrorContains(t, err, "expected a path below the root")
	}
}

func TestVerifyWithoutDecoder(t *testing.T) {
	tree := files{"el8.xz": packed(t, "x"), "el8.hash": sha1Of("x"), "b.xz": packed(t, "x"), "b.xz.sha1": sha1Of(packed(t, "x")), "c": "x", "c.hash": sha1Of("x")}
	report, err := hashutil.Verify(t.Context(), tree.fs(), hashutil.VerifyOptions{})
	require.NoError(t, err)
	require.Equal(t, []string{"b.xz b.xz.sha1 ok", "c c.hash ok", "el8.xz el8.hash unreadable"}, short(report))
	require.Equal(t, "bytes as they are", report.Files[0].Method)
	require.Contains(t, report.Files[2].Reason, "no xz decoder was given")
}

func TestVerifyDecoderPanics(t *testing.T) {
	tree := files{"el8.xz": packed(t, "x"), "el8.hash": sha1Of("x"), "ok": "x", "ok.sha1": sha1Of("x")}
	panics := func(ctx context.Context, f fs.File, dst *hashutil.Hasher) (string, error) {
		if info, _ := f.Stat(); info.Name() == "el8.xz" {
			panic("index out of range")
		}
		return content(ctx, f, dst)
	}
	report := verify(t, tree.fs(), hashutil.VerifyOptions{Content: panics})
	require.Equal(t, []string{"el8.xz el8.hash unreadable", "ok ok.sha1 ok"}, short(report))
	require.Contains(t, report.Files[0].Reason, "its decoder panicked: index out of range")
}

func TestVerifyReasonsArePrintable(t *testing.T) {
	tree := files{"el8.xz": packed(t, "x"), "el8.hash": sha1Of("x")}
	rude := func(context.Context, fs.File, *hashutil.Hasher) (string, error) {
		return "", errors.New("\x1b[2J\xff" + strings.Repeat("long ", 1000))
	}
	reason := verify(t, tree.fs(), hashutil.VerifyOptions{Content: rude}).Files[0].Reason
	require.NotContains(t, reason, "\x1b")
	require.Less(t, len(reason), 1100)
}
