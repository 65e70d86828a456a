//go:build linux

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestParse(t *testing.T) {
	c, err := parse([]string{"-quick", "-j", "3"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 1, c.runs)
	require.Equal(t, 3, c.jobs)
	require.Len(t, c.parts, len(parts))
	c, err = parse([]string{"-only", "compressed,tar"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"tar", "compressed"}, []string{c.parts[0].name, c.parts[1].name}, "in the order of the document")
	for _, args := range [][]string{{"-runs", "0"}, {"-dense-mb", "1"}, {"more"}, {"-such"}, {"-only", "bundles"}, {"-only", "tar,tar"}, {"-only", "tar", "-o", "x"}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, args)
	}
}

func TestBounds(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out, log: io.Discard, peaks: make(map[string]peak)}
	b.packBounds("image", figures{
		xzName(2):                     {CPU: 10 * time.Second, Wall: 5 * time.Second, Size: 10_000, Memory: 1},
		way{"best", false, 2}.name():  {CPU: 7 * time.Second, Wall: 4 * time.Second, Size: 9_999, Memory: 600 * mib},
		way{"best", true, 2}.name():   {CPU: 8 * time.Second, Wall: 4 * time.Second, Size: 9_999, Memory: 640 * mib},
		way{"fast", false, 2}.name():  {CPU: 4 * time.Second, Wall: 2 * time.Second, Size: 10_300, Memory: 100 * mib},
		way{"best", false, 1}.name():  {CPU: 99 * time.Second},
		way{"such", false, 22}.name(): {CPU: 99 * time.Second},
	}, 2)
	b.atLeast(2, 3, times, "more")
	b.unpackMemory("image", measure.Cost{Memory: 200 * mib}, 2)
	b.tellBounds()
	var got []string
	for _, x := range b.bounds {
		got = append(got, fmt.Sprintf("%s: "+x.form+" %v", x.what, x.got, x.kept()))
	}
	require.Equal(t, []string{
		"image, best: size: 0.9999 × true",
		"image, best: CPU without the proof: 0.700 × true",
		"image, best: wall with all cores, without the proof: 0.800 × false",
		"image, best: CPU with the proof: 0.800 × true",
		"image, fast: size: 1.0300 × false",
		"image, fast: CPU without the proof: 0.400 × true",
		"more: 3.000 × true",
		"image: peak memory of unpacking, -j2: 200 MiB false",
		"best: peak memory of packing for each worker, the most of all inputs (image, -j2): 320 MiB true",
		"fast: peak memory of packing for each worker, the most of all inputs (image, -j2): 50 MiB true",
	}, got)
	require.Contains(t, out.String(), "Not all are kept.")
	require.Contains(t, out.String(), "≤ 0.700 × | **no** |")
}

func TestChildren(t *testing.T) {
	dir := t.TempDir()
	original, packed := filepath.Join(dir, "a"), filepath.Join(dir, "a.xz")
	require.NoError(t, makeFile(original, repeated([]byte("0123456"), 3*mib+5)))
	src, err := os.Open(original)
	require.NoError(t, err)
	defer src.Close()
	require.NoError(t, makeFile(packed, func(w io.Writer) error {
		_, err := xzpack.Pack(t.Context(), w, src, 3*mib+5, xzpack.PackOptions{BlockSize: mib})
		return err
	}))
	require.NoError(t, children["ulikunitz"]([]string{packed}))
	require.NoError(t, children["read"]([]string{packed, original, "20"}))
	require.ErrorContains(t, children["read"]([]string{packed, packed, "20"}), "EOF")
	other := filepath.Join(dir, "b")
	require.NoError(t, makeFile(other, repeated([]byte("012345"), 3*mib+5)))
	require.ErrorContains(t, children["read"]([]string{packed, other, "20"}), "not what")
	require.Error(t, children["ulikunitz"]([]string{original}))
	require.Error(t, children["read"]([]string{packed}))
}

func TestInputs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "periodic")
	require.NoError(t, makeFile(path, repeated([]byte("abc"), 2*mib+10)))
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, bytes.Repeat([]byte("abc"), mib)[:2*mib+10], got)

	size, err := makeTar(t.Context(), filepath.Join(dir, "tar"), mib)
	require.NoError(t, err)
	require.InDelta(t, mib, size, mib)
}

func TestImages(t *testing.T) {
	t.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	if _, err := exec.LookPath("mke2fs"); err != nil {
		t.Skip("needs mke2fs (Debian: e2fsprogs)")
	}
	image := filepath.Join(t.TempDir(), "image")
	const data = 16 * mib
	require.NoError(t, makeImage(t.Context(), image, 256*mib, data))
	st, err := os.Stat(image)
	require.NoError(t, err)
	require.EqualValues(t, 256*mib, st.Size())
	used, err := dataOnly(filepath.Join(t.TempDir(), "data"), image)
	require.NoError(t, err)
	require.InDelta(t, data, used, 4*mib)
}
