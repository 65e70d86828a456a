package audit

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
	"github.com/tplkit/tplkit/templates"
)

// indexes looks at the virt-builder index, plain and signed.
func (a *auditor) indexes() {
	for _, name := range []string{templates.IndexName, templates.IndexName + ".asc"} {
		a.index(path.Join(templates.RepoDir, name))
	}
}

// open opens a file that need not be there. Nil if it is not, or is no regular
// file: that has been told by the walk.
func (a *auditor) open(name string) fs.File {
	f, err := a.dir.Open(name)
	if errors.Is(err, fs.ErrPermission) {
		a.add(Fault, KindUnreadable, name, reason(err), "let this process read it, and see that the serving user can")
	}
	if err != nil {
		return nil
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		_ = f.Close()
		return nil
	}
	return f
}

func (a *auditor) index(name string) {
	f := a.open(name)
	if f == nil {
		return
	}
	defer f.Close()
	x, err := virtindex.Read(f)
	if err != nil {
		a.add(Fault, KindIndex, name, err.Error(), "write it again: one wrong line makes virt-builder refuse all of it")
		return
	}
	for _, p := range x.Check() {
		if p.Severity == virtindex.Error {
			a.add(Fault, KindIndex, name, p.String(), "write it again: one wrong entry makes virt-builder refuse all of it")
		}
	}
	for i := range x.Entries {
		e := &x.Entries[i]
		file, _ := e.Get("file", "")
		if !fs.ValidPath(file) {
			continue // told above
		}
		at := fmt.Sprintf("line %d: section %s", e.Line, templates.Quote(e.ID))
		fi, err := a.dir.Stat(path.Join(templates.RepoDir, file))
		if err != nil || !fi.Mode().IsRegular() {
			a.add(Fault, KindIndex, name, fmt.Sprintf("%s names the file %s, which is not there", at, templates.Quote(file)), "publish the file, or write the index again")
			continue
		}
		size, _ := e.Get("compressed_size", "")
		if n, err := strconv.ParseInt(size, 10, 64); err == nil && n != fi.Size() {
			a.add(Fault, KindIndex, name, fmt.Sprintf("%s tells a compressed_size of %d, and %s has %d bytes", at, n, templates.Quote(file), fi.Size()), "write the index again")
		}
	}
}

// readAll reads a small file. The bool is false if that has been told.
func (a *auditor) readAll(name string, most int64) ([]byte, bool) {
	f := a.open(name)
	if f == nil {
		return nil, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		a.add(Fault, KindUnreadable, name, reason(err), "look at the disk")
	case int64(len(data)) > most:
		a.add(Fault, KindLimit, name, fmt.Sprintf("has more than %d bytes, and was not read", most), "write it again")
	default:
		return data, true
	}
	return nil, false
}
