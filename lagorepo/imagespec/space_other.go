//go:build !linux

package imagespec

// freeSpace is asked for on Linux only.
func freeSpace(string) (free int64, known bool, err error) { return 0, false, nil }
