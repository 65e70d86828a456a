package lagorepo_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// client returns the path of a program that reads a repository in earnest.
func client(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatalf("%s is required: install the Debian package guestfs-tools", name)
		}
		t.Skipf("%s is not installed (Debian package guestfs-tools)", name)
	}
	return path
}

// virt-index-validate and virt-builder read the index that was written, and find
// the templates in it.
func TestClientsReadTheIndex(t *testing.T) {
	validate, builder := client(t, "virt-index-validate"), client(t, "virt-builder")
	r := newRepo(t).
		template("el8.2-base", disk(1, 200_000), `{"name": "EL „8.2“", "version": "v3", "arch": "x86_64", "osinfo": "rhel8.2"}`).
		template("lago+Fedora-22", qcow2(0), `{"arch": "aarch64"}`).
		template("no-arch", disk(2, 5000), `{}`)
	r.write(named)

	home := t.TempDir()
	run := func(program string, args ...string) []byte {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "LC_ALL=C.UTF-8", "XDG_CONFIG_HOME=" + home, "XDG_CACHE_HOME=" + home,
			"VIRT_BUILDER_DIRS=/nonexistent", "LIBGUESTFS_BACKEND=direct"}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		require.NoError(t, err, stderr.String())
		return out
	}
	index := filepath.Join(r.dir, "repo", "index")
	run(validate, index)
	var list struct {
		Templates []struct {
			ID   string `json:"os-version"`
			Name string `json:"full-name"`
			Arch string `json:"arch"`
			Size int64  `json:"size"`
		} `json:"templates"`
	}
	require.NoError(t, json.Unmarshal(run(builder, "--source", "file://"+index, "--no-check-signature", "--list", "--list-format", "json"), &list))
	require.Len(t, list.Templates, 2)
	require.Equal(t, "el8.2-base", list.Templates[0].ID)
	require.Equal(t, "EL „8.2“", list.Templates[0].Name)
	require.EqualValues(t, 200_000, list.Templates[0].Size)
	require.Equal(t, "lago-Fedora-22", list.Templates[1].ID)
	require.Equal(t, "aarch64", list.Templates[1].Arch)
	require.EqualValues(t, 1<<30, list.Templates[1].Size)
}
