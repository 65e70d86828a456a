package tree

import (
	"errors"
	"io/fs"
	"syscall"
)

// Kind is what an error of [Zone.Open] means to whoever asked for the file.
type Kind int

// The kinds of errors.
const (
	Broken     Kind = iota // the disk or the file system: nothing the caller can change
	Missing                // no such file or directory
	Special                // a symbolic link, fifo, socket, device or mount point, or one on the way
	Unreadable             // the process has no permission
	Busy                   // out of descriptors or memory, or closed: later it may work
)

// KindOf says what an error means.
func KindOf(err error) Kind {
	switch {
	case errors.Is(err, fs.ErrNotExist), isAny(err, syscall.ENOTDIR, syscall.ENAMETOOLONG):
		return Missing
	case errors.Is(err, errSpecial), isAny(err, syscall.ELOOP, syscall.EXDEV, syscall.ENXIO, syscall.ENODEV):
		return Special
	case errors.Is(err, fs.ErrPermission):
		return Unreadable
	case errors.Is(err, fs.ErrClosed), isAny(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN):
		return Busy
	}
	return Broken
}

func isAny(err error, numbers ...syscall.Errno) bool {
	for _, n := range numbers {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}
