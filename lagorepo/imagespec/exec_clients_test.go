//go:build unix

package imagespec_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

// appliance is the environment of a libguestfs that runs anywhere, if slowly.
func appliance(temp string) []string {
	return []string{
		"LIBGUESTFS_BACKEND=direct", "LIBGUESTFS_BACKEND_SETTINGS=force_tcg",
		"LIBGUESTFS_CACHEDIR=/var/tmp", "TMPDIR=" + temp,
	}
}

// onWord calls f when a word has been written.
type onWord struct {
	bytes.Buffer
	word string
	f    func()
}

func (w *onWord) Write(p []byte) (int, error) {
	n, err := w.Buffer.Write(p)
	if strings.Contains(w.String(), w.word) {
		w.f()
	}
	return n, err
}

// The tools of libguestfs start processes that start a virtual machine: all of
// them end with the tool.
func TestExecEndsAnAppliance(t *testing.T) {
	tool, err := imagespec.Exec{}.Find(t.Context(), "guestfish")
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var log bytes.Buffer
	out := &onWord{word: "it is up", f: func() {
		if len(runningIn(dir)) > 1 {
			cancel(errStop)
		}
	}}
	err = imagespec.Exec{}.Run(ctx, imagespec.Command{
		Tool: tool, Args: []string{"-N", filepath.Join(dir, "disk") + "=disk:10M", "echo", "it is up", ":", "sleep", "1000"},
		Dir: dir, Env: appliance(dir), Stdout: out, Log: &log, Timeout: 4 * time.Minute,
	})
	require.ErrorIs(t, err, errStop, "%s%s", &out.Buffer, &log)
	require.Empty(t, runningIn(dir))
}

// runningIn lists the commands of the processes that have a path in dir among
// their arguments.
func runningIn(dir string) []string {
	var found []string
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil
	}
	for _, file := range files {
		text, err := os.ReadFile(file) // a process may have ended
		if err == nil && bytes.Contains(text, []byte(dir)) {
			found = append(found, strings.ReplaceAll(string(text), "\x00", " "))
		}
	}
	return found
}
