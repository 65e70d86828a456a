package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
)

func TestExitCode(t *testing.T) {
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tc := range []struct {
		name string
		ctx  context.Context
		err  error
		want int
	}{
		{"done", context.Background(), nil, exitOK},
		{"failed", context.Background(), errors.New("x"), exitFailed},
		{"reported", context.Background(), &outcome{exitFault, "x"}, exitFault},
		{"wrong use", context.Background(), fmt.Errorf("y: %w", usagef("x")), exitUsage},
		{"interrupted", cancelled, errors.New("x"), exitInterrupted},
		{"interrupted after the last step", cancelled, nil, exitInterrupted},
		{"cancelled below", context.Background(), fmt.Errorf("x: %w", context.Canceled), exitInterrupted},
	} {
		t.Run(tc.name, func(t *testing.T) { require.Equal(t, tc.want, exitCode(tc.ctx, tc.err)) })
	}
}

func TestExitTableIsInHelp(t *testing.T) {
	code, out, _ := runs(t, "--help")
	require.Equal(t, exitOK, code)
	for _, e := range exitTable {
		require.Contains(t, out, fmt.Sprintf("  %-5d %s\n", e.Code, e.Meaning))
	}
}

// TestEveryHelp keeps every command explained: a sentence, examples that name
// the command, and a sentence for each flag.
func TestEveryHelp(t *testing.T) {
	parser, err := newParser(&cli{}, func(int) {})
	require.NoError(t, err)
	leaves := parser.Model.Leaves(false)
	require.NotEmpty(t, leaves)
	for _, cmd := range leaves {
		name := commandName(cmd)
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, cmd.Help)
			require.Contains(t, cmd.Detail, "Examples:")
			require.Contains(t, cmd.Detail, "    tplkit "+name)
			for _, f := range append(cmd.Flags, parser.Model.Flags...) {
				require.True(t, strings.HasSuffix(f.Help, "."), "--%s: %q", f.Name, f.Help)
			}
			code, out, errs := runs(t, append(strings.Fields(name), "--help")...)
			require.Equal(t, exitOK, code)
			require.Empty(t, errs)
			require.Contains(t, out, "Exit status:")
		})
	}
}

func TestHelpExamplesParse(t *testing.T) {
	examples := 0
	for _, text := range append([]string{description}, details(t)...) {
		for line := range strings.Lines(text) {
			line, ok := strings.CutPrefix(line, "    ")
			if !ok {
				continue
			}
			line = strings.TrimSuffix(strings.TrimPrefix(line, "source <("), ")\n")
			for _, end := range []string{" #", " |", " >", " &&"} {
				line, _, _ = strings.Cut(line, end)
			}
			args := strings.Fields(line)
			if len(args) == 0 || args[0] != "tplkit" {
				continue
			}
			for i := range args {
				args[i] = strings.Trim(args[i], `'"`)
				if strings.HasPrefix(args[i], "<(") || strings.HasSuffix(args[i], ")") {
					args[i] = strings.Trim(args[i], "<()")
				}
			}
			parser, err := newParser(&cli{}, func(int) {}) // it remembers the flags that it has seen
			require.NoError(t, err)
			_, err = parser.Parse(args[1:])
			require.NoError(t, err, "%q", line)
			examples++
		}
	}
	require.Greater(t, examples, 15)
}

func details(t *testing.T) []string {
	t.Helper()
	parser, err := newParser(&cli{}, func(int) {})
	require.NoError(t, err)
	var out []string
	for _, cmd := range parser.Model.Leaves(false) {
		out = append(out, cmd.Detail)
	}
	return out
}

func TestCancelledBeforeItBegins(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(&interrupted{os.Interrupt})
	img := filepath.Join(t.TempDir(), "a.img")
	require.NoError(t, os.WriteFile(img, make([]byte, 4096), 0o644))
	code, out, errs := runsIn(ctx, t, "pack", "--json", img)
	require.Equal(t, exitInterrupted, code)
	require.Equal(t, "tplkit: interrupted (interrupt)\n", errs)
	var doc reportDocument
	require.NoError(t, json.Unmarshal([]byte(out), &doc))
	require.Equal(t, "interrupted (interrupt)", doc.Error)
	require.NoFileExists(t, img+".xz")

	code, _, errs = runsIn(ctx, t, "version")
	require.Equal(t, exitInterrupted, code, "an interrupted command is no success, even if it got to its end")
	require.Equal(t, "tplkit: interrupted (interrupt)\n", errs)
}

func TestStandardOutputThatFails(t *testing.T) {
	for _, args := range [][]string{
		{"version"}, {"version", "--json"}, {"completion", "fish"}, {"verify-hashes", t.TempDir()}, {"verify-hashes", "--json", t.TempDir()}, {"--help"},
		{"acl", "explain", "::1", "/repo/"}, {"acl", "explain", "--json", "::1", "/repo/"},
	} {
		var errs bytes.Buffer
		code := Run(context.Background(), args, failingWriter{}, &errs)
		require.Equal(t, exitFailed, code, "%q", args)
		require.Contains(t, errs.String(), io.ErrClosedPipe.Error(), "%q", args)
	}
}

