package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

func names(commands []measure.Command) []string {
	var out []string
	for _, c := range commands {
		out = append(out, c.Name)
	}
	return out
}

func TestBenchPlan(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	c := &benchCmd{File: "a.img", Level: []string{"fast"}}
	p, err := newBenchPlan(c, "/tmp/x", 1)
	require.NoError(t, err)
	require.Equal(t, []string{"xz", "pixz"}, p.missing)
	require.Equal(t, 1, p.workers)
	require.Equal(t, []string{"tplkit fast", "tplkit fast, no proof"}, names(p.parts[0].commands))
	require.Equal(t, []string{"tplkit -j1"}, names(p.parts[1].commands))
	require.Equal(t, []string{"tplkit -j1"}, names(p.parts[2].commands))
	first := p.parts[0].commands[0]
	require.Equal(t, "/tmp/x/reference.xz", first.Made, "what the first one makes is unpacked")
	require.Equal(t, first.Made, last(first.Args))
	require.True(t, first.Keep)
	require.Contains(t, p.parts[0].commands[1].Args, "/tmp/x/tplkit.xz")
	require.True(t, filepath.IsAbs(first.Args[len(first.Args)-2]))

	for _, tool := range []string{"xz", "pixz"} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, tool), []byte("#!/bin/true\n"), 0o755))
	}
	p, err = newBenchPlan(c, "/tmp/x", 3)
	require.NoError(t, err)
	require.Empty(t, p.missing)
	require.Equal(t, []string{"xz -9 -T3", "xz -9 -T1", "pixz -9", "tplkit fast", "tplkit fast, no proof"}, names(p.parts[0].commands))
	require.Equal(t, "/tmp/x/reference.xz", p.parts[0].commands[0].Stdout)
	require.Equal(t, []string{"xz -dc -T3", "xz -dc -T1", "pixz -d", "tplkit -j3", "tplkit -j1"}, names(p.parts[1].commands))
	require.Equal(t, []string{"xz -dc -T3", "tplkit -j3"}, names(p.parts[2].commands))
	for _, part := range p.parts {
		require.Equal(t, part.against, part.commands[0].Name)
	}
}

func TestBenchWantsRoom(t *testing.T) {
	free, known, err := publish.FreeSpace(t.TempDir())
	require.NoError(t, err)
	if !known {
		t.Skip("free space is not known here")
	}
	c := &benchCmd{Dir: t.TempDir()}
	_, err = c.makeDir(templates.Sizes{Apparent: free})
	require.ErrorContains(t, err, "of free space for the temporary files, found ")
	left, err := os.ReadDir(c.Dir)
	require.NoError(t, err)
	require.Empty(t, left)
	_, err = c.makeDir(templates.Sizes{Apparent: free, Allocated: 4096})
	require.NoError(t, err, "holes take no room")
	_, err = (&benchCmd{Dir: filepath.Join(c.Dir, "gone")}).makeDir(templates.Sizes{Apparent: 1})
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestBenchPartIsChecked(t *testing.T) {
	p := benchPart{name: "unpacking", made: true}
	results := []measure.Result{{Name: "xz", Cost: measure.Cost{Size: 10}}, {Name: "quick", Cost: measure.Cost{Size: 9}}}
	require.EqualError(t, p.check(results, 10), "unpacking: quick: expected 10 bytes of content, found 9")
	require.NoError(t, p.check(results[:1], 10))
	require.NoError(t, (&benchPart{}).check(results, 10))
}

func TestBenchDocument(t *testing.T) {
	part := benchPart{name: "packing", against: "xz"}
	results := []measure.Result{
		{Name: "xz", Cost: measure.Cost{Wall: 2 * time.Second, CPU: 4 * time.Second, Memory: 1 << 20, Size: 1000}},
		{Name: "tplkit", Cost: measure.Cost{Wall: time.Second, CPU: 3 * time.Second, Memory: 2 << 20, Size: 999}},
	}
	doc := benchDocument{
		File: "a\x1b.img", Sizes: templates.Sizes{Apparent: 3e6, Allocated: 1e6}, Machine: measure.Machine{Processor: "P", Cores: 2, System: "S", Go: "go1", XZ: "xz 5"},
		Jobs: 1, Runs: 3, Missing: []string{"pixz"}, Parts: []benchPartReport{newBenchPart(part, results, 3e6)},
	}
	got, err := json.Marshal(doc)
	require.NoError(t, err)
	require.Equal(t, `{"file":"a\u001b.img","sizes":{"apparent":3000000,"allocated":1000000},`+
		`"machine":{"processor":"P","cores":2,"system":"S","go":"go1","xz":"xz 5"},"jobs":1,"runs":3,"missing":["pixz"],`+
		`"parts":[{"name":"packing","against":"xz","commands":[`+
		`{"command":"xz","wall":2,"cpu":4,"rate":1.5,"memory":1048576,"size":1000,"ratio":{"wall":1,"cpu":1,"size":1}},`+
		`{"command":"tplkit","wall":1,"cpu":3,"rate":3,"memory":2097152,"size":999,"ratio":{"wall":0.5,"cpu":0.75,"size":0.999}}]}]}`, string(got))

	var out strings.Builder
	require.NoError(t, doc.print(&out))
	require.Contains(t, out.String(), "\"a\\x1b.img\": 2.9 MiB, 976.6 KiB of it on disk\nP, 2 cores, S, go1, xz 5; 1 worker; medians of 3\n\n### Packing\n\n| command ")
	require.ErrorContains(t, doc.print(failingWriter{}), "closed pipe")
	require.Empty(t, newBenchPart(benchPart{against: "gone"}, results, 1).Against)

	got, err = json.Marshal(newBenchFailure(errors.New("x")))
	require.NoError(t, err)
	require.Contains(t, string(got), `"missing":[],"parts":[],"error":"x"`)
}

func TestBenchStep(t *testing.T) {
	dir := t.TempDir()
	src, packed, unpacked := filepath.Join(dir, "a"), filepath.Join(dir, "a.xz"), filepath.Join(dir, "b")
	content := []byte(strings.Repeat("tplkit ", 1000))
	require.NoError(t, os.WriteFile(src, content, 0o644))
	for _, args := range [][]string{
		{"bench-step", "pack", src, packed}, {"bench-step", "--level", "fast", "--no-proof", "pack", src, packed},
		{"bench-step", "discard", packed}, {"bench-step", "unpack", packed, unpacked},
	} {
		code, out, errs := runs(t, args...)
		require.Equal(t, exitOK, code, errs)
		require.Empty(t, out+errs)
	}
	got, err := os.ReadFile(unpacked)
	require.NoError(t, err)
	require.Equal(t, content, got)
	for want, args := range map[int][]string{
		exitUsage: {"bench-step", "discard", packed, unpacked}, exitFailed: {"bench-step", "unpack", src, unpacked},
	} {
		code, _, _ := runs(t, args...)
		require.Equal(t, want, code)
	}
}
