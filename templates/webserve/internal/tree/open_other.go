//go:build !linux

package tree

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// dir is a zone's directory as a root that names cannot lead out of. A root
// alone would follow a symbolic link that stays inside, so each element is looked
// at as well.
type dir struct {
	refs
	root *os.Root
	self fs.FileInfo
}

func openZone(root, name string) (*dir, error) {
	path := filepath.Join(root, name)
	fi, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errSpecial}
	}
	r, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	self, err := r.Stat(".")
	if err == nil && !os.SameFile(fi, self) {
		err = &fs.PathError{Op: "open", Path: name, Err: errSpecial}
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	d := &dir{root: r, self: self}
	d.n.Store(1)
	return d, nil
}

func (d *dir) same(o *dir) bool { return os.SameFile(d.self, o.self) }

func (d *dir) release() {
	if d.drop() {
		_ = d.root.Close()
	}
}

func (d *dir) open(name string, dirOnly bool) (*File, error) {
	bad := func(err error) error { return &fs.PathError{Op: "open", Path: name, Err: err} }
	// A colon names a stream or a drive on Windows.
	if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, ":\\") {
		return nil, bad(fs.ErrNotExist)
	}
	var seen fs.FileInfo
	for i := range len(name) + 1 {
		if i < len(name) && name[i] != '/' {
			continue
		}
		fi, err := d.root.Lstat(name[:i])
		if err != nil {
			return nil, err
		}
		if !fi.IsDir() && (i < len(name) || dirOnly || !fi.Mode().IsRegular()) {
			if fi.Mode().IsRegular() {
				return nil, bad(syscall.ENOTDIR)
			}
			return nil, bad(errSpecial)
		}
		seen = fi
	}
	f, err := d.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// The name may have been given to another file since it was looked at.
	now, err := f.Stat()
	if err == nil && !os.SameFile(seen, now) {
		err = bad(syscall.EAGAIN)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &File{File: f, root: d.root, name: name, info: infoOf(now)}, nil
}

// infoOf has no more than package os tells everywhere.
func infoOf(fi fs.FileInfo) Info {
	return Info{Size: fi.Size(), Mode: fi.Mode(), ModTime: fi.ModTime(), Changed: fi.ModTime()}
}
