//go:build linux

package clients_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// running are the programs with dir in their command line.
func running(t *testing.T, dir string) (programs []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range lines {
		line, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		if bytes.Contains(line, []byte(dir)) {
			program, _, _ := bytes.Cut(line, []byte{0})
			programs = append(programs, filepath.Base(string(program)))
		}
	}
	return programs
}

// TestBuildIsInterrupted presses Ctrl-C while an appliance is at work.
func TestBuildIsInterrupted(t *testing.T) {
	need(t, "virt-builder", "virt-customize", "virt-sysprep", "virt-sparsify", "virt-inspector", "virt-filesystems", "guestfish", "qemu-img", "sfdisk", "mke2fs", "xz")
	if testing.Short() {
		t.Skip("takes half a minute under emulation")
	}
	b := newBuilder(t)
	dir := filepath.Dir(b.specs)
	require.NoError(t, os.RemoveAll(b.specs))
	b.spec("slow", specText("simple:"+b.source.url+"/"+b.source.images[0].handle+".xz", "slow")+"run-command sleep 600\n")

	cmd := b.client(command(t), "build", "--space=600MiB", "--repo-name", "built", "--base-url", "http://templates.example/repo")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	require.NoError(t, cmd.Start())
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	appliance := func() bool {
		for _, program := range running(t, dir) {
			if strings.HasPrefix(program, "qemu-system") {
				return true
			}
		}
		return false
	}
	for deadline := time.Now().Add(2 * time.Minute); !appliance(); time.Sleep(100 * time.Millisecond) {
		select {
		case err := <-done:
			require.Fail(t, "the build ended by itself", "%v\n%s", err, output.String())
		default:
		}
		if time.Now().After(deadline) {
			cmd.Process.Kill() //nolint:errcheck // the test fails in any case
			require.Fail(t, "no appliance was started", output.String())
		}
	}
	time.Sleep(2 * time.Second) // it boots

	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		cmd.Process.Kill() //nolint:errcheck // the test fails in any case
		require.Fail(t, "the build goes on", output.String())
	}
	require.Equal(t, 130, cmd.ProcessState.ExitCode(), output.String())
	require.Contains(t, output.String(), "interrupted")
	require.Eventually(t, func() bool { return len(running(t, dir)) == 0 }, 10*time.Second, 100*time.Millisecond, "left: %v", running(t, dir))
	for pattern, what := range map[string]string{"slow*": "of the image was published", ".*": "of the staging was left"} {
		found, err := filepath.Glob(filepath.Join(b.repo, pattern))
		require.NoError(t, err)
		require.Empty(t, found, "something "+what)
	}
}
