package tree

import (
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// dir is a zone's directory, held by a descriptor.
type dir struct {
	refs
	fd       int
	dev, ino uint64
}

// openZone opens the directory called name in the tree at root. It may be a
// mount point, but not a symbolic link: the policy speaks of what has the name.
func openZone(root, name string) (*dir, error) {
	top, err := retry(func() (int, error) {
		return unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(top)
	fd, err := retry(func() (int, error) {
		return unix.Openat(top, name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	d := &dir{fd: fd, dev: st.Dev, ino: st.Ino}
	d.n.Store(1)
	return d, nil
}

// same says whether two descriptors are of one directory.
func (d *dir) same(o *dir) bool { return d.dev == o.dev && d.ino == o.ino }

// release lets go of the directory; the last user closes it.
func (d *dir) release() {
	if d.drop() {
		_ = unix.Close(d.fd)
	}
}

// openFlags: O_NONBLOCK keeps the opening of a fifo from waiting for its other
// end; for reading a regular file it means nothing.
const openFlags = unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY

// walkOnly is set once the kernel has said that it has no openat2.
var walkOnly atomic.Bool

// open opens name below d.
func (d *dir) open(name string, dirOnly bool) (*File, error) {
	flags := openFlags
	if dirOnly {
		flags |= unix.O_DIRECTORY
	}
	fd, err := d.openat(name, flags)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f := &File{fd: fd, name: name}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		_ = unix.Close(fd)
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	f.info = infoOf(&st)
	if !f.info.Mode.IsRegular() && !f.info.Mode.IsDir() {
		_ = unix.Close(fd)
		return nil, &fs.PathError{Op: "open", Path: name, Err: errSpecial}
	}
	return f, nil
}

// openat has the kernel refuse what leads out. Where openat2 is missing, or a
// sandbox that does not know it says EPERM, the elements are walked one by one.
func (d *dir) openat(name string, flags int) (int, error) {
	if !walkOnly.Load() {
		fd, err := openBeneath(d.fd, name, flags)
		switch err {
		case unix.ENOSYS:
			walkOnly.Store(true)
		case unix.EPERM:
		default:
			return fd, err
		}
	}
	return d.walk(name, flags)
}

// openBeneath opens name below the directory at fd by openat2.
func openBeneath(fd int, name string, flags int) (int, error) {
	how := unix.OpenHow{
		Flags:   uint64(flags),
		Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_MAGICLINKS | unix.RESOLVE_NO_XDEV,
	}
	return retry(func() (int, error) { return unix.Openat2(fd, name, &how) })
}

// onlyMounted says whether an entry with the number of another file system is
// one that [dir.open] would refuse to enter, and not a part of this one that
// merely counts its files apart, as overlayfs and btrfs do.
func onlyMounted(fd int, name string, st *unix.Stat_t) bool {
	if walkOnly.Load() {
		return st.Mode&unix.S_IFMT == unix.S_IFDIR
	}
	own, err := openBeneath(fd, name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC)
	if err != nil {
		return true
	}
	_ = unix.Close(own)
	return false
}

// walk opens name element by element, none of which may be a symbolic link, and
// no directory on another file system. (Of a regular file the number of its
// file system says nothing: within overlayfs it is that of the layer below.)
func (d *dir) walk(name string, flags int) (int, error) {
	at := d.fd
	for {
		elem, rest, more := strings.Cut(name, "/")
		if elem == ".." {
			return -1, unix.EXDEV
		}
		how := flags
		if more {
			how = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
		}
		fd, err := retry(func() (int, error) { return unix.Openat(at, elem, how, 0) })
		if at != d.fd {
			_ = unix.Close(at)
		}
		if err != nil {
			return -1, err
		}
		var st unix.Stat_t
		if err = unix.Fstat(fd, &st); err == nil && st.Dev != d.dev && st.Mode&unix.S_IFMT == unix.S_IFDIR {
			err = unix.EXDEV
		}
		if err != nil {
			_ = unix.Close(fd)
			return -1, err
		}
		if !more {
			return fd, nil
		}
		at, name = fd, rest
	}
}

// attempts is how often a call is made that the kernel could not finish because
// of a signal or of a rename on the way.
const attempts = 100

func retry(call func() (int, error)) (n int, err error) {
	for range attempts {
		n, err = call()
		if err != unix.EINTR && err != unix.EAGAIN {
			break
		}
	}
	return n, err
}

func infoOf(st *unix.Stat_t) Info {
	return Info{
		Size:    st.Size,
		Mode:    modeOf(st.Mode),
		ModTime: time.Unix(st.Mtim.Unix()),
		Changed: time.Unix(st.Ctim.Unix()),
		Dev:     st.Dev,
		Ino:     st.Ino,
	}
}

func modeOf(m uint32) fs.FileMode {
	mode := fs.FileMode(m & 0o777)
	switch m & unix.S_IFMT {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		mode |= fs.ModeDir
	case unix.S_IFLNK:
		mode |= fs.ModeSymlink
	default:
		mode |= fs.ModeIrregular
	}
	return mode
}

// names reads the names in the directory at fd, at most limit.
func names(fd, limit int) ([]string, error) {
	// A descriptor of its own has a position of its own.
	own, err := retry(func() (int, error) {
		return unix.Openat(fd, ".", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: ".", Err: err}
	}
	f := os.NewFile(uintptr(own), ".")
	defer f.Close()
	return readNames(f, limit)
}
