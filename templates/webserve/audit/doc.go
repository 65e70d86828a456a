// Package audit looks over the tree of a template server before it is served,
// and while it is: what a request could never reach, what the serving user
// cannot read, what somebody else can write, what the indexes name and is not
// there. It is what "tplkit serve --check" runs.
//
// [Check] reads names, modes, the virt-builder index and repo.metadata, and
// changes nothing. [FixPermissions] repairs owner and mode of what lies in yum/,
// and touches nothing else.
//
// The tree is not trusted: it is walked through [templates.Dir], which follows
// no symbolic link and waits for no fifo, and what is repaired is repaired
// through the descriptor that was looked at.
//
// # What is not seen
//
// Access control lists of the file system, SELinux labels and the like: the
// permission bits are all that is judged. On systems without owners and inodes
// (Windows) that part is left out, and FixPermissions is an error.
package audit
