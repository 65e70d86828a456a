package browse

import (
	"net/url"
	"strings"
)

// The views of a directory.
const (
	viewFiles     = "files"
	viewTemplates = "templates"
	viewTemplate  = "template"
)

// maxSearch is how much of a search is looked at, in bytes.
const maxSearch = 200

// query is what the query string asks for.
type query struct {
	view       string // viewFiles, viewTemplates, viewTemplate
	column     byte   // 'N', 'M' or 'S'
	descending bool
	search     string

	template, version, arch string
	anyVersion              bool // none was given
}

// parseQuery reads a query string whose pairs are divided by "&" or, as
// mod_autoindex has it, by ";". What is not understood is passed over: links
// with other parameters lead to pages, too.
func parseQuery(raw string) query {
	q := query{view: viewFiles, column: 'N', anyVersion: true}
	seen := map[string]bool{}
	for pair := range strings.FieldsFuncSeq(raw, func(r rune) bool { return r == '&' || r == ';' }) {
		key, value, _ := strings.Cut(pair, "=")
		key, err1 := url.QueryUnescape(key)
		value, err2 := url.QueryUnescape(value)
		if err1 != nil || err2 != nil || seen[key] {
			continue
		}
		seen[key] = true
		switch key {
		case "C":
			if value == "N" || value == "M" || value == "S" {
				q.column = value[0]
			}
		case "O":
			q.descending = value == "D"
		case "q":
			q.search = strings.ToValidUTF8(strings.TrimSpace(value[:min(len(value), maxSearch)]), "")
		case "view":
			if value == viewTemplates && q.view == viewFiles {
				q.view = viewTemplates
			}
		case "template":
			q.view, q.template = viewTemplate, value
		case "version":
			q.version, q.anyVersion = value, false
		case "arch":
			q.arch = value
		}
	}
	return q
}

// words are what is searched for.
func (q query) words() []string { return strings.Fields(strings.ToLower(q.search)) }

// matches says whether the texts hold every word.
func matches(words []string, texts ...string) bool {
	for _, w := range words {
		found := false
		for _, t := range texts {
			if found = strings.Contains(strings.ToLower(t), w); found {
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// sortLink is the query of a column's heading: the other direction for the
// column that the page is sorted by. It is spelt as mod_autoindex spells it,
// since clients know such links for what they are.
func (q query) sortLink(column byte) string {
	order := "A"
	if column == q.column && !q.descending {
		order = "D"
	}
	link := "?C=" + string(column) + ";O=" + order
	if q.view == viewTemplates {
		link += ";view=" + viewTemplates
	}
	return link
}

// ariaSort is the value of aria-sort for a column's heading.
func (q query) ariaSort(column byte) string {
	switch {
	case column != q.column:
		return "none"
	case q.descending:
		return "descending"
	}
	return "ascending"
}
