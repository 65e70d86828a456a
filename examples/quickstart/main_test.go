package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/examples/internal/sample"
)

func TestQuickstart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "work")
	var out strings.Builder
	require.NoError(t, run(t.Context(), []string{"-dir", dir}, &out), out.String())

	// What it says it did is there.
	var files []string
	for _, handle := range sample.LagoTemplates {
		files = append(files, "repo/"+handle+".xz", "repo/"+handle+".hash", "repo/"+handle+".metadata")
	}
	for _, image := range sample.KubeVirtNames {
		files = append(files, "kubevirt/"+image, "kubevirt/"+image+".sha1")
	}
	for _, file := range append(files, "repo/index", "repo/repo.metadata") {
		require.FileExists(t, filepath.Join(dir, "templates", filepath.FromSlash(file)))
		require.Contains(t, out.String(), file[strings.Index(file, "/")+1:])
	}
	left, err := os.ReadDir(filepath.Join(dir, "templates", "repo"))
	require.NoError(t, err)
	require.Len(t, left, 3*len(sample.LagoTemplates)+2, "something else was left: %v", left)

	// The file came out of the packed image.
	for line := range strings.Lines(sample.ReleaseText("phx_repo:el8.2-base:v1")) {
		require.Contains(t, out.String(), "| "+line)
	}
	require.Contains(t, out.String(), "[el8.2-base]")
	require.Contains(t, out.String(), "tplkit recover "+filepath.Join(dir, "lago-store"))
}

func TestQuickstartCleansUp(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	var out strings.Builder
	require.NoError(t, run(t.Context(), nil, &out), out.String())
	left, err := os.ReadDir(os.TempDir())
	require.NoError(t, err)
	require.Empty(t, left)
	require.Contains(t, out.String(), "-keep")
}

func TestQuickstartRefuses(t *testing.T) {
	full := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "mine"), nil, 0o600))
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a directory with files in it": {[]string{"-dir", full}, "must be empty"},
		"an argument":                  {[]string{"more"}, "only flags"},
		"an unknown flag":              {[]string{"-such"}, "-such"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			require.ErrorContains(t, run(t.Context(), c.args, &out), c.want)
		})
	}
}

func TestQuickstartStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := filepath.Join(t.TempDir(), "work")
	var out strings.Builder
	require.ErrorIs(t, run(ctx, []string{"-dir", dir}, &out), context.Canceled)
	require.NoFileExists(t, filepath.Join(dir, "templates", "repo", "el8.2-base.xz"))
}
