//go:build !unix

package audit

import "io/fs"

// identity is what the system knows of a file beside [fs.FileInfo].
type identity struct {
	dev, inode uint64
	links      uint64
	uid, gid   int
}

func identify(fs.FileInfo) (identity, bool) { return identity{}, false }
