package bash

import "fmt"

// testCommand reads [[ expr ]].
func (p *parser) testCommand() node {
	line := p.line
	p.pos += len("[[")
	e := p.testOr(line)
	p.newlines()
	if !p.reserved("]]") {
		p.fail(line, `"[[" is never closed by "]]", or holds what is not understood`)
	}
	p.pos += len("]]")
	return &test{expr: e}
}

func (p *parser) testOr(line int) expr {
	p.enter()
	defer p.leave()
	x := p.testAnd(line)
	for p.newlines(); p.has("||"); p.newlines() {
		p.pos += 2
		x = exprAndOr{op: "||", x: x, y: p.testAnd(line)}
	}
	return x
}

func (p *parser) testAnd(line int) expr {
	x := p.testOne(line)
	for p.newlines(); p.has("&&"); p.newlines() {
		p.pos += 2
		x = exprAndOr{op: "&&", x: x, y: p.testOne(line)}
	}
	return x
}

func (p *parser) testOne(line int) expr {
	p.enter()
	defer p.leave()
	p.newlines()
	switch {
	case p.reserved("!"):
		p.pos++
		return exprNot{x: p.testOne(line)}
	case p.at(0) == '(':
		p.pos++
		x := p.testOr(line)
		p.newlines()
		if p.at(0) != ')' {
			p.fail(line, `"(" within "[[" is never closed`)
		}
		p.pos++
		return x
	}
	x := p.operand(line, inCommand)
	if op := x.plain(); len(op) == 2 && op[0] == '-' {
		p.blanks()
		if y, ok := p.word(inCommand); ok && y.plain() != "]]" {
			return exprUnary{op: op, x: y}
		}
		p.fail(line, fmt.Sprintf("%s has no operand", op))
	}
	return p.testBinary(x, line)
}

func (p *parser) testBinary(x word, line int) expr {
	p.blanks()
	for _, op := range []string{"=~", "==", "!=", "=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef"} {
		if !p.reserved(op) {
			continue
		}
		p.pos += len(op)
		p.blanks()
		ctx := inCommand
		if op == "=~" {
			ctx = inRegex
		}
		y := p.operand(line, ctx)
		switch op {
		case "=~":
			p.tests = append(p.tests, pattern{w: y})
		case "==", "!=", "=":
			p.tests = append(p.tests, pattern{w: y, glob: true})
		}
		return exprBinary{op: op, x: x, y: y}
	}
	return exprWord{x: x}
}

func (p *parser) operand(line int, ctx context) word {
	w, ok := p.word(ctx)
	if !ok || w.plain() == "]]" {
		p.fail(line, `"[[" lacks an operand`)
	}
	return w
}
