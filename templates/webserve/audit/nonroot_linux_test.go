package audit_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/webserve/audit"
)

// nobody is an account that is not root.
const nobody = 65534

// asNobody has do touch files with the rights of nobody, if this is root.
func asNobody(do func()) {
	if os.Getuid() != 0 {
		do()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		// The kernel keeps this for each thread. It is never unlocked, and so
		// ends with the goroutine.
		runtime.LockOSThread()
		for _, err := range []error{unix.Setfsgid(nobody), unix.Setfsuid(nobody)} {
			if err != nil {
				panic(err)
			}
		}
		do()
	}()
	<-done
}

// Files can only be given away by root: what that comes to is told, and what can
// be done is done.
func TestWithoutRoot(t *testing.T) {
	tr := newTree(t)
	tr.mode("../..", 0o755) // where go test puts it nobody else may go
	if os.Getuid() == 0 {
		require.NoError(t, filepath.WalkDir(tr.dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, nobody, nobody)
		}))
		for _, name := range []string{"yum", "yum/el8"} { // taken away with the owner
			tr.mode(name, fs.ModeSetgid|0o775)
		}
	}
	tr.mode("yum/el8/a.rpm", 0o600)
	var rep *audit.Report
	var err error
	asNobody(func() { rep, err = audit.FixPermissions(t.Context(), tr.dir, audit.Options{}) })
	require.NoError(t, err)
	require.True(t, rep.OK(), rep)
	require.Contains(t, strings.Join(changes(rep), "\n"), `"yum/el8/a.rpm": changed from`)
	require.Equal(t, fs.FileMode(0o664), tr.modeOf("yum/el8/a.rpm"))

	// Nor may a file be given to a group that one is not in.
	tr.mode("yum/el8/a.rpm", 0o600)
	uid, gid := tr.owner("yum")
	asNobody(func() {
		rep, err = audit.FixPermissions(t.Context(), tr.dir, audit.Options{Owner: &audit.Account{UID: uid, GIDs: []int{1}}})
	})
	require.NoError(t, err)
	require.Equal(t, []string{"fault owner yum", "fault owner yum/el8", "fault owner yum/el8/a.rpm"}, short(rep))
	require.Contains(t, rep.String(), "cannot be given to")
	require.Contains(t, rep.String(), "run it as root")
	require.Len(t, rep.Changes, 1, "half of it was possible")
	_, now := tr.owner("yum/el8/a.rpm")
	require.Equal(t, gid, now)
	require.Equal(t, fs.FileMode(0o664), tr.modeOf("yum/el8/a.rpm"))
}

// What nobody may read and may not change.
func TestForeignFilesWithoutRoot(t *testing.T) {
	asRoot(t)
	tr := newTree(t)
	tr.mode("../..", 0o755)
	for _, name := range []string{"yum", "yum/el8", "yum/el8/a.rpm"} {
		require.NoError(t, os.Chown(tr.at(name), nobody, nobody))
	}
	tr.mode("yum", fs.ModeSetgid|0o775)
	tr.mode("yum/el8", fs.ModeSetgid|0o775)
	tr.file("yum/foreign.rpm", "")
	for _, name := range []string{"repo/closed", "yum/closed"} {
		tr.mkdir(name)
		tr.mode(name, 0o700)
	}
	tr.mode("repo/repo.metadata", 0o600)
	var check, fix *audit.Report
	var checkErr, fixErr error
	asNobody(func() {
		check, checkErr = audit.Check(t.Context(), tr.dir, nil, audit.Options{})
		fix, fixErr = audit.FixPermissions(t.Context(), tr.dir, audit.Options{})
	})
	require.NoError(t, checkErr)
	require.NoError(t, fixErr)
	require.Equal(t, []string{
		"fault unreadable repo/closed", "fault unreadable repo/repo.metadata", "fault mode yum/closed", "fault owner yum/closed", "fault unreadable yum/closed",
		"fault owner yum/foreign.rpm", "warning mode yum/foreign.rpm",
	}, short(check))
	require.Equal(t, []string{"fault unreadable yum/closed", "fault mode yum/foreign.rpm", "fault owner yum/foreign.rpm"}, short(fix))

	// The root itself.
	for _, mode := range []fs.FileMode{0o700, 0o744} {
		tr.mode(".", mode)
		asNobody(func() { _, checkErr = audit.Check(t.Context(), tr.dir, nil, audit.Options{}) })
		require.ErrorIs(t, checkErr, fs.ErrPermission)
	}
}
