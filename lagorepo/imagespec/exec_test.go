//go:build unix

package imagespec_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

// script makes a tool of a shell script and finds nothing out about it.
func script(t *testing.T, name, text string) imagespec.Tool {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755))
	return imagespec.Tool{Name: name, Path: path, Version: "1"}
}

// toolError runs a command that must fail as a tool does.
func toolError(t *testing.T, r imagespec.Runner, c imagespec.Command) *imagespec.ToolError {
	t.Helper()
	var failed *imagespec.ToolError
	require.ErrorAs(t, r.Run(t.Context(), c), &failed)
	return failed
}

func TestExecPassesArgumentsAsTheyAre(t *testing.T) {
	tool := script(t, "show", `for a in "$@"; do printf '<%s>' "$a"; done`)
	args := []string{"a b", "", "$(touch made)", "; rm -rf x", "`id`", "*", "'\"\\", "zażółć", "new\nline", "-n"}
	var out bytes.Buffer
	dir := t.TempDir()
	require.NoError(t, imagespec.Exec{}.Run(t.Context(), imagespec.Command{Tool: tool, Args: args, Dir: dir, Stdout: &out}))
	require.Equal(t, "<"+strings.Join(args, "><")+">", out.String())
	list, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Empty(t, list)
}

func TestExecSetsTheEnvironment(t *testing.T) {
	tool := script(t, "show", `echo "$OWN $BOTH $GIVEN $DEFAULT $KEPT $PWD"; pwd; cat`)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	var out bytes.Buffer
	r := imagespec.Exec{Env: []string{"PATH=" + os.Getenv("PATH"), "OWN=own", "BOTH=own", "KEPT=own"}}
	require.NoError(t, r.Run(t.Context(), imagespec.Command{
		Tool: tool, Dir: dir, Stdout: &out,
		Env:      []string{"BOTH=given", "GIVEN=given"},
		Defaults: []string{"DEFAULT=default", "KEPT=default", "GIVEN=default"},
	}))
	require.Equal(t, "own given given default own "+dir+"\n"+dir+"\n", out.String(), "and standard input is empty")

	t.Setenv("OWN", "process")
	out.Reset()
	require.NoError(t, imagespec.Exec{}.Run(t.Context(), imagespec.Command{Tool: tool, Stdout: &out, Defaults: []string{"OWN=default"}}))
	require.True(t, strings.HasPrefix(out.String(), "process "), out.String())
}

func TestExecSortsOutput(t *testing.T) {
	tool := script(t, "both", "echo one; echo two >&2; echo three")
	var out, log bytes.Buffer
	require.NoError(t, imagespec.Exec{}.Run(t.Context(), imagespec.Command{Tool: tool, Stdout: &out, Log: &log}))
	require.Equal(t, "one\nthree\n", out.String())
	require.Equal(t, "two\n", log.String())
	log.Reset()
	require.NoError(t, imagespec.Exec{}.Run(t.Context(), imagespec.Command{Tool: tool, Log: &log}))
	require.Equal(t, "one\ntwo\nthree\n", log.String(), "in the order in which it was said")
	require.NoError(t, imagespec.Exec{}.Run(t.Context(), imagespec.Command{Tool: tool}))
}

func TestExecTellsOfFailures(t *testing.T) {
	tests := map[string]struct {
		tool imagespec.Tool
		code int
		want string
	}{
		"exit status":    {script(t, "fails", "exit 3"), 3, "exit status 3"},
		"killed":         {script(t, "killed", "kill -9 $$"), -1, "ended from outside"},
		"no interpreter": {imagespec.Tool{Name: "odd", Path: odd(t)}, -1, "could not be started"},
		"not found":      {imagespec.Tool{Name: "gone", Path: "/nonexistent/gone"}, -1, "could not be started"},
		"relative":       {imagespec.Tool{Name: "sh", Path: "sh"}, -1, "absolute path"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := toolError(t, imagespec.Exec{}, imagespec.Command{Tool: tt.tool, Args: []string{"--add=my image"}})
			require.Equal(t, tt.code, err.ExitCode)
			require.Equal(t, tt.tool.Name, err.Tool)
			require.ErrorContains(t, err, tt.want)
			require.ErrorContains(t, err, tt.tool.Name+" '--add=my image': ")
			require.Zero(t, err.Timeout)
		})
	}
}

// odd is a script for an interpreter that is not there.
func odd(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "odd")
	require.NoError(t, os.WriteFile(path, []byte("#!/nonexistent/interpreter\n"), 0o755))
	return path
}

