package browse

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// maxRowNotes is how much of a template's notes its row shows, in bytes.
const maxRowNotes = 160

// chosen are the templates that are searched for, in the order that is asked
// for: by name with the newest first, by time, or by the size of what is fetched.
func (v *view) chosen(all []templates.Published) []templates.Published {
	words := v.query.words()
	list := make([]templates.Published, 0, len(all))
	for i := range all {
		p := &all[i]
		if matches(words, p.Name, p.Version, p.Handle, p.Osinfo, p.Distro, p.Arch, p.SHA1, p.Notes) {
			list = append(list, *p)
		}
	}
	sign := 1
	if v.query.descending {
		sign = -1
	}
	slices.SortStableFunc(list, func(a, b templates.Published) int {
		switch v.query.column {
		case 'M':
			return sign * a.Time.Compare(b.Time)
		case 'S':
			return sign * cmp.Compare(a.PackedSize, b.PackedSize)
		}
		return sign * strings.Compare(a.Name, b.Name)
	})
	return list
}

// templates writes the page of the catalogue.
func (v *view) templates(d *document) {
	all, faults := v.catalogue()
	list := v.chosen(all)
	d.b = make([]byte, 0, len(style)+len(script)+4096+640*len(list))
	v.head(d, "Templates in "+v.Path, v.crumbs(), false)
	d.faults(faults)
	v.count(d, len(list), len(all), "templates")
	d.raw("<table class=\"templates\" role=\"table\">\n<caption class=\"off\">Templates in ")
	d.text(v.Path)
	d.raw("</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">")
	v.column(d, 'N', "name", "Template")
	d.raw("<th role=\"columnheader\" scope=\"col\">System</th><th role=\"columnheader\" scope=\"col\">Arch</th><th role=\"columnheader\" scope=\"col\" class=\"size\">Disk</th>")
	v.column(d, 'S', "size", "Download")
	v.column(d, 'M', "date", "Date")
	d.raw("<th role=\"columnheader\" scope=\"col\">SHA-1</th></tr></thead>\n")
	ambiguous := repeated(all)
	for group := range slices.Chunk(list, rowGroup) {
		d.raw("<tbody role=\"rowgroup\">\n")
		for i := range group {
			v.templateRow(d, &group[i], ambiguous)
		}
		d.raw("</tbody>\n")
	}
	d.raw("</table>\n")
	v.nothing(d, len(list) == 0)
	v.foot(d, catalogueTotal(all))
}

func (d *document) faults(faults []string) {
	if len(faults) == 0 {
		return
	}
	d.raw("<div class=\"faults\" role=\"note\"><p>Not everything here could be read:</p><ul>")
	for _, f := range faults {
		d.raw("<li>")
		d.text(f)
		d.raw("</li>")
	}
	d.raw("</ul></div>\n")
}

// identity tells a template of a catalogue from the others.
type identity struct{ name, version string }

// repeated finds the names and versions that several templates have: the index
// of virt-builder has one section for each architecture.
func repeated(all []templates.Published) map[identity]bool {
	seen := make(map[identity]bool, len(all))
	for i := range all {
		id := identity{all[i].Name, all[i].Version}
		_, again := seen[id]
		seen[id] = again
	}
	return seen
}

// templateLink is the query of a template's page.
func templateLink(p *templates.Published, ambiguous map[identity]bool) string {
	link := "?template=" + queryEscape(p.Name) + "&version=" + queryEscape(p.Version)
	if ambiguous[identity{p.Name, p.Version}] {
		link += "&arch=" + queryEscape(p.Arch)
	}
	return link
}

func (v *view) templateRow(d *document, p *templates.Published, ambiguous map[identity]bool) {
	d.raw("<tr role=row data-k=\"", v.letters(p), "\"><td role=cell class=name><a href=\"")
	d.text(templateLink(p, ambiguous))
	d.raw("\">")
	d.text(p.Name)
	d.raw("</a>")
	if p.Version != "" {
		d.raw(" <span>")
		d.text(p.Version)
		d.raw("</span>")
	}
	if p.Latest && p.Version != "" {
		d.raw(" <b>latest</b>")
	}
	if p.Handle != p.Name && p.Handle != "" {
		d.raw(" <small>")
		d.text(p.Handle)
		d.raw("</small>")
	}
	if p.Notes != "" {
		d.raw(" <small class=note>")
		d.text(oneLine(p.Notes))
		d.raw("</small>")
	}
	d.raw("<td role=cell>")
	d.text(cmp.Or(p.Osinfo, p.Distro))
	d.raw("<td role=cell>")
	d.text(p.Arch)
	d.raw("<td role=cell class=n>")
	d.size(p.VirtualSize)
	d.raw("<td role=cell class=n>")
	if p.File != "" {
		d.raw("<a href=\"")
		d.href(p.File, false)
		d.raw("\">")
		if p.PackedSize > 0 {
			d.size(p.PackedSize)
		} else {
			d.raw("image")
		}
		d.raw("</a>")
	}
	d.raw("<td role=cell class=n>")
	d.date(p.Time, time.DateOnly)
	d.raw("<td role=cell><code>")
	d.text(p.SHA1)
	d.raw("</code></tr>\n")
}

// oneLine makes a text fit for a row.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= maxRowNotes {
		return s
	}
	return strings.ToValidUTF8(s[:maxRowNotes], "") + "…"
}

// catalogueTotal says how much there is.
func catalogueTotal(all []templates.Published) string {
	names := map[string]bool{}
	var bytes int64
	for i := range all {
		names[all[i].Name] = true
		bytes += all[i].PackedSize
	}
	d := new(document)
	d.counted(int64(len(names)), "template", "templates")
	d.raw(" in ")
	d.counted(int64(len(all)), "version", "versions")
	if bytes > 0 {
		d.raw(", ")
		d.size(bytes)
	}
	return string(d.b) + "."
}
