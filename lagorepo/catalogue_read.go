package lagorepo

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// wanted lists the versions that there are, undescribed.
func (c *catalogue) wanted(list []fs.DirEntry) []offered {
	const name = templates.RepoMetadataName
	text, err := c.read(name, maxJSONSize)
	if errors.Is(err, fs.ErrNotExist) {
		return c.fromFiles(list, false)
	}
	var m *RepoMetadata
	if err == nil {
		if m, err = ParseRepoMetadata(text); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	if err != nil {
		c.tell("%v; names and versions are those of each template's metadata", err)
		return c.fromFiles(list, true)
	}
	return c.fromRepo(m)
}

// fromRepo takes the versions of repo.metadata that are this repository's: by
// the name of their source, or because the image is here.
func (c *catalogue) fromRepo(m *RepoMetadata) []offered {
	var out []offered
	for _, name := range slices.Sorted(maps.Keys(m.Templates)) {
		versions := m.Templates[name].Versions
		for _, version := range slices.Sorted(maps.Keys(versions)) {
			v := versions[version]
			p := templates.Published{Name: name, Version: version, Handle: strings.TrimSuffix(v.Handle, ".xz"), Time: timeOf(v.Timestamp)}
			if file, _ := c.imageOf(p.Handle); file == "" && v.Source != m.Name {
				continue
			}
			out = append(out, offered{Published: p})
		}
	}
	return out
}

// fromFiles takes every image that has sidecars. named says whether lago knows
// them, by what their metadata says.
func (c *catalogue) fromFiles(list []fs.DirEntry, named bool) []offered {
	var out []offered
	for _, de := range list {
		handle, ok := strings.CutSuffix(de.Name(), ".xz")
		f := templates.FilesOf(handle)
		if !ok || templates.CheckHandle(handle) != nil || c.files[f.Disk] == nil || c.files[f.Hash] == nil && c.files[f.Metadata] == nil {
			continue
		}
		o := offered{Published: templates.Published{Name: handle, Handle: handle}}
		if fi := c.stat(f.Disk); fi != nil {
			o.Time = fi.ModTime().UTC()
		}
		if named {
			o.Version = latestVersion
			if md, err := c.metadata(f.Metadata); err == nil {
				o.metadata = md
				o.nameFrom(md)
			}
		}
		out = append(out, o)
	}
	return out
}

func (o *offered) nameFrom(md *Metadata) {
	if name := md.TemplateName(); name != "" {
		o.Name = name
	}
	if v, ok := md.Text(KeyVersion); ok && templates.CheckVersion(v) == nil {
		o.Version = v
	}
	if ts, ok := md.Timestamp(); ok {
		o.Time = timeOf(ts)
	}
}

// describe says of a version what its files say.
func (c *catalogue) describe(o offered) templates.Published {
	p := o.Published
	f := templates.FilesOf(p.Handle)
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }

	file, fi := c.imageOf(p.Handle)
	if fi == nil {
		note("Its image is not here, so nobody can fetch it.")
	} else {
		p.File, p.PackedSize = file, fi.Size()
	}
	md := o.metadata
	var err error
	if md == nil {
		md, err = c.metadata(f.Metadata)
	}
	if err != nil {
		note("%s", sidecarFault(f.Metadata, err))
		md = new(Metadata)
	}
	for key, field := range map[string]*string{KeyOSInfo: &p.Osinfo, KeyArch: &p.Arch, KeyDistro: &p.Distro} {
		*field, _ = md.Text(key)
	}
	if p.SHA1, err = c.hash(f.Hash); err != nil {
		note("%s", sidecarFault(f.Hash, err))
	}
	for _, name := range []string{f.Disk + ".hash", f.Disk + ".metadata"} {
		if c.stat(name) != nil {
			note("%s is there, and lago reads it in place of the template's own.", name)
		}
	}
	said := c.index.describe(&p, fi)
	if n, ok := md.Int(KeySize); ok && n > 0 && p.VirtualSize == 0 {
		p.VirtualSize = n
	}
	p.Notes = joinNotes(append(said, notes...))
	return p
}

// sidecarFault tells of a sidecar as a sentence.
func sidecarFault(name string, err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		return name + " is missing, and lago gives up without it."
	}
	return err.Error() + "."
}

func (c *catalogue) metadata(name string) (*Metadata, error) {
	text, err := c.read(name, maxCatalogueFile)
	if err != nil {
		return nil, err
	}
	md, err := ParseMetadata(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return md, nil
}

// hash reads the SHA-1 that lago will compare.
func (c *catalogue) hash(name string) (string, error) {
	text, err := c.read(name, maxHashSize)
	if err != nil {
		return "", err
	}
	e, err := hashutil.ParseSidecar(text, hashutil.SHA1)
	if err == nil {
		err = e.CheckLago()
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return e.Hex, nil
}

// joinNotes makes one text of the notes, cut to a size that a page can hold.
func joinNotes(notes []string) string {
	s := strings.Join(slices.DeleteFunc(notes, func(n string) bool { return n == "" }), " ")
	if len(s) <= maxNotes {
		return s
	}
	cut := maxNotes
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
