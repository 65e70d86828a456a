package audit_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tplkit/tplkit/templates/webserve/audit"
)

// A bind mount of the same file system has no other device number.
func TestMounts(t *testing.T) {
	asRoot(t)
	tr := newTree(t)
	for name, mount := range map[string]func(at string) error{
		"repo/tmpfs dir": func(at string) error { return unix.Mount("none", at, "tmpfs", 0, "size=64k") },
		"repo/bind":      func(at string) error { return unix.Mount(tr.at("kubevirt"), at, "", unix.MS_BIND, "") },
		"yum/tmpfs":      func(at string) error { return unix.Mount("none", at, "tmpfs", 0, "size=64k,mode=0700") },
		"yum/bind":       func(at string) error { return unix.Mount(tr.at("kubevirt"), at, "", unix.MS_BIND, "") },
	} {
		tr.mkdir(name)
		if err := mount(tr.at(name)); err != nil {
			t.Skipf("nothing can be mounted here: %v", err)
		}
		t.Cleanup(func() { require.NoError(t, unix.Unmount(tr.at(name), unix.MNT_DETACH)) })
	}
	rep := tr.check(nil, audit.Options{})
	require.Equal(t, []string{"warning mount repo/bind", "warning mount repo/tmpfs dir", "warning mount yum/bind", "warning mount yum/tmpfs"}, short(rep))
	require.Contains(t, rep.Findings[0].Found, "what is mounted inside a zone is not served")

	rep = tr.fix(audit.Options{})
	require.Equal(t, []string{"warning mount yum/bind", "warning mount yum/tmpfs"}, short(rep))
	require.Empty(t, rep.Changes)
}
