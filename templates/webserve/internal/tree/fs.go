package tree

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"time"
)

// FS is a zone as an [fs.FS] without the entries that are hidden. Its regular
// files implement [io.ReaderAt] and [io.Seeker].
type FS struct {
	Zone   *Zone
	Hidden func(elem string) bool
	Limit  int // the most entries of a directory
}

// Open opens a regular file or a directory.
func (f FS) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	for dir := name; dir != "."; dir = path.Dir(dir) {
		if f.Hidden(path.Base(dir)) {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
	}
	file, err := f.Zone.Open(name, false)
	if err != nil {
		if k := KindOf(err); k == Missing || k == Special {
			err = &fs.PathError{Op: "open", Path: name, Err: errors.Join(fs.ErrNotExist, err)}
		}
		return nil, err
	}
	return &fsFile{File: file, fs: f, stat: stat{path.Base(name), file.Info()}}, nil
}

type fsFile struct {
	*File
	fs   FS
	stat stat
	rest []Entry
	read bool
}

func (f *fsFile) Stat() (fs.FileInfo, error) { return f.stat, nil }

// ReadDir gives the next n entries, as [fs.ReadDirFile] has it.
func (f *fsFile) ReadDir(n int) ([]fs.DirEntry, error) {
	if !f.read {
		list, err := f.List(f.fs.Limit, func(name string) bool { return !f.fs.Hidden(name) })
		if err != nil {
			return nil, err
		}
		f.rest, f.read = list, true
	}
	take := len(f.rest)
	if n > 0 {
		if take == 0 {
			return nil, io.EOF
		}
		take = min(n, take)
	}
	entries := make([]fs.DirEntry, take)
	for i, e := range f.rest[:take] {
		entries[i] = fs.FileInfoToDirEntry(stat{e.Name, e.Info})
	}
	f.rest = f.rest[take:]
	return entries, nil
}

// stat is an Info in the form of package fs.
type stat struct {
	name string
	info Info
}

func (s stat) Name() string       { return s.name }
func (s stat) Size() int64        { return s.info.Size }
func (s stat) Mode() fs.FileMode  { return s.info.Mode }
func (s stat) ModTime() time.Time { return s.info.ModTime }
func (s stat) IsDir() bool        { return s.info.Mode.IsDir() }
func (s stat) Sys() any           { return nil }
