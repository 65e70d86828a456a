package clients_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

// builder is where repositories are built from specs: the command with the
// settings of one user, whose virt-builder knows one repository.
type builder struct {
	t                   *testing.T
	specs, repo, config string
	source              recovered // the repository that the bases come from
}

const motd = "Grüße\nfrom  a spec\n"

// history is a file that the specs write and sysprep removes.
const history = "/root/.bash_history"

// specText is what all specs begin with.
func specText(base, id string) string {
	return fmt.Sprintf("#base=%s\n#name=%s\n#distro=deb12\n#osinfo=debian12\n#arch=x86_64\n#expand=/dev/sda1\n# no property: a comment\nwrite %s:typed\n", base, id, history)
}

// newBuilder writes three specs: one on a template of virt-builder, one on a
// file of a web server, one on the first.
func newBuilder(t *testing.T) *builder {
	dir := t.TempDir()
	b := &builder{t: t, specs: filepath.Join(dir, "image-specs"), repo: filepath.Join(dir, "image-repo"), config: filepath.Join(dir, "config"), source: recoverStore(t)}
	b.write(filepath.Join(b.config, "virt-builder/repos.d/source.conf"), "[source]\nuri="+b.source.url+"/index\n")
	web := b.source.images[0]
	packed, err := os.ReadFile(b.source.packed(web))
	require.NoError(t, err)
	sum := sha256.Sum256(packed)
	b.spec("deb12-base", specText("libguestfs:guest-raw", "deb12-base")+
		"write /etc/motd:Grüße\\\nfrom  a spec\\\n\n#trailing blanks:  \nedit /etc/hostname: s/^.*$/edited/\nrun-command echo ran > /etc/ran")
	b.spec("deb12-top", specText("layer:deb12-base", "deb12-top")+"#version=v7\nwrite /etc/top:on top\nrun-command cat /etc/motd > /etc/seen\n")
	b.spec("web", specText("simple:"+b.source.url+"/"+web.handle+".xz#sha256="+hex.EncodeToString(sum[:]), "web")+"write /etc/web:from the web\n")
	return b
}

func (b *builder) write(path, text string) {
	b.t.Helper()
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(b.t, os.WriteFile(path, []byte(text), 0o644))
}

func (b *builder) spec(id, text string) { b.write(filepath.Join(b.specs, id), text) }

// client is a program with the settings of this user.
func (b *builder) client(program string, args ...string) *exec.Cmd {
	cmd := client(b.t, program, args...)
	cmd.Dir = filepath.Dir(b.specs)
	cmd.Env = append(cmd.Env, "XDG_CONFIG_HOME="+b.config)
	return cmd
}

