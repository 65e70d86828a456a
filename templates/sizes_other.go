//go:build !unix

package templates

import "io/fs"

// allocated is the file's size where the system does not tell what it occupies.
func allocated(fi fs.FileInfo) int64 { return fi.Size() }
