//go:build !linux

package publish

import (
	"errors"
	"path"
)

func renameAt(from *node, a string, to *node, b string) error {
	return from.top.Rename(path.Join(from.rel, a), path.Join(to.rel, b))
}

// renameNewAt has no portable form; moveNew claims the name with a link instead.
func renameNewAt(*node, string, *node, string) error { return errors.ErrUnsupported }

func linkAt(from *node, a string, to *node, b string) error {
	return from.top.Link(path.Join(from.rel, a), path.Join(to.rel, b))
}
