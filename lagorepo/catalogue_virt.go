package lagorepo

import (
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
	"github.com/tplkit/tplkit/templates"
)

// virtEntries is the index of virt-builder by the files that it names.
type virtEntries struct {
	all     []virtindex.Entry
	byFile  map[string][]*virtindex.Entry
	modTime time.Time
}

// readIndex reads the index of virt-builder, if there is one that can be read.
func (c *catalogue) readIndex() {
	const name = templates.IndexName
	fi := c.stat(name)
	if fi == nil {
		return
	}
	text, err := c.read(name, virtindex.MaxSize)
	var x *virtindex.Index
	if err == nil {
		if x, err = virtindex.Parse(text); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	if err != nil {
		c.tell("%v; nothing was taken from virt-builder's index", err)
		return
	}
	v := virtEntries{all: x.Entries, byFile: map[string][]*virtindex.Entry{}, modTime: fi.ModTime()}
	for i := range v.all {
		file := path.Clean(v.all[i].File())
		v.byFile[file] = append(v.byFile[file], &v.all[i])
	}
	c.index = v
}

// describe adds what the index says of p's file, and gives its texts.
func (v *virtEntries) describe(p *templates.Published, fi fs.FileInfo) []string {
	entries := v.byFile[p.File]
	if p.File == "" || len(entries) == 0 {
		return nil
	}
	e := entries[0]
	for _, other := range entries {
		if other.Arch() == p.Arch {
			e = other
			break
		}
	}
	p.VirtBuilder = e.ID
	for key, field := range map[string]*string{"arch": &p.Arch, "osinfo": &p.Osinfo} {
		if s, ok := e.Get(key, ""); ok && *field == "" {
			*field = s
		}
	}
	if packed, ok := number(e, "compressed_size"); ok && packed == fi.Size() {
		p.VirtualSize, _ = number(e, "size")
		if !fi.ModTime().After(v.modTime) {
			p.SHA512 = v.checksum(entries)
		}
	}
	title, _ := e.Get("name", "")
	if title == p.Name || title == p.Handle {
		title = ""
	}
	if title != "" && !strings.HasSuffix(title, ".") {
		title += "."
	}
	text, _ := e.Get("notes", "")
	return []string{title, strings.TrimSpace(text)}
}

// checksum is the one SHA-512 that all entries for a file give, or "".
func (v *virtEntries) checksum(entries []*virtindex.Entry) string {
	var sum string
	for i, e := range entries {
		s, ok := e.Get("checksum", "sha512")
		if !ok {
			s, _ = e.Get("checksum", "")
		}
		if len(s) != 128 || strings.Trim(s, "0123456789abcdef") != "" || i > 0 && s != sum {
			return ""
		}
		sum = s
	}
	return sum
}

// addVirtOnly adds what only the index of virt-builder lists, as far as the
// files are here.
func (c *catalogue) addVirtOnly(list []templates.Published) []templates.Published {
	known := make(map[string]bool, len(list))
	for _, p := range list {
		known[p.File] = true
	}
	for i := range c.index.all {
		e := &c.index.all[i]
		file := path.Clean(e.File())
		if known[file] {
			continue
		}
		fi := c.stat(file)
		if fi == nil {
			c.tell("%s: section %s names %s, which is not here", templates.IndexName, templates.Quote(e.ID), templates.Quote(e.File()))
			continue
		}
		if len(list) >= maxCatalogue {
			c.tell("section %s of %s is left out: %d templates are listed", templates.Quote(e.ID), templates.IndexName, maxCatalogue)
			continue
		}
		p := templates.Published{
			Name: e.ID, Handle: handleOf(file), Arch: e.Arch(), File: file, PackedSize: fi.Size(), Time: fi.ModTime().UTC(),
		}
		notes := c.index.describe(&p, fi)
		p.VirtBuilder, p.Notes = e.ID, joinNotes(notes)
		list = append(list, p)
	}
	return list
}

// number reads a field that holds a number of bytes; 0 is no such number.
func number(e *virtindex.Entry, key string) (int64, bool) {
	s, _ := e.Get(key, "")
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}