func TestHints(t *testing.T) {
	for _, tc := range []struct {
		err     error
		command string
		want    string
	}{
		{usagef("x"), "", `"tplkit --help"`},
		{usagef("x"), "pack", `"tplkit pack --help"`},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "pack", "make room"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, "pack", "read-only"},
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "pack", "as a user who may"},
	} {
		require.Contains(t, hintFor(tc.err, tc.command), tc.want)
	}
	require.Contains(t, hintFor(&imagespec.MissingToolError{Tool: "virt-builder", Err: errors.New("x")}, "build"), "tplkit build -n")
	require.Empty(t, hintFor(errors.New("x"), "pack"))
}

func TestFailureDocumentsHaveTheCommandsShape(t *testing.T) {
	for command, want := range map[string]string{
		"":              `{"error":"x"}`,
		"version":       `{"error":"x"}`,
		"verify-hashes": `{"files":[],"summary":{},"error":"x"}`,
		"bench":         `{"file":"","sizes":{},"machine":{"processor":"","cores":0,"system":"","go":""},"jobs":0,"runs":0,"missing":[],"parts":[],"error":"x"}`,
		"xz-list":       `{"files":[],"summary":{},"error":"x"}`,
		"pack":          `{"items":[],"conflicts":[],"summary":{},"error":"x"}`,
	} {
		got, err := json.Marshal(failureDocument(command, errors.New("x")))
		require.NoError(t, err)
		require.Equal(t, want, string(got), command)
	}
	require.True(t, jsonAsked([]string{"--x", "--json"}))
	require.False(t, jsonAsked([]string{"--x", "--", "--json"}))
}

func TestReportOfEveryState(t *testing.T) {
	rep := &templates.Report{}
	for i, st := range stateOrder {
		rep.Add(templates.Item{Source: fmt.Sprint("s", i), State: st})
	}
	rep.Add(templates.Item{Destination: "repo/index", State: "new"})
	var out bytes.Buffer
	require.NoError(t, printReport(&out, rep, false))
	require.Contains(t, out.String(), "1 planned, 1 packed, 1 renamed, 1 unpacked, 1 built, 1 written, 1 unchanged, 1 skipped, 1 failed, 1 new\n")
	require.Contains(t, out.String(), "new        \"repo/index\"\n")
}

func TestReportCannotReachTheTerminal(t *testing.T) {
	evil := "a\x1b[2J\nb"
	rep := &templates.Report{Conflicts: []templates.Conflict{{
		Name: evil, Reason: evil, Entries: []templates.ConflictEntry{{Source: evil, Timestamp: time.Unix(0, 0)}},
	}}}
	rep.Add(templates.Item{Source: evil, Template: evil, Version: "v1", Destination: evil, State: templates.Failed, Error: evil + ": bad", Reason: evil})
	var out bytes.Buffer
	require.NoError(t, printReport(&out, rep, true))
	require.NotContains(t, out.String(), "\x1b")
	out.Reset()
	require.NoError(t, printVerify(&out, hashutil.NewVerifyReport([]hashutil.FileResult{{Path: evil, Sidecar: evil + "x", Status: hashutil.StatusUnreadable, Reason: evil}}), true, true))
	require.NotContains(t, out.String(), "\x1b")
}

func TestWithoutSubject(t *testing.T) {
	require.Equal(t, "bad", withoutSubject(`"a": bad`, "a", "b"))
	require.Equal(t, "bad", withoutSubject(`b: bad`, "a", "b"))
	require.Equal(t, `"c": bad`, withoutSubject(`"c": bad`, "a", ""))
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "65536": 65536, "1B": 1, "4K": 4096, "64KiB": 64 << 10, "16MiB": 16 << 20, "1G": 1 << 30, " 1GiB ": 1 << 30} {
		var b byteSize
		require.NoError(t, b.UnmarshalText([]byte(text)), text)
		require.Equal(t, want, int64(b), text)
	}
	for _, text := range []string{"", "MiB", "16MB", "-1", "1.5MiB", "16 MiB", "0x10", "9999999999GiB", "16MiBMiB", "1iB"} {
		var b byteSize
		require.Error(t, b.UnmarshalText([]byte(text)), text)
	}
}

func TestVersionOf(t *testing.T) {
	require.Equal(t, "(unknown)", versionOf(nil, false).Version)
	v := versionOf(&debug.BuildInfo{
		Main: debug.Module{Version: "v1.2.3"},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
		},
	}, true)
	require.Equal(t, "v1.2.3", v.Version)
	require.Equal(t, "abc", v.Revision)
	require.Equal(t, "2026-01-02T03:04:05Z", v.Time)
	require.True(t, v.Modified)
}

func TestMemoryLimit(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	limitMemory(func(string) (string, bool) { return "1GiB", true })
	require.Equal(t, before, debug.SetMemoryLimit(-1), "the operator's word counts")
	limitMemory(func(string) (string, bool) { return "", false })
	require.Less(t, debug.SetMemoryLimit(-1), before)
}

func TestSignals(t *testing.T) {
	ctx, stop := withSignals(context.Background())
	require.NoError(t, ctx.Err())
	stop()
	require.ErrorIs(t, context.Cause(ctx), context.Canceled)
}
