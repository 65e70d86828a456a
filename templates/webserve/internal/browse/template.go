package browse

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// find looks for the template that is asked for: of several the first, which is
// the newest.
func (q query) find(all []templates.Published) *templates.Published {
	for i := range all {
		p := &all[i]
		if p.Name == q.template && (q.anyVersion || p.Version == q.version) && (q.arch == "" || p.Arch == q.arch) {
			return p
		}
	}
	return nil
}

// template writes the page of one template.
func (v *view) template(d *document, status *int) {
	all, faults := v.catalogue()
	p := v.query.find(all)
	crumbs := v.crumbs()
	crumbs[len(crumbs)-1].link = "./"
	if p == nil {
		*status = http.StatusNotFound
		v.head(d, "No such template", append(crumbs, crumb{text: v.query.template}), false)
		d.faults(faults)
		d.raw("<p>There is no such template here. <a href=\"?view=templates\">See what there is.</a></p>\n")
		v.foot(d, catalogueTotal(all))
		return
	}
	title := p.Name
	if p.Version != "" {
		title += " " + p.Version
	}
	v.head(d, title, append(crumbs, crumb{text: title}), false)
	d.faults(faults)
	if p.Notes != "" {
		d.raw("<p class=\"notes\">")
		d.lines(p.Notes)
		d.raw("</p>\n")
	}
	v.facts(d, p)
	for _, s := range v.snippets(p) {
		for _, k := range kinds {
			if k.kind == s.kind {
				d.raw("<section class=\"snippet\"><h2>", k.title, "</h2>\n<pre tabindex=\"0\" data-kind=\"", k.button, "\"><code>")
			}
		}
		d.lines(s.text)
		d.raw("</code></pre></section>\n")
	}
	v.versions(d, all, p)
	v.foot(d, catalogueTotal(all))
}

// facts writes what is known of a template.
func (v *view) facts(d *document, p *templates.Published) {
	d.raw("<dl>\n")
	fact := func(name, class string, there bool, write func()) {
		if there {
			d.raw("<div", class, "><dt>", name, "</dt><dd>")
			write()
			d.raw("</dd></div>\n")
		}
	}
	const wide = ` class="wide"`
	text := func(name, value string) { fact(name, "", value != "", func() { d.text(value) }) }
	code := func(name, value string) {
		fact(name, wide, value != "", func() {
			d.raw("<code>")
			d.text(value)
			d.raw("</code>")
		})
	}
	text("System", p.Osinfo)
	text("Distribution", p.Distro)
	text("Architecture", p.Arch)
	bytes := func(n int64) func() {
		return func() {
			d.size(n)
			d.raw(" <small>")
			d.number(n)
			d.raw(" bytes</small>")
		}
	}
	fact("Disk", "", p.VirtualSize > 0, bytes(p.VirtualSize))
	fact("Download", "", p.PackedSize > 0, bytes(p.PackedSize))
	fact("Date", "", !p.Time.IsZero(), func() { d.date(p.Time, time.DateTime+" UTC") })
	fact("Files", wide, p.File != "", func() { v.files(d, p) })
	code("Disk’s SHA-1", p.SHA1)
	code("File’s SHA-512", p.SHA512)
	d.raw("</dl>\n")
}

// files writes links to a template's files.
func (v *view) files(d *document, p *templates.Published) {
	f := templates.FilesOf(p.Handle)
	names := []string{p.File}
	for _, name := range []string{f.Hash, f.Metadata} {
		if v.has(name) {
			names = append(names, name)
		}
	}
	for i, name := range names {
		if i > 0 {
			d.raw(" ")
		}
		d.raw("<a href=\"")
		d.href(name, false)
		d.raw("\">")
		d.text(name)
		d.raw("</a>")
	}
}

// has says whether the directory has an entry of that name.
func (v *view) has(name string) bool {
	_, ok := slices.BinarySearchFunc(v.Entries, name, func(e Entry, name string) int { return strings.Compare(e.Name, name) })
	return ok
}

// versions writes links to the other versions of a template.
func (v *view) versions(d *document, all []templates.Published, p *templates.Published) {
	var others []templates.Published
	for i := range all {
		if all[i].Name == p.Name {
			others = append(others, all[i])
		}
	}
	if len(others) < 2 {
		return
	}
	ambiguous := repeated(others)
	d.raw("<section><h2>Other versions</h2>\n<ul class=\"versions\">")
	for i := range others {
		o := &others[i]
		if *o == *p {
			continue
		}
		d.raw("<li><a href=\"")
		d.text(templateLink(o, ambiguous))
		d.raw("\">")
		d.text(cmp.Or(o.Version, o.Arch, o.Handle))
		d.raw("</a> ")
		d.date(o.Time, time.DateOnly)
		d.raw("</li>")
	}
	d.raw("</ul></section>\n")
}
