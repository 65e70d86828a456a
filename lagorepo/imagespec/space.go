package imagespec

import (
	"fmt"
	"syscall"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// SpaceError says that a file system has too little room for what is about to
// start. It is a syscall.ENOSPC to errors.Is.
type SpaceError struct {
	Dir  string // a directory on that file system
	Need int64  // bytes
	Free int64  // bytes that this user may still write
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s: needs %s and %s are free, %s too little: make room, work on fewer images at a time, or put the repository on a larger file system",
		templates.Quote(e.Dir), gib(e.Need), gib(e.Free), gib(e.Need-e.Free))
}

// Is makes it the error that writing on would end with.
func (e *SpaceError) Is(target error) bool { return target == syscall.ENOSPC }

// gib writes a number of bytes as people speak of disks.
func gib(n int64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

// checkSpace tells with a [*SpaceError] whether the file system of dir has less
// than need bytes left. Where the system does not tell, nothing is wrong.
func checkSpace(dir string, need int64) error {
	free, known, err := publish.FreeSpace(dir)
	if err != nil {
		return fmt.Errorf("asking for the free space: %w", err)
	}
	if known && free < need {
		return &SpaceError{Dir: dir, Need: need, Free: free}
	}
	return nil
}
