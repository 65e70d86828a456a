package bash

import (
	"fmt"
	"slices"
	"strings"
)

// declarations are the builtins whose arguments are assignments.
var declarations = []string{"export", "readonly", "local", "declare", "typeset"}

// simple reads assignments, words and redirections, or the head of a function.
func (p *parser) simple() node {
	n := &simple{line: p.line}
	start := p.pos
	for {
		p.blanks()
		if p.redirection(n) {
			continue
		}
		declares := len(n.words) > 0 && slices.Contains(declarations, n.words[0].plain())
		if len(n.words) == 0 || declares {
			if a, ok := p.assignment(); ok {
				if declares {
					n.decl = append(n.decl, a)
				} else {
					n.assigns = append(n.assigns, a)
				}
				continue
			}
		}
		w, ok := p.word(inCommand)
		if !ok {
			break
		}
		n.words = append(n.words, w)
		if len(n.words) == 1 && len(n.assigns) == 0 {
			if p.blanks(); p.at(0) == '(' {
				return p.shortFunction(n)
			}
		}
	}
	if p.pos == start {
		p.fail(p.line, fmt.Sprintf("a command is expected, not %q", p.peek()))
	}
	p.noteTest(n)
	return n
}

// shortFunction reads what follows NAME in NAME() …
func (p *parser) shortFunction(n *simple) node {
	name := n.words[0].plain()
	if name == "" {
		p.fail(p.line, `"(" is not expected here`)
	}
	p.emptyParentheses(n.line)
	return p.functionBody(name)
}

// assignment reads NAME=value, NAME+=value, NAME[…]=value or NAME=(…); ok is false, and nothing is read, where there is none.
func (p *parser) assignment() (a assign, ok bool) {
	if !isNameStart(p.at(0)) {
		return a, false
	}
	end := p.pos
	for end < len(p.src) && isName(p.src[end]) {
		end++
	}
	a.name, a.line = p.src[p.pos:end], p.line
	if end < len(p.src) && p.src[end] == '[' {
		const most = 256 // bytes of a subscript
		closing := strings.IndexAny(p.src[end:min(len(p.src), end+most)], "]\n")
		if closing < 0 || p.src[end+closing] != ']' {
			return a, false
		}
		a.opaque = true
		end += closing + 1
	}
	if strings.HasPrefix(p.src[end:], "+=") {
		a.add = true
		end++
	}
	if end >= len(p.src) || p.src[end] != '=' {
		return a, false
	}
	p.pos = end + 1
	if p.at(0) == '(' {
		p.array()
		a.opaque = true
		return a, true
	}
	a.value, _ = p.word(inCommand)
	return a, true
}

// array skips the ( … ) of an array; its elements may stand on lines of their own.
func (p *parser) array() {
	line := p.line
	p.pos++
	for {
		p.newlines()
		if p.at(0) == ')' {
			p.pos++
			return
		}
		if _, ok := p.word(inCommand); !ok {
			p.fail(line, "an array is never closed")
		}
	}
}

// redirection reads one redirection; it returns false, and reads nothing, where there is none.
func (p *parser) redirection(n *simple) bool {
	digits := p.pos
	for digits < len(p.src) && '0' <= p.src[digits] && p.src[digits] <= '9' {
		digits++
	}
	descriptor := p.src[p.pos:digits]
	rest := p.src[digits:]
	op := ""
	for _, o := range []string{"&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", ">>", ">&", ">|", "<", ">"} {
		if strings.HasPrefix(rest, o) {
			op = o
			break
		}
	}
	if op == "" || strings.HasPrefix(rest, "<(") || strings.HasPrefix(rest, ">(") {
		return false
	}
	line := p.line
	p.pos = digits + len(op)
	p.blanks()
	target, ok := p.word(inCommand)
	if !ok {
		p.fail(line, fmt.Sprintf("%q has no target", op))
	}
	switch op {
	case "<<", "<<-":
		p.heredoc = append(p.heredoc, hereDocument{end: target.raw(), tabs: op == "<<-", line: line})
	case ">", ">>", ">|", "&>", "&>>":
		if descriptor == "" || descriptor == "1" {
			n.stdout = &target
		}
	}
	return true
}

// raw is the text of a word with the quotes removed and nothing expanded, which is how a here-document's end is written.
func (w word) raw() string {
	var b strings.Builder
	for _, part := range w.parts {
		switch part.kind {
		case literal:
			b.Write(part.lit)
		case param:
			b.WriteString("$" + part.text)
		}
	}
	return b.String()
}

// noteTest remembers what [ x = y ] compares with.
func (p *parser) noteTest(n *simple) {
	if len(n.words) < 4 || n.words[0].plain() != "[" && n.words[0].plain() != "test" {
		return
	}
	for i, w := range n.words[:len(n.words)-1] {
		if op := w.plain(); i > 0 && (op == "=" || op == "==" || op == "!=") {
			p.tests = append(p.tests, pattern{w: n.words[i+1], glob: true})
		}
	}
}
