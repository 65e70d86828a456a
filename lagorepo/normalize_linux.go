package lagorepo

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// linkFile makes a hard link and moveFile renames, from one held directory into
// another. Neither follows a symbolic link nor replaces a file.
func linkFile(from *os.Root, old string, to *os.Root, name string) error {
	return between(from, to, func(fd, tofd int) error { return unix.Linkat(fd, old, tofd, name, 0) })
}

func moveFile(from *os.Root, old string, to *os.Root, name string) error {
	return between(from, to, func(fd, tofd int) error {
		err := unix.Renameat2(fd, old, tofd, name, unix.RENAME_NOREPLACE)
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
			return err
		}
		// The file system does not know the flag. A link claims the name without
		// replacing either.
		if err := unix.Linkat(fd, old, tofd, name, 0); err != nil {
			return err
		}
		return unix.Unlinkat(fd, old, 0)
	})
}

func between(from, to *os.Root, do func(fd, tofd int) error) (err error) {
	f, err := from.Open(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	t, err := to.Open(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return do(int(f.Fd()), int(t.Fd()))
}

func isCrossDevice(err error) bool { return errors.Is(err, unix.EXDEV) }

// syncRoot makes what happened to the directory's names last.
func syncRoot(r *os.Root) (err error) {
	f, err := r.Open(".")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return f.Sync()
}
