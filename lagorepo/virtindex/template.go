package virtindex

import (
	"path"
	"strconv"
)

// Template is what a generator of an index knows of one packed image.
type Template struct {
	// Handle names the template: see [SectionID].
	Handle string
	// File is the packed image, relative to the index; empty means Handle + ".xz".
	File string
	// Arch is the architecture as libguestfs calls it: x86_64, i686, aarch64,
	// ppc64le, s390x… Empty means that nobody has said: the template is then
	// listed only if the index has an entry for File already, with the
	// architecture given there.
	Arch string

	// Name is the title shown in lists, OSInfo the short ID of libosinfo.
	// Expand is the partition and LVExpand the logical volume to grow. Empty
	// means that there is nothing to say: what the index has is left as it is.
	Name, OSInfo, Expand, LVExpand string

	// Size is the virtual size of the disk in bytes, PackedSize the size of
	// File in bytes. Both are required.
	Size, PackedSize int64
	// Format is that of the disk inside File: "raw" or "qcow2". Required.
	Format string
	// SHA512 is the digest of File as it is served, in lower-case hex. Required.
	SHA512 string
}

// Validate returns an [*InvalidError] when the template would make an entry that
// clients refuse.
func (t Template) Validate() error {
	probe := t
	if probe.Arch == "" {
		probe.Arch = "unknown" // decided by the index: see Template.Arch
	}
	e := probe.newEntry()
	x := Index{Entries: []Entry{e}}
	var bad []Problem
	for _, p := range x.contents() {
		if p.Severity == Error {
			bad = append(bad, p)
		}
	}
	if len(bad) > 0 {
		return &InvalidError{Problems: bad}
	}
	return nil
}

// file returns the path of the packed image in one spelling.
func (t Template) file() string {
	if t.File == "" {
		return t.Handle + ".xz"
	}
	return path.Clean(t.File)
}

// newEntry returns the entry of a template that the index does not have yet.
func (t Template) newEntry() Entry {
	e := Entry{ID: SectionID(t.Handle)}
	t.describe(&e)
	t.measure(&e)
	e.setChecksum(t.SHA512)
	e.Set("revision", "", "1")
	return e
}

// refresh brings an entry up to date with the bytes of the file, and raises the
// revision when they are not the bytes that the entry was written for.
func (t Template) refresh(e *Entry) error {
	revision, err := e.nextRevision(t.SHA512)
	if err != nil {
		return err
	}
	e.setChecksum(t.SHA512)
	t.measure(e)
	e.Set("revision", "", revision)
	return nil
}

// describe writes what the template says of itself.
func (t Template) describe(e *Entry) {
	for _, f := range []struct{ key, value string }{
		{"name", t.Name}, {"osinfo", t.OSInfo}, {"arch", t.Arch},
		{"expand", t.Expand}, {"lvexpand", t.LVExpand},
	} {
		if f.value != "" {
			e.Set(f.key, "", f.value)
		}
	}
}

// measure writes what follows from the file.
func (t Template) measure(e *Entry) {
	if path.Clean(e.File()) != t.file() {
		e.Set("file", "", t.file())
	}
	e.Set("format", "", t.Format)
	e.Set("size", "", strconv.FormatInt(t.Size, 10))
	e.Set("compressed_size", "", strconv.FormatInt(t.PackedSize, 10))
}
