//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package publish

import (
	"errors"
	"os"
)

// TryLock fails with errors.ErrUnsupported: a lock that stays behind when its holder dies would be worse than none.
func TryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
