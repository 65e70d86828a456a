package daemon

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
)

// openFiles counts the descriptors of this process. Newer kernels have it as the directory's size; elsewhere they are
// listed, a few at a time, and the one that they are listed with is left out.
func openFiles() (int, bool) {
	d, err := os.Open("/proc/self/fd")
	if err != nil {
		return 0, false
	}
	defer d.Close()
	if fi, err := d.Stat(); err == nil && fi.Size() > 0 {
		return int(fi.Size()) - 1, true
	}
	n := -1
	for {
		names, err := d.Readdirnames(256)
		n += len(names)
		if errors.Is(err, io.EOF) {
			return n, true
		}
		if err != nil {
			return 0, false
		}
	}
}

// residentMemory is the second field of /proc/self/statm, in pages.
func residentMemory() (int64, bool) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, false
	}
	f := bytes.Fields(text)
	if len(f) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(f[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}
