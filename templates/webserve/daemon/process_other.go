//go:build !linux

package daemon

func openFiles() (int, bool)        { return 0, false }
func residentMemory() (int64, bool) { return 0, false }
