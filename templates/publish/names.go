package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
)

// metaDir is where locks, staging and journals lie, below the tree. Names that begin like it are ours.
const metaDir = ".tplkit"

// maxName is the longest path that Linux takes.
const maxName = 4095

// checkName refuses names that could lead out of the tree, into metaDir, or that a terminal, a web server
// or another system would read differently.
func checkName(name string) error {
	if !fs.ValidPath(name) || name == "." || !filepath.IsLocal(filepath.FromSlash(name)) {
		return fmt.Errorf("%s: expected a relative path with \"/\" between its elements and without \".\" and \"..\"", quote(name))
	}
	if len(name) > maxName {
		return fmt.Errorf("%s: a path of %d bytes, the limit is %d", quote(name), len(name), maxName)
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }); i >= 0 {
		return fmt.Errorf("%s: found %q in a name, expected no control character and no backslash", quote(name), name[i])
	}
	for elem := range strings.SplitSeq(name, "/") {
		if len(elem) >= len(metaDir) && strings.EqualFold(elem[:len(metaDir)], metaDir) {
			return fmt.Errorf("%s: names that begin with %s are reserved for publishing itself", quote(name), metaDir)
		}
	}
	return nil
}

// parents lists the directories above name, outermost first: "a/b/c" gives "a", "a/b".
func parents(name string) []string {
	var all []string
	for i, r := range name {
		if r == '/' {
			all = append(all, name[:i])
		}
	}
	return all
}

// claims is the set of names one Set uses, and finds those that cannot be had together.
type claims struct {
	files map[string]bool
	dirs  map[string]bool
}

func (c *claims) add(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if c.files[name] {
		return fmt.Errorf("%s: named twice in one set", quote(name))
	}
	if c.dirs[name] {
		return fmt.Errorf("%s: a file and a directory of one set", quote(name))
	}
	above := parents(name)
	for _, dir := range above {
		if c.files[dir] {
			return fmt.Errorf("%s: a file and a directory of one set", quote(dir))
		}
	}
	if c.files == nil {
		c.files, c.dirs = make(map[string]bool), make(map[string]bool)
	}
	c.files[name] = true
	for _, dir := range above {
		c.dirs[dir] = true
	}
	return nil
}

func (c *claims) drop(name string) { delete(c.files, name) }

// kind names what a file is that was expected to be a regular one.
func kind(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a fifo"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode.IsRegular():
		return "a regular file"
	}
	return "an irregular file"
}

// target says whether a regular file exists under base in dir, and refuses everything else there.
func (n *node) target(base string) (fs.FileInfo, error) {
	info, err := n.root.Lstat(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, about(path.Join(n.rel, base), bare(err))
	}
	if !info.Mode().IsRegular() {
		return nil, about(path.Join(n.rel, base), &obstacle{kind(info.Mode()), "a regular file or nothing"})
	}
	return info, nil
}

// An obstacle is what stands under a name and is neither replaced nor followed.
type obstacle struct{ found, expected string }

func (e *obstacle) Error() string {
	return fmt.Sprintf("found %s, expected %s: remove it by hand", e.found, e.expected)
}

// bare takes the path off an error of package os: the caller puts the whole name in front.
func bare(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}
