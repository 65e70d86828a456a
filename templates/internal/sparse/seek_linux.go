package sparse

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// next returns the first run of data of c at or behind off and before size; its length is 0 if there is none.
func next(c syscall.Conn, off, size int64) (Extent, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return Extent{}, err
	}
	var e Extent
	var seekErr error
	err = raw.Control(func(fd uintptr) { e, seekErr = seek(int(fd), off, size) })
	if err != nil {
		return Extent{}, err
	}
	return e, seekErr
}

func seek(fd int, off, size int64) (Extent, error) {
	before, err := unix.Seek(fd, 0, unix.SEEK_CUR)
	if err != nil {
		return Extent{}, errNoSeekData // a pipe, a socket
	}
	defer unix.Seek(fd, before, unix.SEEK_SET) //nolint:errcheck // it came from there
	start, err := unix.Seek(fd, off, unix.SEEK_DATA)
	switch {
	case errors.Is(err, unix.ENXIO):
		return Extent{Off: size}, nil // nothing but a hole up to the end of the file
	case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTSUP):
		return Extent{}, errNoSeekData
	case err != nil:
		return Extent{}, err
	case start >= size:
		return Extent{Off: size}, nil
	}
	end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
	if errors.Is(err, unix.ENXIO) { // cut off between the two questions
		return Extent{Off: size}, nil
	}
	if err != nil {
		return Extent{}, err
	}
	return Extent{start, min(end, size) - start}, nil
}
