//go:build !unix

package daemon

func maxFiles() (int, bool) { return 0, false }
