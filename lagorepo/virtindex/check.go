package virtindex

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says what a [Problem] means to those who read the index.
type Severity string

const (
	// Error is what some client refuses, misreads or cannot use. One is enough
	// to make the whole index unusable, so [Index.Format] writes none.
	Error Severity = "error"
	// Warning is what clients accept and what is still probably wrong.
	Warning Severity = "warning"
)

// Problem is one finding of [Index.Check].
type Problem struct {
	Line     int      `json:"line,omitempty"`    // counted from 1; 0 when it was not parsed
	Section  string   `json:"section,omitempty"` // ID of the section
	Field    string   `json:"field,omitempty"`   // key or key[sub]
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
}

// String returns the problem in one line, as in
//
//	line 7: section "el8": field "size": expected a number of bytes, found "6G" (error)
func (p Problem) String() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	}
	if p.Section != "" {
		fmt.Fprintf(&b, "section %s: ", quote(p.Section))
	}
	if p.Field != "" {
		fmt.Fprintf(&b, "field %s: ", quote(p.Field))
	}
	fmt.Fprintf(&b, "%s (%s)", p.Text, p.Severity)
	return b.String()
}

// Check reports everything about the index that any client refuses, everything
// that makes an entry unusable although virt-index-validate passes it, and what
// clients silently ignore. The problems come in the order of the lines, those of
// entries that were not parsed first.
//
// An index without problems of severity [Error] is read by virt-index-validate
// and virt-builder from 1.26 on.
func (x *Index) Check() []Problem {
	problems := append(slices.Clone(x.layout), x.contents()...)
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return problems
}

// contents reports what is wrong with the entries, whatever the layout of the
// file they came from.
func (x *Index) contents() []Problem {
	c := checker{ids: map[[2]string]*Entry{}, byID: map[string]*Entry{}, aliases: map[string]string{}}
	c.comments("header", x.Header, true)
	c.comments("footer", x.Footer, true)
	if len(x.Entries) > MaxEntries {
		c.report(Error, "", "index has more than %d sections", MaxEntries)
	}
	for i := range x.Entries {
		e := &x.Entries[i]
		if c.byID[e.ID] == nil {
			c.byID[e.ID] = e
		}
	}
	for i := range x.Entries {
		c.check(&x.Entries[i])
	}
	c.depth(x)
	return c.problems
}

type checker struct {
	problems []Problem
	entry    *Entry
	line     int
	ids      map[[2]string]*Entry
	byID     map[string]*Entry
	aliases  map[string]string // alias → ID of the section that has it
}

func (c *checker) report(s Severity, field, format string, args ...any) {
	p := Problem{Line: c.line, Field: field, Severity: s, Text: fmt.Sprintf(format, args...)}
	if c.entry != nil {
		p.Section = c.entry.ID
		if p.Line == 0 {
			p.Line = c.entry.Line
		}
	}
	c.problems = append(c.problems, p)
}

func (c *checker) check(e *Entry) {
	c.entry, c.line = e, e.Line
	defer func() { c.entry, c.line = nil, 0 }()

	if why := badID(e.ID); why != "" {
		c.report(Error, "", "%s", why)
	}
	c.unique(e)
	c.comments("comment above the section", e.Comment, true)
	c.required(e)
	c.protection(e)
	if len(e.Fields) > MaxFields {
		c.report(Error, "", "section has more than %d fields", MaxFields)
	}
	seen := map[[2]string]bool{}
	for _, f := range e.Fields {
		c.line = f.Line
		if key := [2]string{f.Key, f.Sub}; seen[key] {
			c.report(Error, f.Name(), "field stands twice in one section")
		} else {
			seen[key] = true
		}
		c.comments("comment above the field", f.Comment, false)
		c.field(f)
	}
	c.line = e.Line
	c.comments("comment below the section", e.Trailer, false)
}

func (c *checker) unique(e *Entry) {
	id := [2]string{e.ID, e.Arch()}
	if first := c.ids[id]; first != nil {
		where := ""
		if first.Line > 0 {
			where = fmt.Sprintf(", first in line %d", first.Line)
		}
		c.report(Error, "", "the same ID with the same arch %s stands twice%s: virt-builder calls such an index corrupt", quote(e.Arch()), where)
		return
	}
	c.ids[id] = e
}

func (c *checker) required(e *Entry) {
	for _, key := range []string{"arch", "file", "size"} {
		if _, ok := e.Get(key, ""); !ok {
			c.report(Error, key, "missing, and virt-builder refuses the whole index for it")
		}
	}
}

// protection warns of an entry whose file nobody checks.
func (c *checker) protection(e *Entry) {
	sub, hasSub := e.Get("checksum", "sha512")
	bare, hasBare := e.Get("checksum", "")
	switch {
	case !hasSub && !hasBare:
		c.report(Warning, "checksum[sha512]", "missing: clients cannot tell a wrong or damaged file")
	case hasSub && hasBare && sub != bare:
		c.report(Warning, "checksum", "differs from checksum[sha512], which is the one that clients use")
	}
}

// comments checks that a comment can be written as it is.
func (c *checker) comments(what string, comment []string, emptyAllowed bool) {
	for _, text := range comment {
		switch {
		case text == "" && emptyAllowed:
		case !strings.HasPrefix(text, "#"):
			c.report(Error, "", "%s: %s does not begin with '#'", what, quote(text))
		default:
			if why := badText(text, len(text)); why != "" {
				c.report(Error, "", "%s: %s %s", what, quote(text), why)
			}
		}
	}
}
