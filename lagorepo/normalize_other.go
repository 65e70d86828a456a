//go:build !linux

package lagorepo

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

func linkFile(from *os.Root, old string, to *os.Root, name string) error {
	return os.Link(filepath.Join(from.Name(), old), filepath.Join(to.Name(), name))
}

// moveFile claims the new name with a link, which replaces nothing.
func moveFile(from *os.Root, old string, to *os.Root, name string) error {
	if err := linkFile(from, old, to, name); err != nil {
		return err
	}
	return from.Remove(old)
}

func isCrossDevice(err error) bool { return errors.Is(err, syscall.EXDEV) }

// syncRoot does nothing where directories cannot be synced.
func syncRoot(*os.Root) error { return nil }
