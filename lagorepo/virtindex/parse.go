package virtindex

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
)

// ParseError is a line that no client can read.
type ParseError struct {
	Line int    // counted from 1 in the whole file, a signature included
	Text string // what is wrong and what was expected
}

func (e *ParseError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Text) }

// Read reads an index of at most [MaxSize] bytes and parses it.
func Read(r io.Reader) (*Index, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	return Parse(data)
}

// Parse reads an index, signed or not. Of a signed one only the text inside the
// signature counts, nothing may stand before or after it, and the signature
// itself is not verified: see [Index.Signed].
//
// Parse accepts what the most tolerant client accepts; what an older one
// refuses, and every value that no client can use, is for [Index.Check] to
// report. An error is a [*ParseError].
func Parse(data []byte) (*Index, error) {
	if len(data) > MaxSize {
		return nil, &ParseError{Line: 1, Text: fmt.Sprintf("index is larger than %d bytes", MaxSize)}
	}
	lines, err := split(data)
	if err != nil {
		return nil, err
	}
	p := parser{idx: &Index{}}
	if bytes.HasPrefix(data, []byte(armorBegin)) {
		if lines, err = p.disarm(lines); err != nil {
			return nil, err
		}
	}
	for _, l := range lines {
		if err := p.line(l); err != nil {
			return nil, err
		}
	}
	p.finish()
	return p.idx, nil
}

// line is one line of the file, without its LF.
type line struct {
	no   int
	text string
}

// split cuts the file into lines and refuses what is wrong with a line whatever
// its meaning.
func split(data []byte) ([]line, error) {
	if n := bytes.Count(data, []byte{'\n'}); n > MaxLines {
		return nil, &ParseError{Line: MaxLines + 1, Text: fmt.Sprintf("index has %d lines, more than %d", n, MaxLines)}
	}
	var lines []line
	for no := 1; len(data) > 0; no++ {
		text, rest, found := bytes.Cut(data, []byte{'\n'})
		if why := badLine(text, found); why != "" {
			return nil, &ParseError{Line: no, Text: why}
		}
		lines = append(lines, line{no: no, text: string(text)})
		data = rest
	}
	return lines, nil
}

// parser turns lines into entries.
type parser struct {
	idx *Index
	// value holds the lines of the value of the last field: joined only once
	// it is complete, since a value can have very many lines.
	value []string
	// pending holds the comments, and "" for empty lines, since the last line
	// that was neither.
	pending []string
	// emptyAt is the line of the first empty line in pending, or 0.
	emptyAt int
}

func (p *parser) line(l line) error {
	switch {
	case l.text == "":
		if p.emptyAt == 0 {
			p.emptyAt = l.no
		}
		p.pending = append(p.pending, "")
		return nil
	case l.text[0] == '#':
		p.pending = append(p.pending, strings.TrimRight(l.text, blanks))
		return nil
	case l.text[0] == ' ' || l.text[0] == '\t':
		return p.continuation(l)
	case l.text[0] == '[':
		return p.section(l)
	default:
		return p.field(l)
	}
}

func (p *parser) section(l line) error {
	id, why := sectionHeader(l.text)
	if why != "" {
		return &ParseError{Line: l.no, Text: why}
	}
	if len(p.idx.Entries) == MaxEntries {
		return &ParseError{Line: l.no, Text: fmt.Sprintf("index has more than %d sections", MaxEntries)}
	}
	p.closeField()
	p.emptyRun()
	e := Entry{ID: id, Line: l.no}
	if prev := p.last(); prev == nil {
		p.idx.Header, e.Comment = detached(p.pending)
	} else if cut := slices.Index(p.pending, ""); cut >= 0 {
		prev.Trailer = tidy(p.pending[:cut])
		e.Comment = above(p.pending[cut:])
	} else {
		p.complain(l.no, prev.ID, fmt.Sprintf(
			"no empty line before section %s, which virt-builder up to 1.54 demands", quote(id)))
		e.Comment = p.pending
	}
	p.idx.Entries = append(p.idx.Entries, e)
	p.reset()
	return nil
}

func (p *parser) field(l line) error {
	f, why := fieldLine(l.text)
	if why != "" {
		return &ParseError{Line: l.no, Text: why}
	}
	e := p.last()
	if e == nil {
		return &ParseError{Line: l.no, Text: fmt.Sprintf("field %s stands before the first section", quote(f.Name()))}
	}
	if len(e.Fields) == MaxFields {
		return &ParseError{Line: l.no, Text: fmt.Sprintf("section %s has more than %d fields", quote(e.ID), MaxFields)}
	}
	p.closeField()
	p.emptyInside(e)
	p.value = append(p.value, f.Value)
	f.Line = l.no
	f.Comment = onlyComments(p.pending)
	e.Fields = append(e.Fields, f)
	p.reset()
	return nil
}

func (p *parser) continuation(l line) error {
	e := p.last()
	if e == nil || len(e.Fields) == 0 {
		text := "line begins with a blank, so it continues a value, and there is none above it"
		if strings.Trim(l.text, blanks) == "" {
			text = "line of blanks only: an empty line has none"
		}
		return &ParseError{Line: l.no, Text: text}
	}
	p.emptyInside(e)
	p.value = append(p.value, l.text[1:])
	f := &e.Fields[len(e.Fields)-1]
	f.Comment = append(f.Comment, onlyComments(p.pending)...)
	p.reset()
	return nil
}

func (p *parser) finish() {
	p.closeField()
	p.emptyRun()
	e := p.last()
	if e == nil {
		p.idx.Header = tidy(p.pending)
		return
	}
	cut := slices.Index(p.pending, "")
	if cut < 0 {
		cut = len(p.pending)
	}
	e.Trailer = tidy(p.pending[:cut])
	p.idx.Footer = tidy(p.pending[cut:])
}

func (p *parser) closeField() {
	if e := p.last(); e != nil && len(e.Fields) > 0 {
		e.Fields[len(e.Fields)-1].Value = strings.Join(p.value, "\n")
	}
	p.value = p.value[:0]
}

// emptyInside reports an empty line that turned out to stand inside e.
func (p *parser) emptyInside(e *Entry) {
	if p.emptyAt != 0 {
		p.complain(p.emptyAt, e.ID, "empty line inside a section, which virt-builder up to 1.54 refuses")
	}
}

func (p *parser) complain(line int, section, text string) {
	p.idx.layout = append(p.idx.layout, Problem{Line: line, Section: section, Severity: Error, Text: text})
}

func (p *parser) last() *Entry {
	if n := len(p.idx.Entries); n > 0 {
		return &p.idx.Entries[n-1]
	}
	return nil
}

func (p *parser) reset() { p.pending, p.emptyAt = nil, 0 }
