package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// table aligns the cells of its rows; details stand indented between them and
// do not widen the columns.
type table struct {
	lines []tableLine
}

type tableLine struct {
	cells  []string
	detail bool
}

// widestColumn keeps one very long name from pushing the notes of all others
// off the screen.
const widestColumn = 90

func (t *table) row(cells ...string) { t.lines = append(t.lines, tableLine{cells: cells}) }

func (t *table) detail(name string, cells ...string) {
	cells = slices.DeleteFunc(cells, func(s string) bool { return s == "" })
	t.lines = append(t.lines, tableLine{cells: append([]string{name}, cells...), detail: true})
}

func (t *table) print(p *printer) {
	var width []int
	for _, l := range t.lines {
		for i, c := range l.cells {
			if l.detail {
				break
			}
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], min(utf8.RuneCountInString(c), widestColumn))
		}
	}
	for _, l := range t.lines {
		if l.detail {
			p.printf("%12s  %s\n", l.cells[0], strings.Join(l.cells[1:], " "))
			continue
		}
		var b strings.Builder
		for i, c := range l.cells {
			fmt.Fprintf(&b, "%-*s  ", width[i], c)
		}
		p.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}

// stateOrder is the order of the counts in a summary: what was done, then what
// was not.
var stateOrder = []templates.State{
	templates.Planned, templates.PackedState, templates.RenamedState, templates.Unpacked, templates.Built,
	templates.Written, templates.Unchanged, templates.Skipped, templates.Failed,
}

// summaryLine is "3 packed, 1 failed". What order does not name comes last.
func summaryLine[S ~string](counts map[S]int, order []S) string {
	rest := slices.Sorted(maps.Keys(counts))
	rest = slices.DeleteFunc(rest, func(s S) bool { return slices.Contains(order, s) })
	var out []string
	for _, s := range slices.Concat(order, rest) {
		if counts[s] > 0 {
			out = append(out, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	return strings.Join(out, ", ")
}

// algorithmOrder lists the algorithms of d as the library does.
func algorithmOrder(d hashutil.Digests) []hashutil.Algorithm {
	return slices.DeleteFunc(hashutil.Algorithms(), func(a hashutil.Algorithm) bool { return d[a] == "" })
}

// count is "1 item" or "2 items".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// withoutSubject drops a name from the front of an error that stands beside it
// in the report.
func withoutSubject(msg string, names ...string) string {
	for _, n := range names {
		for _, lead := range []string{quote(n) + ": ", n + ": "} {
			if n != "" && strings.HasPrefix(msg, lead) {
				return strings.TrimPrefix(msg, lead)
			}
		}
	}
	return msg
}

// oneLine makes a message of several lines one, and keeps what could move a
// terminal's cursor from reaching it.
func oneLine(s string) string {
	s = strings.ReplaceAll(strings.TrimSpace(s), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}
