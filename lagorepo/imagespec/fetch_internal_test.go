package imagespec

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

func TestFetchUnpacksByContent(t *testing.T) {
	raw, qcow2 := rawDisk(1, 1<<20), qcow2Disk("")
	half := len(raw) / 2
	tests := map[string]struct {
		file, content []byte
		format        string
	}{
		"raw":               {raw, raw, "raw"},
		"qcow2":             {qcow2, qcow2, "qcow2"},
		"xz of raw":         {xzOf(t, raw), raw, "raw"},
		"xz of qcow2":       {xzOf(t, qcow2), qcow2, "qcow2"},
		"gzip of raw":       {gzipOf(t, raw), raw, "raw"},
		"gzip of qcow2":     {gzipOf(t, qcow2), qcow2, "qcow2"},
		"gzip in two parts": {append(gzipOf(t, raw[:half]), gzipOf(t, raw[half:])...), raw, "raw"},
		"xz in two streams": {append(xzOf(t, raw[:half]), xzOf(t, raw[half:])...), raw, "raw"},
		"zeros":             {gzipOf(t, make([]byte, 5<<20)), make([]byte, 5<<20), "raw"},
		"one sector":        {raw[:512], raw[:512], "raw"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "no.extension")
			require.NoError(t, os.WriteFile(path, tt.file, 0o644))
			server := &fileServer{t: t, content: tt.file}
			for _, src := range []Base{{Kind: BaseLayer, Ref: path}, server.base("/image")} {
				for _, alg := range append(hashutil.Algorithms(), "") {
					if src.Sum = nil; alg != "" {
						src.Sum = &Sum{Algorithm: alg, Hex: sumOf(t, alg, tt.file)}
					}
					var done, total int64
					got := fetchTo(t, t.Context(), src, FetchOptions{Progress: func(d, of int64) {
						require.LessOrEqual(t, done, d)
						done, total = d, of
					}})
					require.NoError(t, got.err)
					require.Equal(t, tt.format, got.format)
					require.True(t, bytes.Equal(tt.content, got.content))
					require.Equal(t, sumOf(t, hashutil.SHA256, tt.file), got.digests[hashutil.SHA256])
					require.Equal(t, total, done)
					require.Positive(t, done)
				}
				wrong := src
				wrong.Line, wrong.Sum = 3, &Sum{Algorithm: hashutil.SHA256, Hex: sumOf(t, hashutil.SHA256, nil)}
				got := fetchTo(t, t.Context(), wrong, FetchOptions{})
				require.ErrorContains(t, got.err, "wrong checksum")
				require.ErrorContains(t, got.err, "line 3")
				require.ErrorContains(t, got.err, wrong.Sum.Hex)
				require.ErrorContains(t, got.err, sumOf(t, hashutil.SHA256, tt.file))
			}
		})
	}
}

func TestFetchRefuses(t *testing.T) {
	raw := rawDisk(1, 1<<20)
	xz, gz := xzOf(t, raw), gzipOf(t, raw)
	damaged := bytes.Clone(xz)
	damaged[len(damaged)/2] ^= 1
	tests := map[string]struct {
		file []byte
		want string
	}{
		"an empty file":              {nil, "empty file"},
		"a qcow2 with a backing":     {qcow2Disk("/secret/base.qcow2"), "/secret/base.qcow2"},
		"the same in an xz":          {xzOf(t, qcow2Disk("/secret/base.qcow2")), "in the xz: qcow2: has the backing file"},
		"the same in a gzip":         {gzipOf(t, qcow2Disk("/secret/base.qcow2")), "in the gzip: qcow2: has the backing file"},
		"a vmdk":                     {append([]byte("KDMV"), raw[4:]...), "vmdk"},
		"an xz that is cut off":      {xz[:len(xz)-100], "xz: "},
		"a damaged xz":               {damaged, "xz: "},
		"a gzip that is cut off":     {gz[:len(gz)-100], "gzip: "},
		"a gzip header":              {gz[:5], "gzip: "},
		"a gzip with something more": {append(bytes.Clone(gz), "more"...), "gzip: "},
		"compressed twice":           {gzipOf(t, xz), "compressed twice"},
		"half a sector":              {raw[:1000], "1000 bytes"},
		"half a sector in a gzip":    {gzipOf(t, raw[:1000]), "in the gzip: expected an image, found 1000 bytes"},
		"nothing in a gzip":          {gzipOf(t, nil), "in the gzip: empty file"},
		"a web page":                 {append([]byte("\n<!DOCTYPE html><p>Log in"), make([]byte, 1024-25)...), "web page"},
		"another web page":           {append([]byte("\ufeff<html>"), make([]byte, 512-9)...), "web page"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image.raw")
			require.NoError(t, os.WriteFile(path, tt.file, 0o644))
			got := fetchTo(t, t.Context(), Base{Kind: BaseSimple, Ref: path}, FetchOptions{})
			require.ErrorContains(t, got.err, tt.want)
			require.ErrorContains(t, got.err, path)
			src := (&fileServer{t: t, content: tt.file}).base("/image.raw")
			got = fetchTo(t, t.Context(), src, FetchOptions{})
			require.ErrorContains(t, got.err, tt.want)
			require.ErrorContains(t, got.err, src.Ref)
			require.NotContains(t, got.err.Error(), partSuffix)
		})
	}
}

