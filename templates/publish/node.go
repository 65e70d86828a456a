package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
)

// A node is an open directory of the tree that was reached without following a symbolic link. Renames and
// links work on its descriptor, so a directory that is swapped for a link afterwards leads nowhere else.
type node struct {
	top  *os.Root // the tree
	root *os.Root // this directory
	file *os.File // the same, for sync and for descriptors
	rel  string   // its path in the tree
}

// openNode opens the directory rel of the tree, element by element.
// A missing element gives an error that is fs.ErrNotExist.
func openNode(top *os.Root, rel string) (*node, error) {
	cur, err := top.OpenRoot(".")
	if err != nil {
		return nil, about(rel, bare(err))
	}
	if rel != "." {
		done := ""
		for elem := range strings.SplitSeq(rel, "/") {
			done = path.Join(done, elem)
			next, err := descend(cur, elem)
			cur.Close()
			if err != nil {
				return nil, about(done, err)
			}
			cur = next
		}
	}
	file, err := cur.Open(".")
	if err != nil {
		cur.Close()
		return nil, about(rel, bare(err))
	}
	return &node{top: top, root: cur, file: file, rel: rel}, nil
}

// descend opens the directory elem, a single element, of r. os.Root follows links that stay inside it, so
// what was opened is compared with what lies there.
func descend(r *os.Root, elem string) (*os.Root, error) {
	before, err := r.Lstat(elem)
	if err != nil {
		return nil, bare(err)
	}
	if !before.IsDir() {
		return nil, &obstacle{kind(before.Mode()), "a directory"}
	}
	next, err := r.OpenRoot(elem)
	if err != nil {
		return nil, bare(err)
	}
	after, err := next.Stat(".")
	if err == nil && !os.SameFile(before, after) {
		err = errors.New("was swapped for another directory while it was opened")
	}
	if err != nil {
		next.Close()
		return nil, bare(err)
	}
	return next, nil
}

func (n *node) close() {
	n.file.Close()
	n.root.Close()
}

// sync makes the entries of the directory durable. File systems that cannot sync a directory say EINVAL
// or ENOTSUP; there is nothing more that could be done on them.
func (n *node) sync(step stepper) error {
	err := step.at("sync-dir", n.rel)
	if err == nil {
		err = syncDir(n.file)
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	if err != nil {
		return &syncError{about(n.rel, bare(err))}
	}
	return nil
}

// A syncError is a failed sync. What reached the disk is unknown then, and a second sync would not tell:
// the kernel reports a lost write once.
type syncError struct{ err error }

func (e *syncError) Error() string { return e.err.Error() }
func (e *syncError) Unwrap() error { return e.err }

// move renames from/a to to/b and replaces what is there.
func move(step stepper, from *node, a string, to *node, b string) error {
	err := step.at("rename", path.Join(to.rel, b))
	if err == nil {
		err = renameAt(from, a, to, b)
	}
	return pathTo(to, b, err)
}

// moveNew renames from/a to to/b, unless there is something under that name: then the error is ErrExists.
//
// Where the kernel or the file system cannot do that in one step, a link claims the name; where there are
// no links either, it looks first and then renames, which only the lock makes safe.
func moveNew(step stepper, from *node, a string, to *node, b string) error {
	err := step.at("rename-new", path.Join(to.rel, b))
	if err == nil {
		err = renameNewAt(from, a, to, b)
	}
	if noSuchCall(err) {
		err = linkThenRemove(step, from, a, to, b)
	}
	if noSuchCall(err) || errors.Is(err, syscall.EPERM) {
		_, err = to.root.Lstat(b)
		switch {
		case err == nil:
			err = ErrExists
		case errors.Is(err, fs.ErrNotExist):
			return move(step, from, a, to, b)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		err = ErrExists
	}
	return pathTo(to, b, err)
}

func linkThenRemove(step stepper, from *node, a string, to *node, b string) error {
	if err := link(step, from, a, to, b); err != nil {
		return err
	}
	if err := step.at("unlink", path.Join(from.rel, a)); err != nil {
		return err
	}
	return from.root.Remove(a)
}

// link makes to/b another name of from/a.
func link(step stepper, from *node, a string, to *node, b string) error {
	err := step.at("link", path.Join(to.rel, b))
	if err == nil {
		err = linkAt(from, a, to, b)
	}
	return pathTo(to, b, err)
}

// noSuchCall tells that the kernel or the file system does not know the operation at all.
func noSuchCall(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL)
}

// pathTo puts the destination in front of an error of a rename or a link.
func pathTo(to *node, b string, err error) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		err = fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return about(path.Join(to.rel, b), err)
}
