package clients_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/xzpack"
)

func TestRecoveredTree(t *testing.T) {
	need(t, "sfdisk", "mke2fs", "qemu-img", "ldd")
	r := recoverStore(t)
	for name, test := range map[string]func(*testing.T, recovered){
		"virt-index-validate":   indexIsValid,
		"virt-builder lists":    builderLists,
		"xz":                    xzReads,
		"nbdkit":                nbdkitReads,
		"unpacked by xz":        xzUnpacks,
		"unpacked by tplkit":    tplkitUnpacks,
		"fetched by lago":       lagoFetches,
		"built by virt-builder": builderBuilds,
	} {
		t.Run(name, func(t *testing.T) { test(t, r) })
	}
}

func indexIsValid(t *testing.T, r recovered) {
	require.Contains(t, run(t, "virt-index-validate", filepath.Join(r.repo, "index")), "validated OK")
}

func builderLists(t *testing.T, r recovered) {
	for _, source := range []string{"file://" + r.repo + "/index", r.url + "/index"} {
		out := run(t, "virt-builder", "--source", source, "--no-check-signature", "--no-cache", "--list", "--list-format", "json")
		var list struct {
			Templates []struct {
				ID      string `json:"os-version"`
				Arch    string
				Size    int64
				Packed  string `json:"compressed-size"`
				FullURI string `json:"uri"`
			}
		}
		require.NoError(t, json.Unmarshal([]byte(out), &list), out)
		require.Len(t, list.Templates, len(r.images), out)
		for i, got := range list.Templates {
			st, err := os.Stat(r.packed(r.images[i]))
			require.NoError(t, err)
			require.Equal(t, r.images[i].handle, got.ID)
			require.Equal(t, "x86_64", got.Arch)
			require.EqualValues(t, diskMB*mibSize, got.Size, "the virtual size")
			require.Equal(t, strconv.FormatInt(st.Size(), 10), got.Packed)
		}
		long := run(t, "virt-builder", "--source", source, "--no-check-signature", "--no-cache", "--list", "--list-format", "long")
		require.Contains(t, long, "guest-raw")
	}
}

func xzReads(t *testing.T, r recovered) {
	for _, i := range r.images {
		run(t, "xz", "-t", r.packed(i))
		blocks := 0
		for line := range strings.Lines(run(t, "xz", "--robot", "-lvv", r.packed(i))) {
			field := strings.Split(strings.TrimSpace(line), "\t")
			switch field[0] {
			case "stream":
				require.Equal(t, "CRC64", field[8], line)
			case "block":
				blocks++
				require.Equal(t, "CRC64", field[9], line)
				require.Equal(t, "cu", field[12], "flags: both sizes must be in the header: %s", line)
				require.True(t, strings.HasPrefix(field[15], "--lzma2="), line)
			}
		}
		require.Positive(t, blocks)
	}
}

func nbdkitReads(t *testing.T, r recovered) {
	need(t, "nbdcopy")
	for _, i := range r.images {
		// As raw, since it is the bytes of the qcow2 that nbdkit serves.
		copied := filepath.Join(t.TempDir(), "copy")
		run(t, "nbdkit", "-U", "-", "--filter=xz", "file", r.packed(i), "--run", `nbdcopy "$uri" `+copied)
		st, err := os.Stat(i.source)
		require.NoError(t, err)
		require.NoError(t, os.Truncate(copied, st.Size())) // nbdkit serves whole sectors
		sameBytes(t, i.source, copied)
		out := run(t, "nbdkit", "-U", "-", "--filter=xz", "file", r.packed(i), "--run",
			fmt.Sprintf(`qemu-img compare -f %s -F %[1]s "$uri" %s`, i.format, i.source))
		require.Contains(t, out, "Images are identical.")
	}
}

func xzUnpacks(t *testing.T, r recovered) {
	for _, i := range r.images {
		unpacked := filepath.Join(t.TempDir(), "unpacked.xz")
		copyInto(t, unpacked, r.packed(i))
		run(t, "xz", "--threads=0", "--decompress", unpacked)
		unpacked = strings.TrimSuffix(unpacked, ".xz")
		sameBytes(t, i.source, unpacked)
		identical(t, i.format, i.source, i.format, unpacked)
	}
}

func tplkitUnpacks(t *testing.T, r recovered) {
	for _, i := range r.images {
		packed, err := os.Open(r.packed(i))
		require.NoError(t, err)
		defer packed.Close()
		st, err := packed.Stat()
		require.NoError(t, err)
		reader, err := xzpack.Open(packed, st.Size(), xzpack.OpenOptions{})
		require.NoError(t, err)
		path := filepath.Join(t.TempDir(), "unpacked")
		dst, err := os.Create(path)
		require.NoError(t, err)
		require.NoError(t, reader.Unpack(t.Context(), dst, xzpack.UnpackOptions{}))
		require.NoError(t, dst.Close())
		sameBytes(t, i.source, path)
		identical(t, i.format, i.source, i.format, path)
	}
}

// builderBuilds makes a new guest out of the template, as a user would, and
// looks into it.
func builderBuilds(t *testing.T, r recovered) {
	need(t, "virt-builder", "guestfish")
	if testing.Short() {
		t.Skip("takes half a minute under emulation")
	}
	guest := filepath.Join(t.TempDir(), "guest.img")
	run(t, "virt-builder", "guest-raw", "--source", r.url+"/index", "--no-check-signature", "--no-network",
		"--root-password", "disabled", "--write", "/etc/built:yes", "-o", guest)
	out := run(t, "guestfish", "--ro", "--format=raw", "-a", guest, "-m", "/dev/sda1", "cat", "/etc/title", ":", "cat", "/etc/built")
	require.Equal(t, "guest-raw\n\nyes\n", out)
}
