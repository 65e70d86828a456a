package hashutil

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// tree is what is there to be verified: names and types, nothing opened yet.
type tree struct {
	fsys  fs.FS
	types map[string]fs.FileMode // every entry but the hidden ones
	dirs  map[string]bool        // directories whose entries are in types
	bad   map[string]error       // what could not be listed
}

// scan lists the whole tree, or only what the names need: the directory of each
// named file, everything below each named directory.
func scan(ctx context.Context, fsys fs.FS, names []string) (*tree, error) {
	t := &tree{fsys, map[string]fs.FileMode{}, map[string]bool{}, map[string]error{}}
	if names == nil {
		names = []string{"."}
	}
	for _, name := range names {
		mode, err := t.lookup(name)
		switch {
		case err == nil && mode.IsDir():
			err = t.walk(ctx, name)
		case err == nil:
			if err = t.list(ctx, path.Dir(name)); err == nil {
				t.types[name] = mode // listed or hidden: it was asked for
			}
		case name == ".":
			return nil, err // nothing can be said about anything
		case errors.Is(err, fs.ErrNotExist):
			err = t.list(ctx, path.Dir(name)) // its sidecar may be there
		default:
			t.bad[name] = err
			err = nil
		}
		if err != nil {
			return nil, err
		}
	}
	return t, nil
}

// walk lists dir and everything below, but for hidden directories.
func (t *tree) walk(ctx context.Context, dir string) error {
	return fs.WalkDir(t.fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		hidden := name != dir && strings.HasPrefix(path.Base(name), ".")
		switch {
		case err != nil && name == "." && dir == ".":
			return err
		case err != nil:
			t.bad[name] = err
			return nil
		case hidden && d.IsDir():
			return fs.SkipDir
		case hidden:
			return nil
		case d.IsDir():
			t.dirs[name] = true
		}
		t.types[name] = d.Type()
		return nil
	})
}

// list lists one directory, flat.
func (t *tree) list(ctx context.Context, dir string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if t.dirs[dir] {
		return nil
	}
	entries, err := fs.ReadDir(t.fsys, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the named file is reported, not its directory
	}
	if err != nil {
		t.bad[dir] = err
		return nil
	}
	t.dirs[dir] = true
	for _, d := range entries {
		if !strings.HasPrefix(d.Name(), ".") {
			t.types[path.Join(dir, d.Name())] = d.Type()
		}
	}
	return nil
}

// lookup gives the type of a file that need not have been listed, of a link
// itself where the file system tells it.
func (t *tree) lookup(name string) (fs.FileMode, error) {
	if mode, ok := t.types[name]; ok {
		return mode, nil
	}
	info, err := fs.Lstat(t.fsys, name)
	if err != nil {
		return 0, err
	}
	return info.Mode().Type(), nil
}

// file reports whether there is something of this name that is no directory.
func (t *tree) file(name string) bool {
	mode, ok := t.types[name]
	return ok && !mode.IsDir()
}

// irregular says why a file of this type is not opened; nil for a regular one.
// What is not opened cannot block, and cannot lead out of the tree.
func irregular(mode fs.FileMode) error {
	if mode.IsRegular() {
		return nil
	}
	return fmt.Errorf("expected a regular file, found %s", typeName(mode))
}

func typeName(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a regular file"
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
