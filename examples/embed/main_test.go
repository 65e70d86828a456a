package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/examples/internal/sample"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

func store(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, sample.LagoStore(dir, sample.SmallDisk))
	return dir
}

func options() Options { return Options{RepoName: "phx", BaseURL: "http://templates.example/repo"} }

func TestRecoverTree(t *testing.T) {
	src, tree := store(t), filepath.Join(t.TempDir(), "tree")
	opt := options()
	var last templates.Progress
	items := make(map[string]bool)
	opt.Progress = func(p templates.Progress) {
		require.LessOrEqual(t, p.Done, p.Total)
		last = p
		items[p.Item] = true
	}
	report, err := RecoverTree(t.Context(), src, tree, opt)
	require.NoError(t, err)
	require.False(t, report.Failed())
	require.Equal(t, len(sample.LagoTemplates), report.Summary[templates.PackedState])
	require.Len(t, items, len(sample.LagoTemplates))
	require.Equal(t, last.Total, last.Done)
	require.FileExists(t, filepath.Join(tree, "repo", "index"))

	again, err := RecoverTree(t.Context(), src, tree, options())
	require.NoError(t, err)
	require.Zero(t, again.Summary[templates.PackedState]+again.Summary[templates.Written]+again.Summary[templates.Failed])
	require.GreaterOrEqual(t, again.Summary[templates.Unchanged], len(sample.LagoTemplates))
}

func TestRecoverTreeIsStopped(t *testing.T) {
	src, tree := store(t), filepath.Join(t.TempDir(), "tree")
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	opt := options()
	seen := ""
	opt.Progress = func(p templates.Progress) {
		if seen != "" && p.Item != seen {
			cancel(enough) // in the middle of the second image
		}
		seen = p.Item
	}
	report, err := RecoverTree(ctx, src, tree, opt)
	require.ErrorIs(t, err, enough)
	require.Equal(t, 1, report.Summary[templates.PackedState])
	require.NoFileExists(t, filepath.Join(tree, "repo", "index"))
	require.NoDirExists(t, filepath.Join(tree, ".tplkit"), "something was left behind")

	report, err = RecoverTree(t.Context(), src, tree, options())
	require.NoError(t, err)
	require.Equal(t, len(sample.LagoTemplates)-1, report.Summary[templates.PackedState], "the first was not done again")
}

func TestConflict(t *testing.T) {
	src, tree := store(t), filepath.Join(t.TempDir(), "tree")
	rival := filepath.Join(src, "other_repo:el8.2-base:v7")
	require.NoError(t, sample.Disk(rival, "rival", sample.SmallDisk))
	require.NoError(t, os.Chtimes(rival, sample.Modified.AddDate(1, 0, 0), sample.Modified.AddDate(1, 0, 0)))

	_, err := RecoverTree(t.Context(), src, tree, options())
	var conflict *templates.ConflictError
	require.ErrorAs(t, err, &conflict)
	require.Len(t, conflict.Conflicts, 1)
	require.Equal(t, "el8.2-base", conflict.Conflicts[0].Name)
	require.Len(t, conflict.Conflicts[0].Entries, 2)
	require.NoDirExists(t, tree)

	opt := options()
	opt.Newest = true
	report, err := RecoverTree(t.Context(), src, tree, opt)
	require.NoError(t, err)
	require.False(t, report.Failed())
}

func TestExitStatus(t *testing.T) {
	args := func(more ...string) []string {
		return append([]string{"-repo-name", "phx", "-base-url", "http://templates.example/repo"}, more...)
	}
	src := store(t)
	tree := filepath.Join(t.TempDir(), "tree")
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for _, c := range []struct {
		name string
		ctx  context.Context
		args []string
		want int
		says string
	}{
		{"no tree", t.Context(), args(src), exitUsage, "usage"},
		{"no store", t.Context(), args(filepath.Join(src, "absent"), tree), exitFailed, "no such file"},
		{"stopped", stopped, args(src, tree), exitStopped, "stopped"},
		{"out of time", t.Context(), args("-limit", "1ns", src, tree), exitTryNext, "time limit"},
		{"done", t.Context(), args(src, tree), 0, "percent=100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var stderr strings.Builder
			require.Equal(t, c.want, run(c.ctx, c.args, &stderr), stderr.String())
			require.Contains(t, stderr.String(), c.says)
		})
	}
	t.Run("locked", func(t *testing.T) {
		other, err := publish.Open(t.Context(), tree, publish.Options{})
		require.NoError(t, err)
		defer func() { require.NoError(t, other.Close()) }()
		var stderr strings.Builder
		require.Equal(t, exitTryNext, run(t.Context(), args(src, tree), &stderr), stderr.String())
		require.Contains(t, stderr.String(), "another job")
	})
}
