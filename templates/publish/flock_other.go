//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package publish

import (
	"errors"
	"os"
)

// flock fails: a lock that stays behind when its holder dies would be worse than none.
func flock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
