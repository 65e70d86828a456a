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

	"github.com/tplkit/tplkit/templates/webserve/audit"
)

func (tr *tree) fix(opt audit.Options) *audit.Report {
	tr.t.Helper()
	rep, err := audit.FixPermissions(tr.t.Context(), tr.dir, opt)
	require.NoError(tr.t, err)
	return rep
}

func changes(rep *audit.Report) []string {
	var all []string
	for _, c := range rep.Changes {
		all = append(all, c.String())
	}
	return all
}

// spoiled is a tree whose yum/ needs repair.
func spoiled(t *testing.T) *tree {
	tr := newTree(t)
	tr.mode("yum", 0o700)
	tr.mode("yum/el8", 0o755)
	tr.mode("yum/el8/a.rpm", 0o444)
	tr.file("yum/el8/run.sh", "")
	tr.mode("yum/el8/run.sh", fs.ModeSetuid|0o757)
	tr.file("yum/.repodata/x", "")
	tr.file("yum/.tplkit/lock", "")
	tr.symlink("../repo", "yum/link")
	require.NoError(t, syscall.Mkfifo(tr.at("yum/pipe"), 0o600))
	return tr
}

func TestFixModes(t *testing.T) {
	tr := spoiled(t)
	before := tr.modeOf("repo")
	dry := tr.fix(audit.Options{DryRun: true})
	require.Len(t, dry.Changes, 6)
	require.Contains(t, dry.Changes[0].String(), `"yum": would change from owner`)
	require.Equal(t, fs.FileMode(0o700), tr.modeOf("yum").Perm(), "a dry run changes nothing")

	rep := tr.fix(audit.Options{})
	require.True(t, rep.OK(), rep)
	require.Equal(t, len(dry.Changes), len(rep.Changes))
	for i, c := range rep.Changes {
		require.True(t, c.Done)
		require.False(t, dry.Changes[i].Done)
		require.Equal(t, dry.Changes[i].To, c.To)
	}
	require.Contains(t, rep.String(), `"yum/el8/a.rpm": changed from owner`)
	for name, want := range map[string]fs.FileMode{
		"yum": fs.ModeDir | fs.ModeSetgid | 0o775, "yum/el8": fs.ModeDir | fs.ModeSetgid | 0o775, "yum/.repodata": fs.ModeDir | fs.ModeSetgid | 0o775,
		"yum/el8/a.rpm": 0o664, "yum/el8/run.sh": 0o775, "yum/.repodata/x": 0o664,
		"yum/.tplkit": fs.ModeDir | 0o755, "yum/.tplkit/lock": 0o644, "yum/pipe": fs.ModeNamedPipe | 0o600, "repo": before, "repo/el8.xz": 0o644,
	} {
		require.Equal(t, want, tr.modeOf(name), name)
	}
	require.Empty(t, tr.fix(audit.Options{}).Changes, "once is enough")
	for _, f := range short(tr.check(nil, audit.Options{})) {
		require.NotContains(t, f, " mode ")
		require.NotContains(t, f, " owner ")
	}
}

func TestFixOwner(t *testing.T) {
	asRoot(t)
	tr := spoiled(t)
	rep := tr.fix(audit.Options{Owner: &audit.Account{Name: "uploader", UID: 1234, GIDs: []int{1235}}})
	require.True(t, rep.OK(), rep)
	require.Equal(t, `"yum": changed from owner 0:0, mode 0700 to owner 1234:1235, mode 2775`, rep.Changes[0].String())
	for _, name := range []string{"yum", "yum/el8", "yum/el8/a.rpm", "yum/.repodata/x"} {
		uid, gid := tr.owner(name)
		require.Equal(t, [2]int{1234, 1235}, [2]int{uid, gid}, name)
	}
	for _, name := range []string{"repo", "yum/link", "yum/pipe", "yum/.tplkit", "bundles/ovirt"} {
		uid, gid := tr.owner(name)
		require.Equal(t, [2]int{0, 0}, [2]int{uid, gid}, name)
	}
	require.Equal(t, fs.FileMode(0o775), tr.modeOf("yum/el8/run.sh"), "given away, and no longer setuid")
}

// The uploader owns yum/ and may have put anything there.
func TestFixIsNotLedAstray(t *testing.T) {
	tr := newTree(t)
	outside := filepath.Join(filepath.Dir(tr.dir), "outside")
	require.NoError(t, os.Mkdir(outside, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), nil, 0o600))
	tr.symlink(outside, "yum/dir")
	tr.symlink(filepath.Join(outside, "secret"), "yum/file")
	tr.symlink("../kubevirt", "yum/zone")
	require.NoError(t, os.Link(filepath.Join(outside, "secret"), tr.at("yum/hard")))
	rep := tr.fix(audit.Options{})
	require.Equal(t, []string{"fault hardlink yum/hard"}, short(rep))
	require.Contains(t, rep.Findings[0].Found, "has 2 names, and was left as it is")
	require.Empty(t, changes(rep))
	fi, err := os.Stat(filepath.Join(outside, "secret"))
	require.NoError(t, err)
	require.Equal(t, fs.FileMode(0o600), fi.Mode())

	// Another name harms nothing where nothing is to be changed.
	require.NoError(t, os.Chmod(tr.at("yum/hard"), 0o664))
	require.Empty(t, short(tr.fix(audit.Options{})))
}

func TestFixNoYum(t *testing.T) {
	tr := newTree(t)
	tr.remove("yum")
	_, err := audit.FixPermissions(t.Context(), tr.dir, audit.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
	tr.symlink("repo", "yum")
	_, err = audit.FixPermissions(t.Context(), tr.dir, audit.Options{})
	require.ErrorContains(t, err, "is a symbolic link, expected a directory")
	_, err = audit.FixPermissions(t.Context(), tr.at("missing"), audit.Options{})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestFixLimits(t *testing.T) {
	tr := newTree(t)
	_, err := audit.FixPermissions(t.Context(), tr.dir, audit.Options{MaxEntries: 1})
	require.ErrorContains(t, err, "more than 1 names")
	tr.mkdir("yum/" + strings.Repeat("d/", 70))
	tr.file("yum/not\xffUTF-8", "")
	rep := tr.fix(audit.Options{})
	require.Equal(t, []string{"fault limit yum/" + strings.TrimSuffix(strings.Repeat("d/", 65), "/"), "warning name yum/not\xffUTF-8"}, short(rep))
	require.Len(t, rep.Changes, 65)
}
