//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package imagespec

import (
	"errors"
	"os"
)

// flock fails: without a lock that ends with its process a staging directory
// that is in use could not be told from one that was left behind.
func flock(*os.File) (bool, error) { return false, errors.ErrUnsupported }
