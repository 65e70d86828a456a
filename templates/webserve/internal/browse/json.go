package browse

import (
	"encoding/json"
	"io/fs"
	"net/http"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// jsonEntry is an entry in the words of Caddy's file server and of nginx's
// autoindex module, so that what reads theirs reads this. Where they differ in a
// directory's name, it is nginx's, without the slash.
type jsonEntry struct {
	Name      string      `json:"name"`
	Size      int64       `json:"size"` // both
	URL       string      `json:"url"`
	ModTime   time.Time   `json:"mod_time"`
	Mode      fs.FileMode `json:"mode"`
	IsDir     bool        `json:"is_dir"`
	IsSymlink bool        `json:"is_symlink"`
	Type      string      `json:"type"`  // nginx: "file" or "directory"
	MTime     string      `json:"mtime"` // nginx: as in an HTTP header
}

// jsonTemplate is what is published of a template. Fields that nothing tells are
// absent.
type jsonTemplate struct {
	Name        string    `json:"name"`
	Version     string    `json:"version,omitempty"`
	Handle      string    `json:"handle"`
	Latest      bool      `json:"latest"`
	Osinfo      string    `json:"osinfo,omitempty"`
	Arch        string    `json:"arch,omitempty"`
	Distro      string    `json:"distro,omitempty"`
	VirtualSize int64     `json:"virtual_size,omitempty"`
	PackedSize  int64     `json:"packed_size,omitempty"`
	Time        time.Time `json:"time,omitzero"`
	File        string    `json:"file,omitempty"`
	URL         string    `json:"url,omitempty"` // of the file
	SHA1        string    `json:"sha1,omitempty"`
	SHA512      string    `json:"sha512,omitempty"`
	VirtBuilder string    `json:"virt_builder,omitempty"`
	Notes       string    `json:"notes,omitempty"`

	Snippets map[string]string `json:"snippets,omitempty"` // of one template that was asked for
}

// jsonCatalogue is the catalogue; problems are what could not be read.
type jsonCatalogue struct {
	Templates []jsonTemplate `json:"templates"`
	Problems  []string       `json:"problems"`
}

type jsonError struct {
	Error string `json:"error"`
}

// json makes the JSON form of what is asked for, and says if it is not there.
func (v *view) json(status *int) []byte {
	switch {
	case v.Catalogue == nil || v.query.view == viewFiles:
		return encode(v.jsonListing())
	case v.query.view == viewTemplates:
		all, faults := v.catalogue()
		list := v.chosen(all)
		c := jsonCatalogue{Templates: make([]jsonTemplate, len(list)), Problems: append([]string{}, faults...)}
		for i := range list {
			c.Templates[i] = v.jsonTemplate(&list[i])
		}
		return encode(c)
	}
	all, _ := v.catalogue()
	p := v.query.find(all)
	if p == nil {
		*status = http.StatusNotFound
		return encode(jsonError{"there is no such template here"})
	}
	t := v.jsonTemplate(p)
	t.Snippets = map[string]string{}
	for _, s := range v.snippets(p) {
		t.Snippets[s.kind] = s.text
	}
	return encode(t)
}

func (v *view) jsonListing() []jsonEntry {
	list := v.entries()
	out := make([]jsonEntry, len(list))
	for i, e := range list {
		t := jsonTime(e.ModTime)
		j := jsonEntry{
			Name: e.Name, Size: e.Size, ModTime: t, Mode: e.Mode, IsDir: e.Dir, Type: "file", MTime: t.Format(http.TimeFormat),
		}
		ref := appendPath([]byte("./"), e.Name)
		if e.Dir {
			j.Size, j.Type, ref = 0, "directory", append(ref, '/')
		}
		j.URL = string(ref)
		out[i] = j
	}
	return out
}

func (v *view) jsonTemplate(p *templates.Published) jsonTemplate {
	t := jsonTemplate{
		Name: p.Name, Version: p.Version, Handle: p.Handle, Latest: p.Latest, Osinfo: p.Osinfo, Arch: p.Arch, Distro: p.Distro,
		VirtualSize: p.VirtualSize, PackedSize: p.PackedSize, Time: jsonTime(p.Time), File: p.File,
		SHA1: p.SHA1, SHA512: p.SHA512, VirtBuilder: p.VirtBuilder, Notes: p.Notes,
	}
	if p.File != "" {
		t.URL = v.repo + string(appendPath(nil, p.File))
	}
	return t
}

// jsonTime is the time in UTC, or none where JSON has no form for it: some file
// systems hold times beyond the year 9999.
func jsonTime(t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1 || t.Year() > 9999 {
		return time.Time{}
	}
	return t
}

// encode makes one line of JSON.
func encode(v any) []byte {
	b, _ := json.Marshal(v) // nothing that is encoded here can fail
	return append(b, '\n')
}
