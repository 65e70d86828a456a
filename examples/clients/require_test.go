package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// required says that no client may be missing.
var required = os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1"

// packages tells the Debian package of each program.
var packages = map[string]string{
	"xz": "xz-utils", "qemu-img": "qemu-utils", "nbdkit": "nbdkit", "nbdcopy": "libnbd-bin", "mke2fs": "e2fsprogs", "sfdisk": "fdisk",
	"virt-builder": "guestfs-tools", "virt-index-validate": "guestfs-tools", "virt-customize": "guestfs-tools", "virt-sysprep": "guestfs-tools",
	"virt-sparsify": "guestfs-tools", "virt-inspector": "guestfs-tools", "virt-filesystems": "guestfs-tools", "guestfish": "libguestfs-tools", "ldd": "libc-bin",
	"curl": "curl", "wget": "wget", "rclone": "rclone", "lftp": "lftp",
}

func TestMain(m *testing.M) {
	// Debian keeps mke2fs and sfdisk out of an ordinary user's path.
	_ = os.Setenv("PATH", os.Getenv("PATH")+":/usr/sbin:/sbin")
	status := m.Run()
	if binaryDir != "" {
		_ = os.RemoveAll(binaryDir)
	}
	os.Exit(status)
}

// need ends the test if a program is missing.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err == nil {
			continue
		}
		pkg, ok := packages[p]
		require.True(t, ok, "%s: its Debian package is not listed", p)
		if required {
			t.Fatalf("needs %s (Debian: %s)", p, pkg)
		}
		t.Skipf("needs %s (Debian: %s)", p, pkg)
	}
}

// run runs a client in an environment where it neither sees the user's settings
// nor asks the network, and gives its standard output.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	cmd := client(t, program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s%s", cmd, out, stderr.String())
	return string(out)
}

func client(t *testing.T, program string, args ...string) *exec.Cmd {
	t.Helper()
	need(t, program)
	cmd := exec.CommandContext(t.Context(), program, args...)
	private := t.TempDir()
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + private, "LC_ALL=C",
		"XDG_CONFIG_HOME=" + private, "XDG_CACHE_HOME=" + private,
		"VIRT_BUILDER_DIRS=/nonexistent", // else it tries the public sources
		"LIBGUESTFS_BACKEND=direct",
		"LIBGUESTFS_BACKEND_SETTINGS=force_tcg", // /dev/kvm may exist and still not work
		"LIBGUESTFS_CACHEDIR=/var/tmp",
	}
	return cmd
}

var (
	binaryDir string
	binary    = sync.OnceValues(func() (string, error) {
		dir, err := os.MkdirTemp("", "tplkit-clients-")
		if err != nil {
			return "", err
		}
		binaryDir = dir
		path := filepath.Join(dir, "tplkit")
		out, err := exec.Command("go", "build", "-o", path, "github.com/tplkit/tplkit/cmd/tplkit").CombinedOutput()
		if err != nil {
			return "", fmt.Errorf("build of cmd/tplkit: %w\n%s", err, out)
		}
		return path, nil
	})
)

// command is the true command, built once.
func command(t *testing.T) string {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	return path
}
