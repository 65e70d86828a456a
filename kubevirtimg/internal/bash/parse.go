package bash

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads a script. What is not a text of bash (NUL bytes, no UTF-8, a construct that is never closed) and what exceeds the
// limits of this package is an [*Error] with the line.
func Parse(src []byte) (prog *Program, err error) {
	switch lines := bytes.Count(src, []byte{'\n'}) + 1; {
	case len(src) > MaxSize:
		return nil, &Error{Reason: fmt.Sprintf("a script of %d bytes: more than %d are not read", len(src), MaxSize)}
	case lines > MaxLines:
		return nil, &Error{Reason: fmt.Sprintf("a script of %d lines: more than %d are not read", lines, MaxLines)}
	}
	if i := bytes.IndexByte(src, 0); i >= 0 {
		return nil, &Error{Line: 1 + bytes.Count(src[:i], []byte{'\n'}), Reason: "a NUL byte: this is no script"}
	}
	if !utf8.Valid(src) {
		return nil, &Error{Reason: "not UTF-8: this is no script"}
	}
	// A script saved with CRLF is meant as one with LF; bash itself would refuse it.
	p := &parser{src: strings.ReplaceAll(string(src), "\r\n", "\n"), line: 1}
	defer func() {
		// fail leaves the recursive descent by panicking with an *Error; anything else is a fault of this package.
		if r := recover(); r != nil {
			e, ours := r.(*Error)
			if !ours {
				panic(r)
			}
			prog, err = nil, e
		}
	}()
	body := p.list()
	if p.pos < len(p.src) {
		p.fail(p.line, fmt.Sprintf("%q is not expected here", p.peek()))
	}
	return &Program{body: body, tests: p.tests}, nil
}

type parser struct {
	src     string
	pos     int
	line    int
	depth   int
	heredoc []hereDocument // announced on this line, to be skipped after it
	tests   []pattern
}

type hereDocument struct {
	end  string
	tabs bool // <<-: leading tabs of the end line do not count
	line int
}

func (p *parser) fail(line int, reason string) { panic(&Error{Line: line, Reason: reason}) }

func (p *parser) enter() {
	if p.depth++; p.depth > maxDepth {
		p.fail(p.line, fmt.Sprintf("more than %d constructs within each other", maxDepth))
	}
}

func (p *parser) leave() { p.depth-- }

// at returns the byte n places on, 0 at the end.
func (p *parser) at(n int) byte {
	if p.pos+n < len(p.src) {
		return p.src[p.pos+n]
	}
	return 0
}

func (p *parser) has(s string) bool { return strings.HasPrefix(p.src[p.pos:], s) }

func (p *parser) advance() {
	if p.pos < len(p.src) {
		if p.src[p.pos] == '\n' {
			p.line++
		}
		p.pos++
	}
}

// blanks skips blanks, continued lines and a comment.
func (p *parser) blanks() {
	for p.pos < len(p.src) {
		switch {
		case p.at(0) == ' ' || p.at(0) == '\t':
			p.pos++
		case p.has("\\\n"):
			p.pos++
			p.advance()
		case p.at(0) == '#' && (p.pos == 0 || strings.IndexByte(blanksAndOperators, p.src[p.pos-1]) >= 0):
			for p.pos < len(p.src) && p.src[p.pos] != '\n' {
				p.pos++
			}
		default:
			return
		}
	}
}

// newlines skips everything between two commands that is not a separator other than a newline.
func (p *parser) newlines() {
	for {
		p.blanks()
		if p.at(0) != '\n' {
			return
		}
		p.newline()
	}
}

func (p *parser) newline() {
	p.advance()
	docs := p.heredoc
	p.heredoc = nil
	for _, d := range docs {
		p.skipDocument(d)
	}
}

func (p *parser) skipDocument(d hereDocument) {
	for p.pos < len(p.src) {
		end := strings.IndexByte(p.src[p.pos:], '\n')
		text := p.src[p.pos:]
		if end >= 0 {
			text = text[:end]
		}
		if d.tabs {
			text = strings.TrimLeft(text, "\t")
		}
		if end < 0 {
			p.pos = len(p.src)
		} else {
			p.pos += end + 1
			p.line++
		}
		if text == d.end {
			return
		}
	}
	p.fail(d.line, fmt.Sprintf("the here-document up to %q never ends", cut(d.end)))
}

// peek returns the word at the current position as far as it could be a reserved word, or the operator there.
func (p *parser) peek() string {
	end := p.pos
	for end < len(p.src) && strings.IndexByte(blanksAndOperators, p.src[end]) < 0 {
		if c := p.src[end]; c != '!' && c != '{' && c != '}' && c != '[' && c != ']' && !isName(c) {
			return cut(p.src[p.pos:end])
		}
		end++
	}
	if end == p.pos && end < len(p.src) {
		return p.src[p.pos : p.pos+1]
	}
	return cut(p.src[p.pos:end])
}

// reserved reports whether the reserved word is next, whole.
func (p *parser) reserved(name string) bool {
	return p.has(name) && (p.pos+len(name) == len(p.src) || strings.IndexByte(blanksAndOperators, p.src[p.pos+len(name)]) >= 0)
}

// expect skips the reserved word, which has to come next for the construct begun on line.
func (p *parser) expect(name string, construct string, line int) {
	p.newlines()
	if !p.reserved(name) {
		if p.pos >= len(p.src) {
			p.fail(line, fmt.Sprintf("%q has no %q: the script ends before it", construct, name))
		}
		p.fail(p.line, fmt.Sprintf("%q is not expected here: %q of line %d has no %q yet", p.peek(), construct, line, name))
	}
	p.pos += len(name)
}

// terminators end a list where a command could begin.
var terminators = []string{"then", "elif", "else", "fi", "do", "done", "esac", "}"}

// list reads commands up to the end of the script, a closing parenthesis, ;; or a reserved word that ends a list.
func (p *parser) list() list {
	p.enter()
	defer p.leave()
	var l list
	for {
		p.newlines()
		if p.pos >= len(p.src) || p.at(0) == ')' || p.has(";;") || p.has(";&") {
			return l
		}
		for _, t := range terminators {
			if p.reserved(t) {
				return l
			}
		}
		l = append(l, p.andOr())
		p.blanks()
		switch c := p.at(0); {
		case c == ';' && !p.has(";;") && !p.has(";&"), c == '&':
			p.pos++
		case c == '\n' || c == 0 || c == ')' || c == ';':
		default:
			p.fail(p.line, fmt.Sprintf("%q is not expected here", p.peek()))
		}
	}
}

func (p *parser) andOr() andOr {
	a := andOr{pipes: []pipeline{p.pipeline()}}
	for {
		p.blanks()
		op := "&&"
		if p.has("||") {
			op = "||"
		} else if !p.has("&&") {
			return a
		}
		p.pos += 2
		p.newlines()
		a.ops = append(a.ops, op)
		a.pipes = append(a.pipes, p.pipeline())
	}
}

func (p *parser) pipeline() pipeline {
	var l pipeline
	for p.blanks(); p.reserved("!") || p.reserved("time"); p.blanks() {
		if p.at(0) == '!' {
			l.negate = !l.negate
			p.pos++
			continue
		}
		p.pos += len("time")
	}
	for {
		l.cmds = append(l.cmds, p.command())
		p.blanks()
		if p.at(0) != '|' || p.has("||") {
			return l
		}
		p.pos++
		if p.at(0) == '&' {
			p.pos++
		}
		p.newlines()
	}
}

// cut keeps what is quoted in messages short.
func cut(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	n := most
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
