package audit

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tplkit/tplkit/templates"
)

// The permission bits of one class.
const (
	mayRead   = 4
	maySearch = 1
)

// may says whether the permission bits let an account do something.
func (a *Account) may(fi fs.FileInfo, id identity, bits fs.FileMode) bool {
	perm := fi.Mode().Perm()
	switch {
	case a.UID == 0:
		return true
	case id.uid == a.UID:
		perm >>= 6
	case slices.Contains(a.GIDs, id.gid):
		perm >>= 3
	}
	return perm&bits == bits
}

// judge looks at who may read and who may write a file or directory.
func (a *auditor) judge(name string, fi fs.FileInfo) {
	id, ok := identify(fi)
	if !ok {
		return
	}
	what, bits := "read", fs.FileMode(mayRead)
	if fi.IsDir() {
		what, bits = "list and enter", mayRead|maySearch
	}
	if u := a.opt.User; u != nil && !u.may(fi, id, bits) {
		a.add(Fault, KindUnreadable, name, fmt.Sprintf("%s, and %s cannot %s it", ownerAndMode(id, fi), u, what), "chmod it, as with a+rX, or let it belong to a group of that user")
	}
	if fi.Mode().Perm()&0o002 != 0 {
		a.add(Fault, KindWritable, name, ownerAndMode(id, fi)+": everyone on this machine can change what is served", "chmod o-w it")
	}
}

// wayTo looks whether the serving user can get to the root at all.
func (a *auditor) wayTo(root string) {
	if a.opt.User == nil {
		return
	}
	for dir := filepath.Dir(root); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err == nil {
			if id, ok := identify(fi); ok && !a.opt.User.may(fi, id, maySearch) {
				a.add(Fault, KindUnreadable, dir, fmt.Sprintf("%s, and %s cannot enter it on the way to %s", ownerAndMode(id, fi), a.opt.User, templates.Quote(root)),
					"chmod it, as with a+x, or serve a tree elsewhere")
			}
		}
		if dir == filepath.Dir(dir) {
			return
		}
	}
}

// ownerAndMode tells both as stat(1) does.
func ownerAndMode(id identity, fi fs.FileInfo) string {
	return fmt.Sprintf("owner %d:%d, mode %s", id.uid, id.gid, octal(fi.Mode()))
}

// octal is the mode as chmod(1) takes it.
func octal(m fs.FileMode) string {
	n := uint32(m.Perm())
	for _, bit := range []struct {
		mode  fs.FileMode
		value uint32
	}{{fs.ModeSetuid, 0o4000}, {fs.ModeSetgid, 0o2000}, {fs.ModeSticky, 0o1000}} {
		if m&bit.mode != 0 {
			n |= bit.value
		}
	}
	return fmt.Sprintf("%04o", n)
}
