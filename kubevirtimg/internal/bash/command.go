package bash

import (
	"fmt"
	"strings"
)

// command reads one command with the redirections behind it.
func (p *parser) command() node {
	p.enter()
	defer p.leave()
	p.blanks()
	var n node
	switch {
	case p.has("(("):
		p.parenthesis("((")
		n = &arith{}
	case p.at(0) == '(':
		n = p.subshell()
	case p.reserved("{"):
		n = p.braceGroup()
	case p.reserved("if"):
		n = p.ifCommand()
	case p.reserved("case"):
		n = p.caseCommand()
	case p.reserved("for"), p.reserved("select"):
		n = p.forCommand()
	case p.reserved("while"), p.reserved("until"):
		n = p.whileCommand()
	case p.reserved("function"):
		return p.functionCommand()
	case p.reserved("[["):
		n = p.testCommand()
	default:
		return p.simple()
	}
	var after simple // a compound command's redirections tie no URL to a file
	for {
		if p.blanks(); !p.redirection(&after) {
			return n
		}
	}
}

func (p *parser) subshell() node {
	line := p.line
	p.pos++
	body := p.list()
	if p.at(0) != ')' {
		p.fail(line, "( is never closed")
	}
	p.pos++
	return &group{body: body, subshell: true}
}

func (p *parser) braceGroup() node {
	line := p.line
	p.pos++
	body := p.list()
	p.expect("}", "{", line)
	return &group{body: body}
}

func (p *parser) ifCommand() node {
	n := &ifNode{line: p.line}
	p.pos += len("if")
	for {
		cond := p.list()
		p.expect("then", "if", n.line)
		n.clauses = append(n.clauses, clause{cond: cond, body: p.list()})
		if p.reserved("elif") {
			p.pos += len("elif")
			continue
		}
		if p.reserved("else") {
			p.pos += len("else")
			n.orElse = p.list()
		}
		p.expect("fi", "if", n.line)
		return n
	}
}

func (p *parser) caseCommand() node {
	n := &caseNode{line: p.line}
	p.pos += len("case")
	p.blanks()
	subject, ok := p.word(inCommand)
	if !ok {
		p.fail(n.line, `"case" has no word`)
	}
	n.subject = subject
	p.expect("in", "case", n.line)
	for {
		p.newlines()
		if p.reserved("esac") {
			p.pos += len("esac")
			return n
		}
		n.items = append(n.items, p.caseItem(n.line))
	}
}

func (p *parser) caseItem(line int) caseItem {
	var item caseItem
	if p.at(0) == '(' {
		p.pos++
	}
	for {
		p.blanks()
		w, ok := p.word(inCommand)
		if !ok {
			p.fail(p.line, fmt.Sprintf(`a pattern of "case" of line %d is expected here, or "esac"`, line))
		}
		item.patterns = append(item.patterns, w)
		p.tests = append(p.tests, pattern{w: w, glob: true})
		p.blanks()
		if p.at(0) == '|' {
			p.pos++
			continue
		}
		if p.at(0) != ')' {
			p.fail(p.line, fmt.Sprintf(`a pattern of "case" of line %d has no ")"`, line))
		}
		p.pos++
		break
	}
	item.body = p.list()
	switch {
	case p.has(";;&"):
		item.falls = true
		p.pos += 3
	case p.has(";;"):
		p.pos += 2
	case p.has(";&"):
		item.falls = true
		p.pos += 2
	case !p.reserved("esac"):
		p.fail(p.line, fmt.Sprintf(`"case" of line %d has no "esac" yet`, line))
	}
	return item
}

func (p *parser) forCommand() node {
	n := &loop{line: p.line}
	name := p.peek()
	p.pos += len(name)
	p.blanks()
	if p.has("((") {
		p.parenthesis("for ((")
		n.open = true
	} else {
		variable, _ := p.word(inCommand)
		if n.name = variable.plain(); !isIdentifier(n.name) {
			p.fail(n.line, fmt.Sprintf("%q has no variable", name))
		}
		n.open = name == "select"
		p.newlines()
		if p.reserved("in") {
			p.pos += len("in")
			for p.blanks(); ; p.blanks() {
				w, ok := p.word(inCommand)
				if !ok {
					break
				}
				n.words = append(n.words, w)
			}
		} else {
			n.open = true
		}
	}
	p.blanks()
	if p.at(0) == ';' {
		p.pos++
	}
	n.body = p.doDone(name, n.line)
	return n
}

func (p *parser) whileCommand() node {
	n := &loop{line: p.line, open: true}
	name := p.peek()
	p.pos += len(name)
	n.cond = p.list()
	n.body = p.doDone(name, n.line)
	return n
}

func (p *parser) doDone(construct string, line int) list {
	p.expect("do", construct, line)
	body := p.list()
	p.expect("done", construct, line)
	return body
}

func (p *parser) functionCommand() node {
	line := p.line
	p.pos += len("function")
	p.blanks()
	w, _ := p.word(inCommand)
	name := w.plain()
	if name == "" {
		p.fail(line, `"function" has no name`)
	}
	p.blanks()
	if p.at(0) == '(' {
		p.emptyParentheses(line)
	}
	return p.functionBody(name)
}

func (p *parser) emptyParentheses(line int) {
	p.pos++
	p.blanks()
	if p.at(0) != ')' {
		p.fail(line, `"(" is not expected here`)
	}
	p.pos++
}

func (p *parser) functionBody(name string) node {
	p.newlines()
	line := p.line
	body := p.command()
	if _, bare := body.(*simple); bare {
		p.fail(line, fmt.Sprintf("the function %q has no body", cut(name)))
	}
	return &function{name: name, body: body}
}

func isIdentifier(s string) bool {
	if s == "" || !isNameStart(s[0]) {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 || !isName(byte(r)) }) < 0
}
