package browse

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"
)

// rowGroup is how many rows of a table are laid out together, when they come into
// view. The style sheet guesses a group's height by it.
const rowGroup = 50

// listingTime is how a listing tells times, in UTC.
const listingTime = "2006-01-02 15:04"

func queryEscape(s string) string { return url.QueryEscape(s) }

// zones are what the directories of the root hold.
var zones = map[string]string{
	"repo": "Templates for lago and virt-builder", "bundles": "Release bundles",
	"yum": "RPM repositories", "kubevirt": "Images for KubeVirt CI",
}

// entries are those that are searched for, in the order that is asked for:
// directories first.
func (v *view) entries() []Entry {
	words := v.query.words()
	list := make([]Entry, 0, len(v.Entries))
	for _, e := range v.Entries {
		if matches(words, e.Name) {
			list = append(list, e)
		}
	}
	sign := 1
	if v.query.descending {
		sign = -1
	}
	slices.SortStableFunc(list, func(a, b Entry) int {
		if a.Dir != b.Dir {
			if a.Dir {
				return -1
			}
			return 1
		}
		order := 0
		switch v.query.column {
		case 'M':
			order = a.ModTime.Compare(b.ModTime)
		case 'S':
			if !a.Dir {
				order = cmp.Compare(a.Size, b.Size)
			}
		}
		if order == 0 {
			order = strings.Compare(a.Name, b.Name)
		}
		return sign * order
	})
	return list
}

// listing writes the page of the files.
func (v *view) listing(d *document) {
	list := v.entries()
	// Growing again and again would cost more than writing.
	d.b = make([]byte, 0, len(style)+len(script)+4096+160*len(list))
	v.head(d, "Index of "+v.Path, v.crumbs(), true)
	v.count(d, len(list), len(v.Entries), "entries")
	d.raw("<table class=\"files\" role=\"table\">\n<caption class=\"off\">Files in ")
	d.text(v.Path)
	d.raw("</caption>\n<thead role=\"rowgroup\"><tr role=\"row\">")
	v.column(d, 'N', "name", "Name")
	v.column(d, 'M', "date", "Modified (UTC)")
	v.column(d, 'S', "size", "Size")
	d.raw("</tr></thead>\n")
	if v.Path != "/" {
		d.raw("<tbody role=\"rowgroup\" class=\"up\">\n<tr role=\"row\"><td role=\"cell\" class=\"name\"><a href=\"../\">Parent directory</a></td><td role=\"cell\"></td><td role=\"cell\"></td></tr>\n</tbody>\n")
	}
	for group := range slices.Chunk(list, rowGroup) {
		d.raw("<tbody role=\"rowgroup\">\n")
		for i := range group {
			v.row(d, &group[i])
		}
		d.raw("</tbody>\n")
	}
	d.raw("</table>\n")
	v.nothing(d, len(list) == 0)
	v.foot(d, v.total())
}

// row writes an entry. Clients that read listings take what follows the link to
// the end of the line apart; so a row is a line, with blanks between the cells.
func (v *view) row(d *document, e *Entry) {
	d.raw("<tr role=row><td role=cell><a href=\"")
	d.href(e.Name, e.Dir)
	d.raw("\">")
	d.text(e.Name)
	if e.Dir {
		d.raw("/")
	}
	d.raw("</a>")
	if what, ok := zones[e.Name]; ok && v.Path == "/" && e.Dir {
		d.raw(" <small>", what, "</small>")
	}
	d.raw(" <td role=cell>")
	d.date(e.ModTime, listingTime)
	d.raw(" <td role=cell>")
	if e.Dir {
		d.raw("-")
	} else {
		d.shortSize(e.Size)
	}
	d.raw("</tr>\n")
}

// nothing writes what stands in place of an empty table; the script shows it,
// too, when nothing is left.
func (v *view) nothing(d *document, empty bool) {
	d.raw("<p id=\"nothing\"")
	if !empty {
		d.raw(" hidden")
	}
	if v.query.search == "" && empty {
		d.raw(">Nothing is here.</p>\n")
		return
	}
	d.raw(">Nothing matches.</p>\n")
}

// total says how much the directory holds.
func (v *view) total() string {
	var dirs, files, bytes int64
	var newest time.Time
	for i := range v.Entries {
		e := &v.Entries[i]
		if e.Dir {
			dirs++
		} else {
			files++
			bytes += e.Size
		}
		if e.ModTime.After(newest) {
			newest = e.ModTime
		}
	}
	d := new(document)
	d.counted(dirs, "directory", "directories")
	d.raw(", ")
	d.counted(files, "file", "files")
	if bytes > 0 {
		d.raw(", ")
		d.size(bytes)
	}
	if !newest.IsZero() {
		d.raw("; the newest of ")
		d.date(newest, time.DateOnly)
	}
	return string(d.b) + "."
}

func (d *document) counted(n int64, one, many string) {
	d.number(n)
	if n == 1 {
		many = one
	}
	d.raw(" ", many)
}
