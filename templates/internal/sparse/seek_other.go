//go:build !linux

package sparse

import "syscall"

// next knows of no holes here.
func next(syscall.Conn, int64, int64) (Extent, error) { return Extent{}, errNoSeekData }
