//go:build unix

package audit_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/audit"
)

// tree is a template server's tree without fault.
type tree struct {
	t   *testing.T
	dir string
}

var goodIndex = "[el8]\narch=x86_64\nfile=el8.xz\nsize=512\ncompressed_size=4\nchecksum[sha512]=" + strings.Repeat("0", 128) + "\n"

const goodMetadata = `{"name": "phx", "sources": {"here": {"type": "http", "args": {"baseurl": "http://127.0.0.1/repo"}}},
"templates": {"el8": {"versions": {"v1": {"source": "here", "handle": "el8", "timestamp": 1}}}}}`

func newTree(t *testing.T) *tree {
	t.Helper()
	tr := &tree{t, filepath.Join(t.TempDir(), "tree")}
	for name, text := range map[string]string{
		"repo/el8.xz": "disk", "repo/el8.hash": "hash", "repo/el8.metadata": "{}", "repo/index": goodIndex, "repo/repo.metadata": goodMetadata,
		"bundles/ovirt/4.2/bundle.tar.xz": "bundle", "yum/el8/a.rpm": "rpm", "kubevirt/win_10.qcow2": "disk",
	} {
		tr.file(name, text)
	}
	for _, name := range []string{"yum", "yum/el8"} {
		tr.mode(name, fs.ModeSetgid|0o775)
	}
	tr.mode("yum/el8/a.rpm", 0o664)
	return tr
}

func (tr *tree) at(name string) string { return filepath.Join(tr.dir, name) }

func (tr *tree) file(name, text string) {
	tr.t.Helper()
	require.NoError(tr.t, os.MkdirAll(filepath.Dir(tr.at(name)), 0o755))
	require.NoError(tr.t, os.WriteFile(tr.at(name), []byte(text), 0o644))
	tr.mode(name, 0o644)
}

func (tr *tree) mkdir(name string) {
	tr.t.Helper()
	require.NoError(tr.t, os.MkdirAll(tr.at(name), 0o755))
}

func (tr *tree) mode(name string, m fs.FileMode) {
	tr.t.Helper()
	require.NoError(tr.t, os.Chmod(tr.at(name), m))
}

func (tr *tree) remove(name string) {
	tr.t.Helper()
	require.NoError(tr.t, os.RemoveAll(tr.at(name)))
}

func (tr *tree) symlink(target, name string) {
	tr.t.Helper()
	require.NoError(tr.t, os.Symlink(target, tr.at(name)))
}

func (tr *tree) link(name, other string) {
	tr.t.Helper()
	require.NoError(tr.t, os.Link(tr.at(name), tr.at(other)))
}

func (tr *tree) owner(name string) (uid, gid int) {
	tr.t.Helper()
	fi, err := os.Lstat(tr.at(name))
	require.NoError(tr.t, err)
	st := fi.Sys().(*syscall.Stat_t)
	return int(st.Uid), int(st.Gid)
}

func (tr *tree) modeOf(name string) fs.FileMode {
	tr.t.Helper()
	fi, err := os.Lstat(tr.at(name))
	require.NoError(tr.t, err)
	return fi.Mode()
}

func (tr *tree) check(p *acl.Policy, opt audit.Options) *audit.Report {
	tr.t.Helper()
	rep, err := audit.Check(tr.t.Context(), tr.dir, p, opt)
	require.NoError(tr.t, err)
	return rep
}

// short is a finding as "severity kind path".
func short(rep *audit.Report) []string {
	var all []string
	for _, f := range rep.Findings {
		all = append(all, strings.Join([]string{string(f.Severity), string(f.Kind), f.Path}, " "))
	}
	return all
}

// asRoot skips a test that only root can run.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root gives files away")
	}
}
