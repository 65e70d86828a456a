package clients_test

import (
	"crypto/sha1"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	diskMB  = 96
	debian  = "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nVERSION_CODENAME=bookworm\nID=debian\n"
	mibSize = 1 << 20
)

// rootTree makes the files of a guest that libguestfs takes for a Debian 12: a
// shell with its libraries, the files of a package manager, accounts.
func rootTree(t *testing.T, title string) string {
	t.Helper()
	need(t, "ldd")
	root := filepath.Join(t.TempDir(), "root")
	for _, d := range strings.Fields("dev proc sys run tmp home boot mnt root etc/apt usr/bin usr/sbin usr/lib usr/lib64 var/lib/dpkg/info var/log var/tmp") {
		require.NoError(t, os.MkdirAll(filepath.Join(root, d), 0o755))
	}
	for _, l := range []string{"bin", "sbin", "lib", "lib64"} {
		require.NoError(t, os.Symlink("usr/"+l, filepath.Join(root, l)))
	}
	for _, program := range strings.Fields("dash cat ls touch chmod mkdir rm cp mv ln id uname") {
		path, err := exec.LookPath(program)
		if err != nil {
			continue // the guest is less rich, no more
		}
		copyInto(t, filepath.Join(root, "usr/bin", program), path)
		libraries, err := exec.Command("ldd", path).Output()
		require.NoError(t, err)
		for _, field := range strings.Fields(string(libraries)) {
			if filepath.IsAbs(field) {
				copyInto(t, filepath.Join(root, "usr", strings.TrimPrefix(field, "/usr")), field)
			}
		}
	}
	require.NoError(t, os.Symlink("dash", filepath.Join(root, "usr/bin/sh")))
	for name, text := range map[string]string{
		"etc/os-release":      debian,
		"etc/debian_version":  "12.5\n",
		"etc/hostname":        title + "\n",
		"etc/hosts":           "127.0.0.1 localhost\n",
		"etc/fstab":           "LABEL=rootfs / ext4 errors=remount-ro 0 1\n",
		"etc/passwd":          "root:x:0:0:root:/root:/bin/sh\n",
		"etc/shadow":          "root:*:19000:0:99999:7:::\n",
		"etc/group":           "root:x:0:\n",
		"etc/gshadow":         "root:*::\n",
		"etc/machine-id":      "0123456789abcdef0123456789abcdef\n",
		"etc/pam.conf":        "password [success=1 default=ignore] pam_unix.so obscure yescrypt\n",
		"etc/title":           title + "\n",
		"var/lib/dpkg/status": "Package: base-files\nStatus: install ok installed\nPriority: required\nSection: admin\nMaintainer: A <a@example.com>\nArchitecture: amd64\nVersion: 12.4\nDescription: base\n\n",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	return root
}

func copyInto(t *testing.T, dst, src string) {
	t.Helper()
	data, err := os.ReadFile(src)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(dst), 0o755))
	require.NoError(t, os.WriteFile(dst, data, 0o755))
}

// rawDisk makes a raw disk with one ext4 partition: a guest with this title.
func rawDisk(t *testing.T, path, title string) {
	t.Helper()
	need(t, "sfdisk", "mke2fs")
	f, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(diskMB*mibSize))
	require.NoError(t, f.Close())
	sfdisk := client(t, "sfdisk", "-q", path)
	sfdisk.Stdin = strings.NewReader("label: dos\nlabel-id: 0x10203040\nstart=2048, type=83, bootable\n")
	out, err := sfdisk.CombinedOutput()
	require.NoError(t, err, "%s", out)
	run(t, "mke2fs", "-q", "-t", "ext4", "-F", "-L", "rootfs", "-d", rootTree(t, title),
		"-E", "offset="+strconv.Itoa(mibSize)+",root_owner=0:0", path, strconv.Itoa(diskMB-1)+"M")
}

func sha1File(t *testing.T, path string) string {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	h := sha1.New()
	_, err = io.Copy(h, f)
	require.NoError(t, err)
	return hex.EncodeToString(h.Sum(nil))
}

// identical holds that qemu-img finds the same guest data in two images.
func identical(t *testing.T, aFormat, a, bFormat, b string) {
	t.Helper()
	require.Contains(t, run(t, "qemu-img", "compare", "-f", aFormat, "-F", bFormat, a, b), "Images are identical.")
}

// sameBytes holds that two files are equal, as their digests tell.
func sameBytes(t *testing.T, want, got string) {
	t.Helper()
	require.Equal(t, sha1File(t, want), sha1File(t, got), "%s is not the same as %s", got, want)
}
