package templates

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// ErrNotRegular is wrapped in the error for a symbolic link, fifo, socket or
// device in a [Dir].
var ErrNotRegular = errors.New("not a regular file")

// Dir is a directory whose content is not trusted: a cache, an upload. It
// implements [fs.FS], [fs.ReadDirFS] and [fs.StatFS]. Names follow
// [fs.ValidPath]. It opens regular files and directories below it, nothing
// else: no symbolic link is followed in any element of a name, and opening a
// fifo or device fails instead of blocking. Methods are safe for concurrent
// use.
type Dir struct {
	path string
	root *os.Root
}

// OpenDir opens a directory by a path of the caller's: symbolic links in the
// path itself are followed.
func OpenDir(dir string) (*Dir, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Dir{path: dir, root: root}, nil
}

// Path is the path the directory was opened with.
func (d *Dir) Path() string { return d.path }

// Root is the directory itself, for removing or renaming what is in it.
func (d *Dir) Root() *os.Root { return d.root }

// Close gives the directory back.
func (d *Dir) Close() error { return d.root.Close() }

// Open opens the regular file or directory at name; a regular file is an
// [*os.File]. Anything else is refused with an error that wraps [ErrNotRegular].
func (d *Dir) Open(name string) (fs.File, error) {
	fi, err := d.lstat("open", name)
	if err != nil {
		return nil, err
	}
	if err := checkType(fi); err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := openBeneath(d.root, name)
	if err != nil {
		return nil, shortPath(err, "open", name)
	}
	// The name may have been given to another file since it was looked at.
	now, err := f.Stat()
	if err == nil {
		err = checkType(now)
	}
	if err == nil && !os.SameFile(fi, now) {
		err = errors.New("was replaced while it was opened; try again")
	}
	if err != nil {
		_ = f.Close()
		return nil, shortPath(err, "open", name)
	}
	if now.IsDir() {
		return &dirFile{File: f, d: d, name: name}, nil
	}
	return f, nil
}

// Stat describes name itself: of a symbolic link the link, not its target.
func (d *Dir) Stat(name string) (fs.FileInfo, error) { return d.lstat("stat", name) }

// ReadDir lists the directory at name in byte order of the names.
func (d *Dir) ReadDir(name string) ([]fs.DirEntry, error) {
	f, err := d.Open(name)
	if err != nil {
		return nil, err
	}
	df, ok := f.(*dirFile)
	if !ok {
		err := errors.New("is a regular file, not a directory")
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.Join(err, f.Close())}
	}
	list, err := df.ReadDir(-1)
	err = errors.Join(err, f.Close())
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	if err != nil {
		return list, shortPath(err, "readdir", name)
	}
	return list, nil
}

// dirFile is an open directory whose entries are described through the Dir: an
// [*os.File] would look them up by a path that means nothing here.
type dirFile struct {
	*os.File
	d    *Dir
	name string
}

// ReadDir reads the next n entries, as [fs.ReadDirFile] has it.
func (f *dirFile) ReadDir(n int) ([]fs.DirEntry, error) {
	list, err := f.File.ReadDir(n)
	for i, e := range list {
		list[i] = &dirEntry{DirEntry: e, d: f.d, path: path.Join(f.name, e.Name())}
	}
	return list, err
}

type dirEntry struct {
	fs.DirEntry
	d    *Dir
	path string
}

// Info describes the entry itself as it is now.
func (e *dirEntry) Info() (fs.FileInfo, error) { return e.d.Stat(e.path) }

// lstat looks at name and refuses a parent that is a symbolic link: [os.Root]
// alone would follow one that stays inside.
func (d *Dir) lstat(op, name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	for i := range len(name) {
		if name[i] != '/' {
			continue
		}
		fi, err := d.root.Lstat(name[:i])
		if err != nil {
			return nil, shortPath(err, op, name)
		}
		if !fi.IsDir() {
			err := fmt.Errorf("%s is %s: %w", Quote(name[:i]), TypeName(fi.Mode()), ErrNotRegular)
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
	}
	fi, err := d.root.Lstat(name)
	if err != nil {
		return nil, shortPath(err, op, name)
	}
	return fi, nil
}

func checkType(fi fs.FileInfo) error {
	if fi.Mode().IsRegular() || fi.IsDir() {
		return nil
	}
	return fmt.Errorf("is %s: %w; only regular files are read", TypeName(fi.Mode()), ErrNotRegular)
}

// TypeName names the type of file in a message: "a symbolic link", "a fifo", …
func TypeName(m fs.FileMode) string {
	switch {
	case m.IsRegular():
		return "a regular file"
	case m.IsDir():
		return "a directory"
	case m&fs.ModeSymlink != 0:
		return "a symbolic link"
	case m&fs.ModeNamedPipe != 0:
		return "a fifo"
	case m&fs.ModeSocket != 0:
		return "a socket"
	case m&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}

// shortPath makes err speak of the name the caller gave.
func shortPath(err error, op, name string) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}
