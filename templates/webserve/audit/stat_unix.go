//go:build unix

package audit

import (
	"io/fs"
	"syscall"
)

// identity is what the system knows of a file beside [fs.FileInfo].
type identity struct {
	dev, inode uint64
	links      uint64
	uid, gid   int
}

func identify(fi fs.FileInfo) (identity, bool) {
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return identity{}, false
	}
	//nolint:unconvert // the types differ from system to system
	return identity{uint64(st.Dev), uint64(st.Ino), uint64(st.Nlink), int(st.Uid), int(st.Gid)}, true
}
