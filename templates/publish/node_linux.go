package publish

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

func renameAt(from *node, a string, to *node, b string) error {
	return rename2("rename", from, a, to, b, 0)
}

func renameNewAt(from *node, a string, to *node, b string) error {
	return rename2("rename without replacing", from, a, to, b, unix.RENAME_NOREPLACE)
}

func rename2(op string, from *node, a string, to *node, b string, flags uint) error {
	err := unix.Renameat2(int(from.file.Fd()), a, int(to.file.Fd()), b, flags)
	if err == unix.ENOSYS && flags == 0 {
		err = unix.Renameat(int(from.file.Fd()), a, int(to.file.Fd()), b)
	}
	runtime.KeepAlive(from)
	runtime.KeepAlive(to)
	if err != nil {
		return os.NewSyscallError(op, err)
	}
	return nil
}

func linkAt(from *node, a string, to *node, b string) error {
	err := unix.Linkat(int(from.file.Fd()), a, int(to.file.Fd()), b, 0)
	runtime.KeepAlive(from)
	runtime.KeepAlive(to)
	if err != nil {
		return os.NewSyscallError("link", err)
	}
	return nil
}
