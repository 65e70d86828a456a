package kubevirtimg_test

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/templates"
)

func TestScanCache(t *testing.T) {
	disk := raw(1)
	sum := sha1Of(disk)
	file := func(data string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(data), ModTime: day} }
	late := func(data string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(data), ModTime: day.Add(time.Hour)}
	}
	tests := map[string]struct {
		files fstest.MapFS
		want  kubevirtimg.Entry // State, SHA1, Format and Older are compared
		text  string            // in Reason, Sidecar or Err
	}{
		"complete": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file(sum + "\n")},
			kubevirtimg.Entry{State: kubevirtimg.Complete, SHA1: sum, Format: templates.Raw}, "",
		},
		"complete, qcow2 whatever the name": {
			fstest.MapFS{"d/disk.img": file(string(qcow2(false))), "d/disk.img.sha1": file(sum)},
			kubevirtimg.Entry{State: kubevirtimg.Complete, SHA1: sum, Format: templates.QCOW2}, "",
		},
		"other files beside them": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file(sum), "d/disk.img.part": file("x"), "d/notes/a": file("y")},
			kubevirtimg.Entry{State: kubevirtimg.Complete, SHA1: sum, Format: templates.Raw}, "",
		},
		"a sidecar in upper case": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file(strings.ToUpper(sum) + "\n")},
			kubevirtimg.Entry{State: kubevirtimg.Complete, SHA1: sum, Format: templates.Raw}, "upper case",
		},
		"a sidecar with a name": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file(sum + "  disk.img\n")},
			kubevirtimg.Entry{State: kubevirtimg.Complete, SHA1: sum, Format: templates.Raw}, `the file name "disk.img"`,
		},
		"a disk newer than its sidecar": {
			fstest.MapFS{"d/disk.img": late(string(disk)), "d/disk.img.sha1": file(sum)},
			kubevirtimg.Entry{State: kubevirtimg.Complete, SHA1: sum, Format: templates.Raw, Older: true}, "",
		},
		"no sidecar": {
			fstest.MapFS{"d/disk.img": file(string(disk))},
			kubevirtimg.Entry{State: kubevirtimg.NoSidecar, Format: templates.Raw}, "has no disk.img.sha1",
		},
		"empty": {
			fstest.MapFS{"d/disk.img": file(""), "d/disk.img.sha1": file(sum)},
			kubevirtimg.Entry{State: kubevirtimg.Empty}, "is empty",
		},
		"no disk": {
			fstest.MapFS{"d/disk.img.sha1": file(sum)}, kubevirtimg.Entry{State: kubevirtimg.NoDisk}, "holds no disk.img",
		},
		"the directory above": {
			fstest.MapFS{"d/rhel8/disk.img": file("x")}, kubevirtimg.Entry{State: kubevirtimg.NoDisk}, "not the directory above",
		},
		"a lock": {
			fstest.MapFS{"download_rhel_image.lock": file("")}, kubevirtimg.Entry{State: kubevirtimg.Foreign}, "one directory for each image",
		},
		"one directory too deep": {
			fstest.MapFS{"disk.img": file("x")}, kubevirtimg.Entry{State: kubevirtimg.Foreign}, "the cache is the directory above this one",
		},
		"an empty sidecar": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file("")},
			kubevirtimg.Entry{State: kubevirtimg.Refused}, `"d/disk.img.sha1": expected 40 hex digits (sha1), found an empty file; if the disk is known to be good`,
		},
		"a sidecar of the wrong length": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file(sum[:39])},
			kubevirtimg.Entry{State: kubevirtimg.Refused}, `"d/disk.img.sha1"`,
		},
		"a sidecar without an end": {
			fstest.MapFS{"d/disk.img": file(string(disk)), "d/disk.img.sha1": file(strings.Repeat("a", 1<<20))},
			kubevirtimg.Entry{State: kubevirtimg.Refused}, `more than 64 KiB`,
		},
		"a backing file": {
			fstest.MapFS{"d/disk.img": file(string(qcow2(true)))}, kubevirtimg.Entry{State: kubevirtimg.Refused}, `backing file`,
		},
		"another format's magic": {
			fstest.MapFS{"d/disk.img": file("KDMV" + string(disk))}, kubevirtimg.Entry{State: kubevirtimg.Refused}, `"d/disk.img": vmdk`,
		},
		"packed": {
			fstest.MapFS{"d/disk.img": file("\xfd7zXZ\x00" + string(disk))},
			kubevirtimg.Entry{State: kubevirtimg.Refused, Format: templates.XZ}, `holds xz data`,
		},
		"a link for a directory": {
			fstest.MapFS{"d": {Mode: fs.ModeSymlink, Data: []byte("/etc")}}, kubevirtimg.Entry{State: kubevirtimg.Refused}, `"d": is a symbolic link`,
		},
		"a device for a disk": {
			fstest.MapFS{"d/disk.img": {Mode: fs.ModeDevice}}, kubevirtimg.Entry{State: kubevirtimg.Refused}, `"d/disk.img": is a device`,
		},
		"a directory for a sidecar": {
			fstest.MapFS{"d/disk.img": file("x"), "d/disk.img.sha1/x": file("")},
			kubevirtimg.Entry{State: kubevirtimg.Refused}, `"d/disk.img.sha1": is a directory`,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			entries := scan(t, test.files)
			require.Len(t, entries, 1)
			e := entries[0]
			got := kubevirtimg.Entry{State: e.State, SHA1: e.SHA1, Format: e.Format, Older: e.Older}
			if e.State == kubevirtimg.Refused {
				require.Error(t, e.Err)
				require.Contains(t, e.Err.Error(), test.text)
				got.SHA1 = ""
			} else {
				require.NoError(t, e.Err)
				require.Contains(t, e.Reason+e.Sidecar, test.text)
			}
			require.Equal(t, test.want, got)
		})
	}
}

