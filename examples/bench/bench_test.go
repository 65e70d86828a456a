//go:build linux

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	c, err := parse([]string{"-quick", "-j", "3"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 1, c.runs)
	require.Equal(t, 3, c.jobs)
	for _, args := range [][]string{{"-runs", "0"}, {"-dense-mb", "1"}, {"more"}, {"-such"}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, args)
	}
}

func TestMeasure(t *testing.T) {
	b := &bench{config: config{runs: 3, jobs: 2, dir: t.TempDir()}, log: io.Discard}
	costs, err := b.measure(t.Context(), []command{
		{"a file", `head -c $((JOBS * 500)) /dev/zero > made`, "made"},
		{"work", `i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done`, ""},
	})
	require.NoError(t, err)
	require.EqualValues(t, 1000, costs["a file"].size)
	require.Positive(t, costs["work"].cpu)
	require.Positive(t, costs["work"].memory)

	_, err = b.measure(t.Context(), []command{{"a failure", "echo no good >&2; exit 3", ""}})
	require.ErrorContains(t, err, "no good")
}

func TestMedian(t *testing.T) {
	of := func(c cost) time.Duration { return c.wall }
	require.EqualValues(t, 2, median([]cost{{wall: 9}, {wall: 1}, {wall: 2}}, of))
	require.EqualValues(t, 1, median([]cost{{wall: 2}, {wall: 1}}, of))
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