// The web page is told before the checksum, which says less.
func TestFetchTellsAPageBeforeTheChecksum(t *testing.T) {
	src := (&fileServer{t: t, content: []byte("<html>no such image")}).base("/image")
	src.Sum = &Sum{Algorithm: hashutil.SHA256, Hex: "00"}
	require.ErrorContains(t, fetchTo(t, t.Context(), src, FetchOptions{}).err, "web page")
}

func TestFetchLocalFailures(t *testing.T) {
	dir := t.TempDir()
	got := fetchTo(t, t.Context(), Base{Kind: BaseSimple, Ref: filepath.Join(dir, "missing")}, FetchOptions{})
	require.ErrorIs(t, got.err, os.ErrNotExist)
	require.ErrorContains(t, got.err, "missing")
	got = fetchTo(t, t.Context(), Base{Kind: BaseSimple, Ref: dir}, FetchOptions{})
	require.ErrorIs(t, got.err, templates.ErrNotRegular)
	got = fetchTo(t, t.Context(), Base{Kind: BaseLibguestfs, Ref: "debian-12"}, FetchOptions{})
	require.ErrorContains(t, got.err, "libguestfs:debian-12: expected a file or URL")

	raw := rawDisk(1, 4<<20)
	path := filepath.Join(dir, "image")
	for name, file := range map[string][]byte{"raw": raw, "xz": xzOf(t, raw), "gzip": gzipOf(t, raw)} {
		require.NoError(t, os.WriteFile(path, file, 0o644))
		src := Base{Kind: BaseSimple, Ref: path}
		got = fetchTo(t, t.Context(), src, FetchOptions{Limit: 1<<20 - 1})
		require.ErrorContains(t, got.err, "are the limit", name)
		require.NoError(t, fetchTo(t, t.Context(), src, FetchOptions{Limit: 4 << 20}).err, name)

		changed := false
		got = fetchTo(t, t.Context(), src, FetchOptions{Progress: func(int64, int64) {
			if !changed {
				changed = true
				f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
				require.NoError(t, err)
				_, err = f.WriteString("more")
				require.NoError(t, err)
				require.NoError(t, f.Close())
			}
		}})
		require.ErrorContains(t, got.err, "changed while it was read", name)
		require.NoError(t, os.WriteFile(path, file, 0o644))

		ctx, cancel := context.WithCancelCause(t.Context())
		got = fetchTo(t, ctx, src, FetchOptions{Progress: func(int64, int64) { cancel(errStopped) }})
		require.ErrorIs(t, got.err, errStopped, name)
		require.ErrorIs(t, fetchTo(t, ctx, src, FetchOptions{}).err, errStopped, name)
	}
}

func TestFetchMakesANewFileOnly(t *testing.T) {
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "src"), filepath.Join(dir, "dst")
	require.NoError(t, os.WriteFile(src, rawDisk(1, 4096), 0o644))
	require.NoError(t, os.WriteFile(dst, []byte("mine"), 0o644))
	_, _, err := fetchSource(t.Context(), Base{Kind: BaseSimple, Ref: src}, dst, FetchOptions{})
	require.ErrorIs(t, err, os.ErrExist)
	text, err := os.ReadFile(dst)
	require.NoError(t, err)
	require.Equal(t, "mine", string(text))
	_, _, err = fetchSource(t.Context(), Base{Kind: BaseSimple, Ref: src}, "relative", FetchOptions{})
	require.ErrorContains(t, err, "absolute path")

	// Nor does a leftover of a transfer become part of another.
	web := (&fileServer{t: t, content: rawDisk(1, 4096)}).base("/image")
	other := filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(other+partSuffix, []byte("mine"), 0o644))
	_, _, err = fetchSource(t.Context(), web, other, FetchOptions{})
	require.ErrorIs(t, err, os.ErrExist)
	require.NoFileExists(t, other)
	require.FileExists(t, other+partSuffix)
}
