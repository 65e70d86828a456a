package hashutil_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

// kindOf is the canonical kind of what was read.
func kindOf(f hashutil.Form) hashutil.Kind {
	switch f {
	case hashutil.Bare:
		return hashutil.LagoHash
	case hashutil.BSD:
		return hashutil.BSDTag
	}
	return hashutil.GNU
}

// canonical is what an entry becomes by being written and read again.
func canonical(e hashutil.Entry) hashutil.Entry {
	c := hashutil.Entry{Algorithm: e.Algorithm, Hex: e.Hex, Name: e.Name, Form: e.Form, Size: -1, Line: 1}
	if c.Form == hashutil.GNUBinary {
		c.Form = hashutil.GNUText
	}
	return c
}

func FuzzParseSidecar(f *testing.F) {
	for _, tc := range goodSidecars {
		f.Add([]byte(tc.text), string(tc.want))
	}
	for _, tc := range badSidecars {
		f.Add([]byte(tc.text), string(tc.want))
	}
	f.Fuzz(func(t *testing.T, data []byte, algorithm string) {
		want := hashutil.Algorithm(algorithm)
		if want != "" && !want.Valid() {
			want = ""
		}
		e, err := hashutil.ParseSidecar(data, want)
		if err != nil {
			require.Zero(t, e)
			require.NotEmpty(t, err.Error())
			return
		}
		require.Len(t, e.Hex, e.Algorithm.HexLen())
		require.Equal(t, strings.ToLower(e.Hex), e.Hex)
		if want != "" {
			require.Equal(t, want, e.Algorithm)
		}
		require.Equal(t, e.Form == hashutil.Bare, e.Name == "")
		// What KubeVirt's scripts take is the text itself; lago strips it.
		if e.CheckKubeVirt() == nil {
			require.Equal(t, e.Hex, strings.TrimRight(string(data), "\n"))
		}
		if e.CheckLago() == nil {
			require.Equal(t, e.Hex, strings.TrimSpace(string(data)))
		}
		printed := hashutil.FormatSidecar(kindOf(e.Form), e.Algorithm, e.Hex, e.Name)
		again, err := hashutil.ParseSidecar(printed, e.Algorithm)
		require.NoError(t, err, "%q", printed)
		require.Equal(t, canonical(e), again)
		require.Equal(t, printed, hashutil.FormatSidecar(kindOf(again.Form), again.Algorithm, again.Hex, again.Name))
	})
}

func FuzzParseSums(f *testing.F) {
	for _, tc := range goodSidecars {
		f.Add([]byte(tc.text + "\n" + hexSHA256 + "  b\n"))
	}
	for _, tc := range badSidecars {
		f.Add([]byte(tc.text + "\n" + clearSigned("# b: 1 bytes\nSHA256 (b) = "+hexSHA256+"\n")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		entries, err := hashutil.ParseSums(data, "")
		if len(entries) == 0 {
			require.Error(t, err)
			return
		}
		for _, kind := range []hashutil.Kind{hashutil.GNU, hashutil.BSDTag} {
			printed := hashutil.FormatSums(kind, entries)
			again, err := hashutil.ParseSums(printed, "")
			require.NoError(t, err, "%q", printed)
			require.Len(t, again, len(entries))
			for i, e := range entries {
				want := canonical(e)
				want.Line = i + 1
				want.Form = again[0].Form
				require.Equal(t, want, again[i])
			}
			require.Equal(t, printed, hashutil.FormatSums(kind, again))
		}
	})
}

// unwrap stands in for an xz decoder: what follows the magic is the content,
// unless it begins with "!". A real decoder would spend the fuzzing on itself.
func unwrap(_ context.Context, f fs.File, dst *hashutil.Hasher) (string, error) {
	data, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	if inside, ok := bytes.CutPrefix(data, []byte(magic)); ok {
		if bytes.HasPrefix(inside, []byte("!")) {
			return "", errors.New("block 0 at offset 6: cannot be decoded")
		}
		data = inside
	}
	_, err = dst.Write(data)
	return "unwrapped", err
}

const magic = "\xfd7zXZ\x00"

// FuzzVerify gives one image a sidecar and a sums file of any content.
func FuzzVerify(f *testing.F) {
	xzDisk := magic + "a disk"
	suffixes := []string{".hash", ".sha1", ".sha256", ".md5", ".SHA512SUM", ".metadata", ""}
	for i, tc := range goodSidecars {
		f.Add("repo/el8.xz", uint8(i), []byte(xzDisk), []byte(tc.text), []byte(tc.text))
	}
	for i, tc := range badSidecars {
		f.Add("kubevirt/a.img", uint8(i), []byte("a disk"), []byte(tc.text), []byte(hexSHA1+"  ../x\n"+tc.text))
	}
	f.Add("bundles/d.tar.xz", uint8(3), []byte(xzDisk), []byte(""), []byte(sha1Of(xzDisk)+"  d.tar.xz"))
	f.Add("repo/el8.xz", uint8(0), []byte(magic+"!"), []byte(hexSHA1), []byte(""))
	f.Add("r:t:v", uint8(6), []byte(""), []byte(""), []byte(""))
	f.Fuzz(func(t *testing.T, name string, suffix uint8, image, sidecar, sums []byte) {
		side := strings.TrimSuffix(name, ".xz") + suffixes[int(suffix)%len(suffixes)]
		if !fs.ValidPath(name) || !fs.ValidPath(side) || name == "." || side == "." || strings.Contains(name, "\x00") {
			return // no file system has such a file
		}
		tree := fstest.MapFS{
			"CHECKSUM": {Data: sums},
			side:       {Data: sidecar},
			name:       {Data: image},
		}
		first := verify(t, tree, hashutil.VerifyOptions{Jobs: 1, Content: unwrap})
		require.Equal(t, first, verify(t, tree, hashutil.VerifyOptions{Jobs: 3, Content: unwrap}))
		require.True(t, slices.IsSortedFunc(first.Files, func(a, b hashutil.FileResult) int { return strings.Compare(a.Path, b.Path) }))
		count := 0
		for _, r := range first.Files {
			require.Equal(t, r.Status == hashutil.StatusOK, r.Reason == "", "%+v", r)
			if r.Status == hashutil.StatusOK {
				require.Equal(t, r.Want, r.Got)
				require.NotEmpty(t, r.Got)
			}
		}
		for _, n := range first.Summary {
			count += n
		}
		require.Equal(t, len(first.Files), count)

		repairs := first.Repairs()
		for _, repair := range repairs {
			require.NotContains(t, []string{"CHECKSUM", name}, repair.Sidecar)
			tree[repair.Sidecar] = &fstest.MapFile{Data: repair.Content}
		}
		again := verify(t, tree, hashutil.VerifyOptions{Content: unwrap})
		require.Empty(t, again.Repairs(), "what was repaired stays repaired")
		require.Equal(t, first.Summary[hashutil.StatusOK]+len(repairs), again.Summary[hashutil.StatusOK])
	})
}
