package browse

import (
	"crypto/sha256"
	_ "embed" // the style and the script of every page
	"encoding/base64"
	"strings"
)

//go:embed style.css
var style string

//go:embed script.js
var script string

// icon is the page's icon: without one, browsers ask for one that is not there.
const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
	"%3Crect x='1' y='2' width='14' height='5' rx='1.5' fill='%233b7dd8'/%3E%3Crect x='1' y='9' width='14' height='5' rx='1.5' fill='%237aa7e6'/%3E%3C/svg%3E"

// policy is the Content-Security-Policy of every page.
var policy = "default-src 'none'; style-src " + source(style) + "; script-src " + source(script) +
	"; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// source names what stands between the tags.
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// html makes the page that is asked for, and says if it is not there.
func (v *view) html(status *int) []byte {
	d := new(document)
	switch {
	case v.Catalogue == nil || v.query.view == viewFiles:
		v.query.view = viewFiles
		v.listing(d)
	case v.query.view == viewTemplates:
		v.templates(d)
	default:
		v.template(d, status)
	}
	return d.b
}

// crumb is an element of the way to a page; the last one of a page has no link.
type crumb struct{ text, link string }

// crumbs lead from the server to the directory, by relative links: the server
// may be mounted anywhere.
func (v *view) crumbs() []crumb {
	host := v.BaseURL
	if _, rest, ok := strings.Cut(host, "://"); ok {
		host = rest
	}
	if host == "" {
		host = "Files"
	}
	elements := strings.FieldsFunc(v.Path, func(r rune) bool { return r == '/' })
	list := []crumb{{text: host}}
	for _, e := range elements {
		list = append(list, crumb{text: e})
	}
	up := ""
	for i := len(list) - 2; i >= 0; i-- {
		up += "../"
		list[i].link = up
	}
	return list
}

// head writes what stands before the content of a page. robots says whether
// programs may follow the links on it.
func (v *view) head(d *document, title string, crumbs []crumb, robots bool) {
	d.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n")
	if !robots {
		d.raw("<meta name=\"robots\" content=\"nofollow\">\n")
	}
	d.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>")
	d.text(title)
	d.raw("</title>\n<link rel=\"icon\" href=\"", icon, "\">\n<style>", style, "</style>\n</head>\n<body>\n")
	d.raw("<a class=\"skip\" href=\"#main\">Skip to the content</a>\n<header>\n<h1>")
	for i, c := range crumbs {
		if i > 0 {
			d.raw("<span class=\"sep\" aria-hidden=\"true\">/</span>")
		}
		if c.link == "" {
			d.raw("<span>")
			d.text(c.text)
			d.raw("</span>")
			continue
		}
		d.raw("<a href=\"", c.link, "\">")
		d.text(c.text)
		d.raw("</a>")
	}
	d.raw("</h1>\n")
	v.bar(d)
	d.raw("</header>\n<main id=\"main\" tabindex=\"-1\">\n")
}

// bar writes the views of the directory and the search box.
func (v *view) bar(d *document) {
	if v.Catalogue != nil {
		d.raw("<nav aria-label=\"Views\">")
		for _, t := range []struct{ view, name, link string }{
			{viewFiles, "Files", "./"}, {viewTemplates, "Templates", "?view=" + viewTemplates},
		} {
			if t.view == v.query.view {
				d.raw("<span class=\"tab\" aria-current=\"page\">", t.name, "</span>")
			} else {
				d.raw("<a class=\"tab\" href=\"", t.link, "\">", t.name, "</a>")
			}
		}
		d.raw("</nav>\n")
	}
	if v.query.view == viewTemplate {
		return
	}
	d.raw("<form role=\"search\" method=\"get\">\n<label class=\"off\" for=\"q\">Search by words</label>")
	d.raw("<input id=\"q\" name=\"q\" type=\"search\" placeholder=\"Search\" autocomplete=\"off\" spellcheck=\"false\" maxlength=\"200\" value=\"")
	d.text(v.query.search)
	d.raw("\">")
	for _, h := range v.hidden() {
		d.raw("<input type=\"hidden\" name=\"", h[0], "\" value=\"", h[1], "\">")
	}
	d.raw("<button>Search</button>\n</form>\n")
}

// hidden are the parameters that a search keeps.
func (v *view) hidden() [][2]string {
	var keep [][2]string
	if v.query.column != 'N' || v.query.descending {
		order := "A"
		if v.query.descending {
			order = "D"
		}
		keep = append(keep, [2]string{"C", string(v.query.column)}, [2]string{"O", order})
	}
	if v.query.view == viewTemplates {
		keep = append(keep, [2]string{"view", viewTemplates})
	}
	return keep
}

// count writes how much of what a table shows, where the script counts, too.
func (v *view) count(d *document, shown, all int, what string) {
	d.raw("<p id=\"count\" role=\"status\" data-what=\"", what, "\" data-all=\"")
	d.number(int64(all))
	d.raw("\">")
	if v.query.search != "" {
		d.number(int64(shown))
		d.raw(" of ")
	}
	d.number(int64(all))
	d.raw(" ", what)
	if v.query.search != "" {
		d.raw(" with “")
		d.text(v.query.search)
		d.raw("”")
	}
	d.raw("</p>\n")
}

// column writes the heading of a column that the page can be sorted by.
func (v *view) column(d *document, column byte, class, name string) {
	d.raw("<th role=\"columnheader\" scope=\"col\" class=\"", class, "\" aria-sort=\"", v.query.ariaSort(column), "\"><a href=\"", v.query.sortLink(column))
	if v.query.search != "" {
		d.raw(";q=", queryEscape(v.query.search))
	}
	d.raw("\">", name, "</a></th>")
}

// foot writes what stands after the content of a page.
func (v *view) foot(d *document, what string) {
	d.raw("</main>\n<p id=\"said\" class=\"off\" role=\"status\"></p>\n<footer><p>", what,
		"</p><p>Programs get this as JSON with <code>Accept: application/json</code>.</p></footer>\n<script>", script, "</script>\n</body>\n</html>\n")
}
