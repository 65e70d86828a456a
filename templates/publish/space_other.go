//go:build !linux

package publish

import "os"

func freeBytes(*os.File) (free int64, known bool, err error) { return 0, false, nil }

func preallocate(*os.File, int64) (bool, error) { return false, nil }

func punch(*os.File, int64, int64) error { return nil }

func dropCache(*os.File) {}

func sharedKind(*os.File) (string, error) { return "", nil }
