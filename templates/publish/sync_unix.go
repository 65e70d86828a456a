//go:build !windows

package publish

import "os"

func syncDir(f *os.File) error { return f.Sync() }
