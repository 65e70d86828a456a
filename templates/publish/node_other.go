//go:build !linux

package publish

import (
	"errors"
	"os"
	"path"
	"path/filepath"
)

func renameAt(from *node, a string, to *node, b string) error {
	if from.top != to.top {
		return os.Rename(from.onDisk(a), to.onDisk(b))
	}
	return from.top.Rename(path.Join(from.rel, a), path.Join(to.rel, b))
}

// renameNewAt has no portable form; moveNew claims the name with a link instead.
func renameNewAt(*node, string, *node, string) error { return errors.ErrUnsupported }

func linkAt(from *node, a string, to *node, b string) error {
	if from.top != to.top {
		return os.Link(from.onDisk(a), to.onDisk(b))
	}
	return from.top.Link(path.Join(from.rel, a), path.Join(to.rel, b))
}

// onDisk is the path of a file in the directory, for calls that no os.Root has: from one tree to another.
func (n *node) onDisk(base string) string {
	return filepath.Join(n.top.Name(), filepath.FromSlash(n.rel), base)
}
