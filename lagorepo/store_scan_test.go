package lagorepo_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

func TestScanStoreStates(t *testing.T) {
	raw, original := disk(1, 300_000), qcow2(0)
	hash := []byte(sha1Hex(original))
	type files map[string][]byte
	for name, tc := range map[string]struct {
		files            files // by suffix of el8
		state            lagorepo.EntryState
		source, original string
		packed           bool
		reason, err      string
	}{
		"complete": {files{"": raw, ".hash": hash, ".metadata": []byte(el8Metadata)},
			lagorepo.Complete, el8, "", false, "", ""},
		"complete, with lock and users": {files{"": raw, ".hash": hash, ".metadata": []byte(el8Metadata), ".lock": nil, ".users": []byte("{}")},
			lagorepo.Complete, el8, "", false, "", ""},
		"no hash": {files{"": raw, ".metadata": []byte(el8Metadata)},
			lagorepo.Incomplete, el8, "", false, "holds no .hash for it", ""},
		"no metadata": {files{"": raw, ".hash": hash},
			lagorepo.Incomplete, el8, "", false, "holds no .metadata for it", ""},
		"disk alone": {files{"": raw},
			lagorepo.Incomplete, el8, "", false, "holds no .hash and no .metadata for it", ""},
		"interrupted, download intact": {files{"": raw[:1000], ".hash": hash, ".metadata": []byte(el8Metadata), ".tmp": original},
			lagorepo.Interrupted, el8 + ".tmp", el8 + ".tmp", false, "matches .hash and is taken in its place", ""},
		"interrupted before the conversion": {files{".hash": hash, ".tmp": original},
			lagorepo.Interrupted, el8 + ".tmp", el8 + ".tmp", false, "matches .hash", ""},
		"interrupted, download still packed": {files{"": raw[:1000], ".hash": hash, ".tmp.xz": xz(t, original)},
			lagorepo.Interrupted, el8 + ".tmp.xz", el8 + ".tmp.xz", true, "matches .hash", ""},
		"interrupted, unpacking cut off": {files{".hash": hash, ".tmp": original[:500], ".tmp.xz": xz(t, original)},
			lagorepo.Interrupted, el8 + ".tmp.xz", el8 + ".tmp.xz", true, "matches .hash", ""},
		"interrupted, packed under .tmp": {files{".hash": hash, ".tmp": xz(t, original)},
			lagorepo.Interrupted, el8 + ".tmp", el8 + ".tmp", true, "matches .hash", ""},
		"interrupted, download bad, disk proven": {files{"": raw, ".hash": []byte(sha1Hex(raw)), ".tmp": original},
			lagorepo.Interrupted, el8, "", false, "the disk matches .hash: it is whole", ""},
		"interrupted, both bad": {files{"": raw, ".hash": hash, ".tmp": original[:1000]},
			lagorepo.Refused, "", "", false, "", "the download is of no use"},
		"interrupted, packed download cut off": {files{"": raw, ".hash": hash, ".tmp.xz": xz(t, original)[:100]},
			lagorepo.Refused, "", "", false, "", `phx_repo:el8.2-base:v1.tmp.xz\" cannot be read`},
		"interrupted, no hash": {files{"": raw, ".tmp": original},
			lagorepo.Refused, "", "", false, "", "nothing tells whether the disk or the download is whole"},
		"download": {files{".tmp": original},
			lagorepo.Unfinished, "", "", false, "the download did not finish: nothing to recover", ""},
		"packed download": {files{".tmp.xz": xz(t, original), ".metadata": []byte(el8Metadata), ".lock": nil},
			lagorepo.Unfinished, "", "", false, "the download did not finish", ""},
		"download with an old hash": {files{".tmp": original[:1000], ".hash": hash},
			lagorepo.Unfinished, "", "", false, "the download did not finish (", ""},
		"sidecars alone": {files{".hash": hash, ".metadata": []byte(el8Metadata)},
			lagorepo.NoDisk, "", "", false, "only .hash, .metadata: nothing to recover", ""},
		"lock alone": {files{".lock": nil},
			lagorepo.NoDisk, "", "", false, "only .lock", ""},
		"packed by hand": {files{".xz": xz(t, raw), ".hash": hash},
			lagorepo.NoDisk, "", "", false, "only .hash, .xz", ""},
		"hash in another form": {files{"": raw, ".hash": []byte(strings.ToUpper(string(hash)) + "\r\n"), ".metadata": []byte("{}")},
			lagorepo.Complete, el8, "", false, "", ""},
		"hash too short": {files{"": raw, ".hash": hash[:39], ".metadata": []byte("{}")},
			lagorepo.Refused, "", "", false, "", `"phx_repo:el8.2-base:v1.hash": `},
		"hash empty": {files{"": raw, ".hash": nil, ".metadata": []byte("{}")},
			lagorepo.Refused, "", "", false, "", "remove it to go on without it"},
		"hash huge": {files{"": raw, ".hash": make([]byte, 10_000), ".metadata": []byte("{}")},
			lagorepo.Refused, "", "", false, "", "at most 4096 bytes"},
		"metadata not JSON": {files{"": raw, ".hash": hash, ".metadata": []byte("<html>")},
			lagorepo.Refused, "", "", false, "", `"phx_repo:el8.2-base:v1.metadata": line 1: must be JSON`},
		"metadata with duplicates": {files{"": raw, ".metadata": []byte(`{"x":{"a":1,"a":2}}`)},
			lagorepo.Refused, "", "", false, "", `the key "a" must occur once`},
		"metadata deep": {files{"": raw, ".metadata": []byte(`{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + "}")},
			lagorepo.Refused, "", "", false, "", "must nest at most 32 deep"},
		"metadata huge": {files{"": raw, ".metadata": make([]byte, 1<<20+1)},
			lagorepo.Refused, "", "", false, "", "must be at most 1048576 bytes long"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStore(t)
			for suffix, data := range tc.files {
				s.put(el8+suffix, data)
			}
			before := snapshot(t, s.dir)
			entries := s.scan()
			require.Equal(t, before, snapshot(t, s.dir), "a scan changes nothing")
			require.Len(t, entries, 1)
			e := entries[0]
			require.Equal(t, tc.state, e.State, "%v %s", e.Err, e.Reason)
			require.Equal(t, el8, e.Name)
			require.Equal(t, tc.source, e.Source())
			require.Equal(t, tc.original, e.Original)
			require.Equal(t, tc.packed, e.OriginalPacked)
			require.Contains(t, e.Reason, tc.reason)
			if tc.reason == "" && tc.state == lagorepo.Complete {
				require.Empty(t, e.Reason)
			}
			if tc.err != "" {
				require.ErrorContains(t, e.Err, strings.ReplaceAll(tc.err, `\"`, `"`))
				require.ErrorContains(t, e.Err, el8, "the error names the entry")
			} else {
				require.NoError(t, e.Err)
			}
			if src := e.Source(); src != "" {
				require.EqualValues(t, len(tc.files[strings.TrimPrefix(src, el8)]), e.Size)
				require.True(t, stamp.Equal(e.ModTime))
			}
		})
	}
}

// What is called like a template and is no regular file is refused by name; what
// is called otherwise is a stranger.
func TestScanStoreSpecialFiles(t *testing.T) {
	fsys := fstest.MapFS{
		"r:link:v1":          {Mode: fs.ModeSymlink, Data: []byte("/etc/shadow")},
		"r:fifo:v1":          {Mode: fs.ModeNamedPipe},
		"r:socket:v1":        {Mode: fs.ModeSocket},
		"r:device:v1":        {Mode: fs.ModeDevice},
		"r:dir:v1":           {Mode: fs.ModeDir},
		"r:hashlink:v1":      {Data: []byte("x")},
		"r:hashlink:v1.hash": {Mode: fs.ModeSymlink, Data: []byte("x")},
		"r:tmpfifo:v1.tmp":   {Mode: fs.ModeNamedPipe},
		"r:ok:v1":            {Data: []byte("x")},
		"r:ok:v1.lock":       {Mode: fs.ModeDir},
		"r:ok:v1.users":      {Mode: fs.ModeSymlink, Data: []byte("x")},
		"r:..:v1":            {Data: []byte("x")},
		"host-7f.123-456":    {Data: []byte("of Python's lockfile")},
		"a symlink":          {Mode: fs.ModeSymlink, Data: []byte("x")},
		".tplkit/lock":       {},
		"subdir/r:hidden:v1": {Data: []byte("x")},
	}
	entries, err := lagorepo.ScanStore(t.Context(), fsys)
	require.NoError(t, err)
	got := map[string]string{}
	for _, e := range entries {
		got[e.Name] = string(e.State)
		if e.Err != nil {
			got[e.Name] += ": " + e.Err.Error()
		}
	}
	const advice = ": not a regular file; a template consists of regular files, look at it and remove it"
	require.Equal(t, map[string]string{
		"r:link:v1":       `refused: "r:link:v1": is a symbolic link` + advice,
		"r:fifo:v1":       `refused: "r:fifo:v1": is a fifo` + advice,
		"r:socket:v1":     `refused: "r:socket:v1": is a socket` + advice,
		"r:device:v1":     `refused: "r:device:v1": is a device` + advice,
		"r:dir:v1":        `refused: "r:dir:v1": is a directory` + advice,
		"r:hashlink:v1":   `refused: "r:hashlink:v1.hash": is a symbolic link` + advice,
		"r:tmpfifo:v1":    `refused: "r:tmpfifo:v1.tmp": is a fifo` + advice,
		"r:ok:v1":         "incomplete",
		"r:..:v1":         `refused: store name "r:..:v1": the template must be a name, is the directory ".."`,
		"host-7f.123-456": "foreign",
		"a symlink":       "foreign",
		".tplkit":         "foreign",
		"subdir":          "foreign",
	}, got)
	for _, e := range entries {
		if strings.HasPrefix(e.Name, "r:link") {
			require.ErrorIs(t, e.Err, templates.ErrNotRegular)
		}
	}
}

func TestScanStoreIsInOrder(t *testing.T) {
	s := newStore(t)
	for _, name := range []string{"r:b:v1", "r:a:v2", "zzz", "r:a:v1", "a", "r:a:v1.hash:v2"} {
		s.put(name, []byte("x"))
	}
	var got []string
	for _, e := range s.scan() {
		got = append(got, e.Name)
	}
	require.Equal(t, []string{"a", "r:a:v1", "r:a:v1.hash:v2", "r:a:v2", "r:b:v1", "zzz"}, got)
}

func TestScanStoreUnreadable(t *testing.T) {
	_, err := lagorepo.ScanStore(t.Context(), failingFS{fstest.MapFS{}, "."})
	require.ErrorContains(t, err, "lago store: ")
	base := fstest.MapFS{el8: {Data: []byte("x")}, el8 + ".metadata": {Data: []byte("{}")}, "r:b:v1": {Data: []byte("x")}}
	entries, err := lagorepo.ScanStore(t.Context(), failingFS{base, el8 + ".metadata"})
	require.NoError(t, err)
	require.Equal(t, lagorepo.Refused, entries[0].State)
	require.ErrorContains(t, entries[0].Err, "bad sector")
	require.Equal(t, lagorepo.Incomplete, entries[1].State, "the others are still done")
}

// failingFS fails to open one name.
type failingFS struct {
	fs.FS
	name string
}

func (f failingFS) Open(name string) (fs.File, error) {
	if name == f.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("bad sector")}
	}
	return f.FS.Open(name)
}

func TestScanStoreCancelled(t *testing.T) {
	s := newStore(t).put(el8+".tmp", disk(1, 5<<20)).put(el8+".hash", []byte(sha1Hex(nil)))
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	cancel(cause)
	_, err := lagorepo.ScanStore(ctx, s.open())
	require.ErrorIs(t, err, cause)
	// The disk is the second that is digested.
	s.put(el8, disk(2, 1<<20))
	ctx, cancel = context.WithCancelCause(t.Context())
	_, err = lagorepo.ScanStore(ctx, cancelOn{s.open(), el8, func() { cancel(cause) }})
	require.ErrorIs(t, err, cause)
}

// cancelOn cancels when a name is opened.
type cancelOn struct {
	fs.FS
	name   string
	cancel func()
}

func (c cancelOn) Open(name string) (fs.File, error) {
	if name == c.name {
		c.cancel()
	}
	return c.FS.Open(name)
}

func TestIsStore(t *testing.T) {
	for name, tc := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"empty":           {fstest.MapFS{}, false},
		"a template":      {fstest.MapFS{el8: {}, "x": {}}, true},
		"a lock only":     {fstest.MapFS{el8 + ".lock": {}}, true},
		"another cache":   {fstest.MapFS{"rhel8/disk.img": {}}, false},
		"a broken name":   {fstest.MapFS{"r::v1": {}}, false},
		"canonical names": {fstest.MapFS{"el8.xz": {}, "repo.metadata": {}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lagorepo.IsStore(tc.files)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
	_, err := lagorepo.IsStore(failingFS{fstest.MapFS{}, "."})
	require.Error(t, err)
}

func ExampleScanStore() {
	store := fstest.MapFS{
		"phx_repo:el8.2-base:v1":          {Data: []byte("a raw disk")},
		"phx_repo:el8.2-base:v1.hash":     {Data: []byte("da39a3ee5e6b4b0d3255bfef95601890afd80709")},
		"phx_repo:el8.2-base:v1.metadata": {Data: []byte(`{"distro": "el8"}`)},
		"phx_repo:el8.2-base:v1.lock":     {},
		"phx_repo:fc30-base:v2.tmp":       {Data: []byte("half a down")},
	}
	entries, err := lagorepo.ScanStore(context.Background(), store)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range entries {
		fmt.Printf("%s: %s\n", e.Name, e.State)
	}
	// Output:
	// phx_repo:el8.2-base:v1: complete
	// phx_repo:fc30-base:v2: unfinished
}
