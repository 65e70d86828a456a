package audit

import (
	"fmt"
	"io/fs"
)

// uploads is what is expected of yum/, where packages are uploaded again and
// again: all of it belongs to the uploader, and its group can write it, too. The
// setgid bit gives new files the group of their directory.
type uploads struct {
	owner *Account
}

// uploadsOf takes who owns yum/ for the uploader where none is named. Nil where
// the system has no owners.
func uploadsOf(owner *Account, yum fs.FileInfo) *uploads {
	id, ok := identify(yum)
	if !ok {
		return nil
	}
	if owner == nil {
		owner = &Account{UID: id.uid, GIDs: []int{id.gid}}
	}
	return &uploads{owner}
}

// The modes in yum/.
const (
	directoryMode = fs.ModeSetgid | 0o775
	fileMode      = 0o664
)

// mode is the mode that it should have. Files keep being executable or not.
func (u *uploads) mode(fi fs.FileInfo) fs.FileMode {
	if fi.IsDir() {
		return directoryMode
	}
	return fileMode | fi.Mode().Perm()&0o111
}

const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

// wrong says what has to change: the owner or group, the mode.
func (u *uploads) wrong(fi fs.FileInfo, id identity) (owner, mode bool) {
	return id.uid != u.owner.UID || id.gid != u.owner.GIDs[0], fi.Mode()&modeBits != u.mode(fi)
}

// judge tells of what [FixPermissions] would repair.
func (u *uploads) judge(c *collector, name string, fi fs.FileInfo) {
	id, ok := identify(fi)
	if !ok {
		return
	}
	const repair = "serve --fix-permissions does it"
	owner, _ := u.wrong(fi, id)
	if owner {
		c.add(Fault, KindOwner, name, fmt.Sprintf("belongs to %d:%d, expected %s, who uploads here", id.uid, id.gid, u.owner),
			fmt.Sprintf("chown %d:%d it; %s", u.owner.UID, u.owner.GIDs[0], repair))
	}
	want := u.mode(fi)
	missing := want &^ fi.Mode() & modeBits
	if missing == 0 {
		return // a bit too many is told as what everyone can write, or harms nobody
	}
	s, why := Warning, "which its group cannot replace in place"
	if fi.IsDir() {
		s, why = Fault, "where uploads of its group fail or get another group"
	}
	c.add(s, KindMode, name, fmt.Sprintf("mode %s, expected %s: %s", octal(fi.Mode()), octal(want), why), fmt.Sprintf("chmod %s it; %s", octal(want), repair))
}