// What an error quotes means the same to a shell.
func TestToolErrorCanBePasted(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash: Debian package bash")
	}
	tool := script(t, "show tool", `for a in "$@"; do printf '<%s>' "$a"; done`)
	args := []string{"plain", "--a=b,c:d@e%f+1", "", "a b", "it's", `\`, "$HOME", "*", "~", "#x", "!!", "{a,b}", "é", "new\nline", "tab\t'", "\x1b[31m", "\xff", "a\u202eb", "=ls"}
	failed := &imagespec.ToolError{Tool: tool.Path, Args: args, Err: errors.New("failed")}
	line, found := strings.CutSuffix(failed.Error(), ": failed")
	require.True(t, found)
	require.NotContains(t, line, "\x1b")
	require.NotContains(t, line, "\n")
	out, err := exec.CommandContext(t.Context(), bash, "-c", line).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Equal(t, "<"+strings.Join(args, "><")+">", string(out))
}

func TestExecFindsTools(t *testing.T) {
	good := script(t, "virt-builder", "echo virt-builder 1.48.2")
	qemu := script(t, "qemu-img", `echo "qemu-img version 7.2.9 (Debian 1:7.2+dfsg-7)"; echo "Copyright 2003"`)
	silent := script(t, "virt-sysprep", "echo no version here")
	broken := script(t, "virt-sparsify", "echo a library is missing >&2; exit 127")
	endless := script(t, "virt-inspector", "while :; do echo 0123456789; done")
	plain := script(t, "virt-customize", "")
	require.NoError(t, os.Chmod(plain.Path, 0o644))
	path := "PATH=relative::/nonexistent"
	for _, tool := range []imagespec.Tool{good, qemu, silent, broken, endless, plain} {
		path += ":" + filepath.Dir(tool.Path)
	}
	r := imagespec.Exec{Env: []string{"PATH=/nonexistent", path}}

	found, err := r.Find(t.Context(), "virt-builder")
	require.NoError(t, err)
	require.Equal(t, imagespec.Tool{Name: "virt-builder", Path: good.Path, Version: "1.48.2"}, found)
	found, err = r.Find(t.Context(), "qemu-img")
	require.NoError(t, err)
	require.Equal(t, "7.2.9", found.Version)
	found, err = r.Find(t.Context(), good.Path)
	require.NoError(t, err)
	require.Equal(t, imagespec.Tool{Name: good.Path, Path: good.Path, Version: "1.48.2"}, found)

	var missing *imagespec.MissingToolError
	for _, r := range []imagespec.Exec{r, {Env: []string{}}, {Env: []string{"PATH=."}}} {
		_, err = r.Find(t.Context(), "virt-customize")
		require.ErrorAs(t, err, &missing)
		require.ErrorIs(t, err, exec.ErrNotFound)
		require.ErrorContains(t, err, "guestfs-tools")
	}
	_, err = r.Find(t.Context(), "virt-sysprep")
	require.ErrorContains(t, err, "expected a version")
	_, err = r.Find(t.Context(), "virt-sparsify")
	require.ErrorContains(t, err, "a library is missing")
	require.ErrorContains(t, err, "exit status 127")
	_, err = r.Find(t.Context(), "virt-inspector")
	require.ErrorContains(t, err, "more output than expected")

	t.Setenv("PATH", filepath.Dir(good.Path))
	_, err = imagespec.Exec{}.Find(t.Context(), "virt-builder")
	require.NoError(t, err)
	_, err = imagespec.Exec{}.Find(t.Context(), "qemu-img")
	require.ErrorContains(t, err, "qemu-utils")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	_, err = r.Find(ctx, "virt-builder")
	require.ErrorIs(t, err, errStop)
}

func TestExecTakesMuchOutput(t *testing.T) {
	tool := script(t, "much", "yes 0123456789012345678901234567890123456789 | head -c 30000000; exit 1")
	n := new(byteCount)
	err := toolError(t, imagespec.Exec{}, imagespec.Command{Tool: tool, Log: n})
	require.Equal(t, 1, err.ExitCode)
	require.EqualValues(t, 30_000_000, *n)
}

type byteCount int64

func (c *byteCount) Write(p []byte) (int, error) {
	*c += byteCount(len(p))
	return len(p), nil
}

// brokenWriter takes some bytes and then nothing more, like a full disk.
type brokenWriter struct{ room int }

var errFull = errors.New("no room left")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestExecEndsAToolWhoseOutputCannotBeKept(t *testing.T) {
	tool := script(t, "endless", "exec yes")
	for name, c := range map[string]imagespec.Command{
		"log":    {Tool: tool, Log: &brokenWriter{1 << 20}},
		"stdout": {Tool: tool, Stdout: &brokenWriter{1 << 20}, Log: io.Discard},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			err := toolError(t, imagespec.Exec{}, c)
			require.ErrorIs(t, err, errFull)
			require.ErrorContains(t, err, "could not be kept")
			require.Less(t, time.Since(began), 4*time.Second)
		})
	}
}

func ExampleToolError() {
	r := imagespec.Exec{}
	tool := imagespec.Tool{Name: "sh", Path: "/bin/sh"}
	err := r.Run(context.Background(), imagespec.Command{Tool: tool, Args: []string{"-c", "exit 4"}})
	var failed *imagespec.ToolError
	if errors.As(err, &failed) {
		fmt.Println(failed.ExitCode)
	}
	fmt.Println(err)
	// Output:
	// 4
	// sh -c 'exit 4': exit status 4
}
