//go:build unix

package templates

import (
	"io/fs"
	"syscall"
)

// statBlock is the unit of st_blocks, whatever the file system's block size.
const statBlock = 512

func allocated(fi fs.FileInfo) int64 {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return st.Blocks * statBlock
	}
	return fi.Size()
}
