package tree

import (
	"errors"
	"io"
	"os"
)

// readNames reads a directory's names in portions, so that one with very many is
// given up early.
func readNames(f *os.File, limit int) ([]string, error) {
	const portion = 4096
	var all []string
	for {
		some, err := f.Readdirnames(portion)
		all = append(all, some...)
		switch {
		case len(all) > limit:
			return nil, ErrTooMany
		case errors.Is(err, io.EOF), err == nil && len(some) == 0:
			return all, nil
		case err != nil:
			return nil, err
		}
	}
}
