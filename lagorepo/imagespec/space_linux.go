package imagespec

import (
	"os"

	"golang.org/x/sys/unix"
)

// freeSpace tells how many bytes this user may still write to the file system of
// dir. A tmpfs without a limit says 0 blocks in all: not known.
func freeSpace(dir string) (free int64, known bool, err error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, false, &os.PathError{Op: "statfs", Path: dir, Err: err}
	}
	return int64(st.Bavail) * st.Frsize, st.Blocks > 0, nil
}
