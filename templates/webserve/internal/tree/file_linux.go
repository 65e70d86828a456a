package tree

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// File is an open file or directory. It is an io.ReadSeeker for
// [net/http.ServeContent] and a [syscall.Conn], which is what the kernel's
// sendfile is used for. Compared with an [os.File] it asks the kernel for
// nothing but what is sent: neither for its mode when it is made nor for the
// size, and it is not announced to the poller.
//
// Methods may be called by several goroutines, as [net/http.ServeContent] does
// for several ranges; after Close they fail.
type File struct {
	name string
	info Info
	kept *Kept // where memory comes from

	mu     sync.Mutex
	memory *bytes.Reader // the content, where it is known; there is no descriptor then
	fd     int           // -1 after Close
	at     int64
	want   int64
	inKern bool // the position is the kernel's: sendfile has moved it
}

// Info describes the file as it was when it was opened.
func (f *File) Info() Info { return f.info }

// Kept is the file where its content is known, for [Zone.Still]; else nil.
func (f *File) Kept() *Kept { return f.kept }

// Close gives the descriptor back.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory != nil {
		f.memory = nil
		return nil
	}
	if f.fd < 0 {
		return fs.ErrClosed
	}
	err := unix.Close(f.fd)
	f.fd = -1
	return err
}

// seek brings the kernel's position to where the next byte is wanted from.
func (f *File) seek() error {
	if f.fd < 0 {
		return fs.ErrClosed
	}
	if f.inKern || f.at == f.want {
		return nil
	}
	if _, err := unix.Seek(f.fd, f.want, io.SeekStart); err != nil {
		return &fs.PathError{Op: "seek", Path: f.name, Err: err}
	}
	f.at = f.want
	return nil
}

// Read reads from where the file stands.
func (f *File) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory != nil {
		return f.memory.Read(p)
	}
	if err := f.seek(); err != nil {
		return 0, err
	}
	n, err := retry(func() (int, error) { return unix.Read(f.fd, p) })
	if err != nil {
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: err}
	}
	f.at += int64(n)
	f.want += int64(n)
	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// ReadAt reads from off and leaves the position alone.
func (f *File) ReadAt(p []byte, off int64) (done int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory != nil {
		return f.memory.ReadAt(p, off)
	}
	if f.fd < 0 {
		return 0, fs.ErrClosed
	}
	for done < len(p) {
		n, err := retry(func() (int, error) { return unix.Pread(f.fd, p[done:], off+int64(done)) })
		if err != nil {
			return done, &fs.PathError{Op: "read", Path: f.name, Err: err}
		}
		if n == 0 {
			return done, io.EOF
		}
		done += n
	}
	return done, nil
}

// Seek says where the next byte is read from. The end is where it was when the
// file was opened.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory != nil {
		return f.memory.Seek(offset, whence)
	}
	if f.fd < 0 {
		return 0, fs.ErrClosed
	}
	switch whence {
	case io.SeekStart:
	case io.SeekEnd:
		offset += f.info.Size
	case io.SeekCurrent:
		if f.inKern {
			pos, err := unix.Seek(f.fd, 0, io.SeekCurrent)
			if err != nil {
				return 0, &fs.PathError{Op: "seek", Path: f.name, Err: err}
			}
			f.at, f.want, f.inKern = pos, pos, false
		}
		offset += f.want
	default:
		return 0, &fs.PathError{Op: "seek", Path: f.name, Err: fs.ErrInvalid}
	}
	if offset < 0 {
		return 0, &fs.PathError{Op: "seek", Path: f.name, Err: fs.ErrInvalid}
	}
	if f.inKern {
		f.at, f.inKern = -1, false
	}
	f.want = offset
	return offset, nil
}

// SyscallConn hands out the descriptor, for sendfile. It fails where there is none because the content is known.
func (f *File) SyscallConn() (syscall.RawConn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.memory != nil {
		return nil, errors.ErrUnsupported
	}
	return rawFile{f}, nil
}

type rawFile struct{ f *File }

// Control calls use with the descriptor. Close waits for it.
func (c rawFile) Control(use func(fd uintptr)) error {
	c.f.mu.Lock()
	defer c.f.mu.Unlock()
	if err := c.f.seek(); err != nil {
		return err
	}
	c.f.inKern = true // whatever use does with it
	use(uintptr(c.f.fd))
	return nil
}

// Read calls read with the descriptor: a file is always ready.
func (c rawFile) Read(read func(fd uintptr) bool) error {
	return c.Control(func(fd uintptr) {
		for !read(fd) {
		}
	})
}

// Write is not for a file that is only read.
func (c rawFile) Write(func(fd uintptr) bool) error { return errors.ErrUnsupported }

// List describes the entries of a directory whose names are wanted, in byte
// order: regular files and directories that can be opened by [Zone.Open] and
// read. More than limit entries, wanted or not, are [ErrTooMany].
func (f *File) List(limit int, wanted func(name string) bool) ([]Entry, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fd < 0 {
		return nil, fs.ErrClosed
	}
	all, err := names(f.fd, limit)
	if err != nil {
		return nil, err
	}
	list := make([]Entry, 0, len(all))
	for _, name := range all {
		if !wanted(name) {
			continue
		}
		var st unix.Stat_t
		if unix.Fstatat(f.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
			continue // gone in the meantime
		}
		if st.Dev != f.info.Dev && onlyMounted(f.fd, name, &st) {
			continue
		}
		e := Entry{Name: name, Info: infoOf(&st)}
		need := uint32(unix.R_OK)
		switch {
		case e.Mode.IsDir():
			need |= unix.X_OK
		case !e.Mode.IsRegular():
			continue
		}
		if unix.Faccessat(f.fd, name, need, unix.AT_EACCESS|unix.AT_SYMLINK_NOFOLLOW) == nil {
			list = append(list, e)
		}
	}
	sortEntries(list)
	return list, nil
}
