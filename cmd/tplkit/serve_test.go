package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

const deployDir = "../../examples/deploy"

// The command lines in the files that admins start from are understood by this program.
func TestDeploymentFiles(t *testing.T) {
	_, err := acl.ParseFile(filepath.Join(deployDir, "policy"))
	require.NoError(t, err)
	found := 0
	for _, name := range []string{"tplkit-serve.service", "README.md"} {
		text, err := os.ReadFile(filepath.Join(deployDir, name))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			line = strings.TrimPrefix(strings.TrimSpace(line), "ExecStart=/usr/local/bin/")
			line, _, _ = strings.Cut(line, " && ")
			line, _, _ = strings.Cut(line, " #")
			args := strings.Fields(line)
			if len(args) < 2 || args[0] != "tplkit" {
				continue
			}
			found++
			var c cli
			parser, err := newParser(&c, func(int) {})
			require.NoError(t, err)
			_, err = parser.Parse(args[1:])
			require.NoError(t, err, "%s: %s", name, line)
		}
	}
	require.GreaterOrEqual(t, found, 4)
}

func TestUnitsAreUnderstood(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed (Debian package systemd)")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "tplkit")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755))
	var units []string
	for _, name := range []string{"tplkit-serve.service", "tplkit-serve.socket", "tplkit-serve-https.socket"} {
		text, err := os.ReadFile(filepath.Join(deployDir, name))
		require.NoError(t, err)
		unit := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(unit, []byte(strings.ReplaceAll(string(text), "/usr/local/bin/tplkit", program)), 0o644))
		units = append(units, unit)
	}
	cmd := exec.Command(analyze, append([]string{"verify"}, units...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	for line := range strings.Lines(string(out)) {
		require.NotContains(t, line, dir+"/", "%s", line)
	}
}
