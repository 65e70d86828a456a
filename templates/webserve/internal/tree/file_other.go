//go:build !linux

package tree

import (
	"io/fs"
	"os"
)

// File is an open file or directory.
type File struct {
	*os.File
	root *os.Root
	name string
	info Info
}

// Info describes the file as it was when it was opened.
func (f *File) Info() Info { return f.info }

// List describes the entries of a directory whose names are wanted, in byte
// order: regular files and directories. More than limit entries, wanted or not,
// are [ErrTooMany].
func (f *File) List(limit int, wanted func(name string) bool) ([]Entry, error) {
	all, err := readNames(f.File, limit)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, name := range all {
		if !wanted(name) {
			continue
		}
		path := name
		if f.name != "." {
			path = f.name + "/" + name
		}
		fi, err := f.root.Lstat(path)
		if err == nil && (fi.Mode().IsRegular() || fi.Mode().IsDir()) {
			list = append(list, Entry{Name: name, Info: infoOf(fi)})
		}
	}
	sortEntries(list)
	return list, nil
}

var _ fs.File = (*File)(nil)
