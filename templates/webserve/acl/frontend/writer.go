package frontend

import (
	"bytes"
	"fmt"
	"strings"
)

// writer writes indented lines.
type writer struct {
	bytes.Buffer
	depth int
}

// f writes one line; an empty one without indentation.
func (w *writer) f(format string, args ...any) {
	if format != "" {
		w.WriteString(strings.Repeat("    ", w.depth))
		fmt.Fprintf(w, format, args...)
	}
	w.WriteByte('\n')
}

// block writes what body writes between two lines, further to the right.
func (w *writer) block(begin, end string, body func()) {
	w.f("%s", begin)
	w.depth++
	body()
	w.depth--
	w.f("%s", end)
}

// head writes the comment that every file begins with.
func (w *writer) head(f Format, server, root string) {
	w.f("# Who may read what in %s, for %s.", root, server)
	w.f("# Written by \"tplkit acl export --format %s\": change the policy and write it again.", f)
}