func TestScanCacheOrderAndErrors(t *testing.T) {
	fsys := fstest.MapFS{"b/disk.img": {Data: raw(1)}, "a/disk.img": {Data: raw(2)}, "c": {}}
	entries := scan(t, fsys)
	require.Len(t, entries, 3)
	for i, dir := range []string{"a", "b", "c"} {
		require.Equal(t, dir, entries[i].Dir)
		require.Equal(t, dir, entries[i].Path())
	}

	_, err := kubevirtimg.ScanCache(t.Context(), fstest.MapFS{".": {}})
	require.ErrorContains(t, err, "kubevirt cache")

	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err = kubevirtimg.ScanCache(ctx, fsys)
	require.ErrorIs(t, err, cause)
}

// unreadable is a cache with a directory that cannot be listed.
type unreadable struct{ fstest.MapFS }

func (u unreadable) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "locked" {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrPermission}
	}
	return u.MapFS.ReadDir(name)
}

func TestScanCacheUnreadable(t *testing.T) {
	entries := scan(t, unreadable{fstest.MapFS{"locked/disk.img": {Data: raw(1)}, "open/disk.img": {Data: raw(1)}}})
	require.Equal(t, kubevirtimg.Refused, entries[0].State)
	require.ErrorIs(t, entries[0].Err, fs.ErrPermission)
	require.Equal(t, kubevirtimg.NoSidecar, entries[1].State)
}

func TestIsCache(t *testing.T) {
	for name, test := range map[string]struct {
		files fstest.MapFS
		want  bool
	}{
		"a cache":      {fstest.MapFS{"x": {}, "rhel8/disk.img": {}}, true},
		"a lago store": {fstest.MapFS{"r-t-v": {}, "sub/other": {}}, false},
		"nothing":      {fstest.MapFS{}, false},
		"one image":    {fstest.MapFS{"disk.img": {}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := kubevirtimg.IsCache(test.files)
			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
	_, err := kubevirtimg.IsCache(fstest.MapFS{".": {}})
	require.Error(t, err)
}

func TestIdentify(t *testing.T) {
	fsys := fstest.MapFS{
		"a/disk.img": {Data: raw(1)}, "b/disk.img": {Data: raw(2)}, "b/disk.img.sha1": {Data: []byte(sha1Of(raw(9)))}, "c/disk.img": {Data: raw(3)},
	}
	entries := scan(t, fsys)
	fsys["c/disk.img"] = &fstest.MapFile{}
	var told []string
	require.NoError(t, kubevirtimg.Identify(t.Context(), fsys, entries, func(p templates.Progress) { told = append(told, p.Item) }))
	require.Equal(t, sha1Of(raw(1)), entries[0].Computed)
	require.Empty(t, entries[1].Computed, "its sidecar tells")
	require.Equal(t, kubevirtimg.Refused, entries[2].State, "it is gone")
	require.Contains(t, told, "a/disk.img")

	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	require.ErrorIs(t, kubevirtimg.Identify(ctx, fsys, scan(t, fsys), nil), cause)
}