// build runs the command and gives what it says of each item, by what it says it
// of.
func (b *builder) build(args ...string) map[string]templates.Item {
	b.t.Helper()
	cmd := b.client(command(b.t), append([]string{"build", "--json", "--space=600MiB", "--layered"}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(b.t, err, "%s\n%s%s", cmd, out, stderr.String())
	b.t.Log(stderr.String())
	var report templates.Report
	require.NoError(b.t, json.Unmarshal(out, &report), string(out))
	items := make(map[string]templates.Item)
	for _, it := range report.Items {
		if it.Handle == "" {
			it.Handle = filepath.Base(it.Destination)
		}
		items[it.Handle] = it
	}
	return items
}

// TestBuiltFromSpecs builds a repository with the true tools, has lago and
// virt-builder use it, and builds it again.
func TestBuiltFromSpecs(t *testing.T) {
	need(t, "virt-builder", "virt-customize", "virt-sysprep", "virt-sparsify", "virt-inspector", "virt-filesystems", "guestfish", "qemu-img", "sfdisk", "mke2fs", "xz")
	if testing.Short() {
		t.Skip("takes minutes under emulation")
	}
	b := newBuilder(t)
	base, _ := serve(t, filepath.Dir(b.repo))
	url := base + "/" + filepath.Base(b.repo)
	ids := []string{"deb12-base", "deb12-top", "web"}

	items := b.build("--repo-name", "built", "--base-url", url, "-j", "2")
	for _, id := range ids {
		require.Equal(t, templates.Built, items[id].State, "%+v", items[id])
		require.Equal(t, "new", items[id].Reason, "the image is what its spec says")
	}
	require.Equal(t, templates.Written, items["index"].State)
	hidden, err := filepath.Glob(filepath.Join(b.repo, ".*"))
	require.NoError(t, err)
	require.Empty(t, hidden, "staging was left")

	clientsUse(t, b.repo, url)
	t.Run("again", func(t *testing.T) {
		before := fingerprint(t, b.repo)
		items := b.build()
		for _, id := range append(ids, "index", "repo.metadata") {
			require.Equal(t, templates.Unchanged, items[id].State, "%+v", items[id])
		}
		require.Equal(t, "unchanged", items["deb12-base"].Reason)
		require.Equal(t, before, fingerprint(t, b.repo))

		b.spec("deb12-base", specText("libguestfs:guest-raw", "deb12-base"))
		items = b.build("-n")
		require.Equal(t, "spec changed", items["deb12-base"].Reason)
		require.Equal(t, "base changed", items["deb12-top"].Reason)
		require.Equal(t, "unchanged", items["web"].Reason)
	})
}

// clientsUse has the clients take what was built.
func clientsUse(t *testing.T, repo, url string) {
	t.Run("virt-index-validate", func(t *testing.T) {
		require.Contains(t, run(t, "virt-index-validate", filepath.Join(repo, "index")), "validated OK")
	})
	// Of each, what its spec wrote, and nothing of what sysprep takes away.
	for id, want := range map[string]struct{ version, files, content string }{
		"deb12-base": {"latest", "/etc/motd /etc/hostname /etc/ran", motd + "\nedited\n\nran\n\n"},
		"deb12-top":  {"v7", "/etc/motd /etc/top /etc/seen", motd + "\non top\n" + motd + "\n"},
		"web":        {"latest", "/etc/web /etc/title", "from the web\nguest-qcow2\n\n"},
	} {
		t.Run("lago fetches "+id, func(t *testing.T) {
			disk := lagoDownload(t, url+"/repo.metadata", id, want.version)
			args := []string{"--ro", "--format=raw", "-a", disk, "-m", "/dev/sda1"}
			for _, path := range strings.Fields(want.files) {
				args = append(args, "cat", path, ":")
			}
			require.Equal(t, want.content+"false\n", run(t, "guestfish", append(args, "exists", history)...))
		})
	}
	t.Run("layer", func(t *testing.T) { layerIsTheDisk(t, repo) })
	t.Run("virt-builder builds", func(t *testing.T) {
		guest := filepath.Join(t.TempDir(), "guest.img")
		run(t, "virt-builder", "deb12-top", "--source", url+"/index", "--no-check-signature", "--no-network",
			"--root-password", "disabled", "--write", "/etc/machine:yes", "-o", guest)
		out := run(t, "guestfish", "--ro", "--format=raw", "-a", guest, "-m", "/dev/sda1", "cat", "/etc/top", ":", "cat", "/etc/machine")
		require.Equal(t, "on top\nyes\n", out)
	})
}

// layerIsTheDisk holds that the layer alone, beside what it stands on, is the
// disk that stands alone.
func layerIsTheDisk(t *testing.T, repo string) {
	dir := t.TempDir()
	unpack := func(packed, name string) string {
		path := filepath.Join(dir, name)
		copyInto(t, path+".xz", filepath.Join(repo, packed))
		run(t, "xz", "--decompress", path+".xz")
		return path
	}
	unpack("deb12-base.xz", "deb12-base")
	layer, whole := unpack("layers/deb12-top.xz", "layer"), unpack("deb12-top.xz", "whole")
	identical(t, "qcow2", layer, "qcow2", whole)
	var info struct {
		Backing string `json:"backing-filename"`
	}
	require.NoError(t, json.Unmarshal([]byte(run(t, "qemu-img", "info", "-f", "qcow2", "--output=json", layer)), &info))
	require.Equal(t, "deb12-base", info.Backing)
	info.Backing = ""
	require.NoError(t, json.Unmarshal([]byte(run(t, "qemu-img", "info", "-f", "qcow2", "--output=json", whole)), &info))
	require.Empty(t, info.Backing)
}
