package virtindex

import (
	"bytes"
	"fmt"
	"strings"
)

// InvalidError says that an index has problems of severity [Error] and is
// therefore not written.
type InvalidError struct {
	Problems []Problem // at least one, all of severity Error
}

func (e *InvalidError) Error() string {
	first := e.Problems[0]
	text := strings.TrimSuffix(first.String(), " ("+string(first.Severity)+")")
	if n := len(e.Problems) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return text
}

// Format returns the text of the index: unsigned, the same for the same index,
// and read by every client. Parsing it gives the index back.
//
// An index with a problem of severity [Error] is not written: the error is then
// an [*InvalidError] that names section and field. What Parse found wrong with
// the layout alone is no such problem, since Format does not repeat it.
func (x *Index) Format() ([]byte, error) {
	var bad []Problem
	for _, p := range x.contents() {
		if p.Severity == Error {
			bad = append(bad, p)
		}
	}
	if len(bad) > 0 {
		return nil, &InvalidError{Problems: bad}
	}
	var w writer
	w.comment(tidy(x.Header))
	for i := range x.Entries {
		w.gap()
		w.entry(&x.Entries[i])
	}
	if len(x.Footer) > 0 {
		w.gap()
		w.comment(tidy(x.Footer))
	}
	if why := w.tooLarge(); why != "" {
		return nil, &InvalidError{Problems: []Problem{{Severity: Error, Text: why}}}
	}
	return w.buf.Bytes(), nil
}

// writer writes an index line by line.
type writer struct{ buf bytes.Buffer }

func (w *writer) line(parts ...string) {
	for _, p := range parts {
		w.buf.WriteString(p)
	}
	w.buf.WriteByte('\n')
}

// gap divides what comes from what is there.
func (w *writer) gap() {
	if w.buf.Len() > 0 {
		w.line()
	}
}

func (w *writer) comment(comment []string) {
	for _, c := range comment {
		w.line(c)
	}
}

func (w *writer) entry(e *Entry) {
	w.comment(above(e.Comment))
	w.line("[", e.ID, "]")
	for _, f := range e.Fields {
		w.comment(f.Comment)
		// An empty line of the value becomes a line with one blank: without it
		// the line would end the section.
		w.line(f.Name(), "=", strings.ReplaceAll(f.Value, "\n", "\n "))
	}
	w.comment(e.Trailer)
}

func (w *writer) tooLarge() string {
	if n := w.buf.Len(); n > MaxSize {
		return fmt.Sprintf("index would take %d bytes, more than %d", n, MaxSize)
	}
	if n := bytes.Count(w.buf.Bytes(), []byte{'\n'}); n > MaxLines {
		return fmt.Sprintf("index would have %d lines, more than %d", n, MaxLines)
	}
	return ""
}
