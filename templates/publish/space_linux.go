package publish

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeBytes says what a process without privileges could still write. A tmpfs without a limit says 0 blocks
// in all: unknown.
func freeBytes(dir *os.File) (free int64, known bool, err error) {
	var st unix.Statfs_t
	if err := statfs(dir, &st); err != nil {
		return 0, false, err
	}
	return int64(st.Bavail) * st.Frsize, st.Blocks > 0, nil
}

func statfs(dir *os.File, st *unix.Statfs_t) error {
	conn, err := dir.SyscallConn()
	if err != nil {
		return err
	}
	var callErr error
	err = conn.Control(func(fd uintptr) { callErr = unix.Fstatfs(int(fd), st) })
	if err == nil {
		err = os.NewSyscallError("statfs", callErr)
	}
	return err
}

// preallocate reserves blocks for the first n bytes of f without changing its size, and tells whether it did.
func preallocate(f *os.File, n int64) (bool, error) {
	return fallocate(f, unix.FALLOC_FL_KEEP_SIZE, 0, n)
}

// punch makes a hole in preallocated blocks.
func punch(f *os.File, off, n int64) error {
	_, err := fallocate(f, unix.FALLOC_FL_KEEP_SIZE|unix.FALLOC_FL_PUNCH_HOLE, off, n)
	return err
}

func fallocate(f *os.File, mode uint32, off, n int64) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var callErr error
	err = conn.Control(func(fd uintptr) {
		for {
			callErr = unix.Fallocate(int(fd), mode, off, n)
			if callErr != unix.EINTR {
				return
			}
		}
	})
	if err != nil {
		return false, err
	}
	if noSuchCall(callErr) {
		return false, nil
	}
	return callErr == nil, os.NewSyscallError("fallocate", callErr)
}

// dropCache makes the next read of a synced file come from the disk, where the kernel likes to.
func dropCache(f *os.File) {
	if conn, err := f.SyscallConn(); err == nil {
		_ = conn.Control(func(fd uintptr) {
			// Advice only: a kernel that ignores it gives back the same bytes.
			_ = unix.Fadvise(int(fd), 0, 0, unix.FADV_DONTNEED)
		})
	}
}

// sharedKind names the kind of a file system that lies on another host, else "".
func sharedKind(dir *os.File) (string, error) {
	var st unix.Statfs_t
	if err := statfs(dir, &st); err != nil {
		return "", err
	}
	switch uint32(st.Type) {
	case unix.NFS_SUPER_MAGIC:
		return "NFS", nil
	case unix.SMB_SUPER_MAGIC, unix.CIFS_SUPER_MAGIC, unix.SMB2_SUPER_MAGIC:
		return "SMB", nil
	case unix.V9FS_MAGIC:
		return "9p", nil
	}
	return "", nil
}
