package bash

import "strings"

// context says what ends a word.
type context int

const (
	inCommand context = iota // blanks and operators
	inRegex                  // the right side of =~: blanks, but ( ) | belong to the word
	inBraces                 // the word after an operator of ${…}: the closing brace
	inQuotes                 // the same within double quotes: blanks are text, single quotes too
)

const blanksAndOperators = " \t\n;&|<>()"

// word reads one word at the current position; ok is false where there is none.
func (p *parser) word(ctx context) (w word, ok bool) {
	p.enter()
	defer p.leave()
	w.line = p.line
	start := p.pos
	parens := 0
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch {
		case ctx == inBraces || ctx == inQuotes:
			if c == '}' {
				return w, true
			}
		case ctx == inRegex && c == '(':
			parens++
			p.addLiteral(&w, "(", false)
			p.pos++
			continue
		case ctx == inRegex && c == ')' && parens > 0:
			parens--
			p.addLiteral(&w, ")", false)
			p.pos++
			continue
		case ctx == inRegex && c == '|' && !strings.HasPrefix(p.src[p.pos:], "||"):
			p.addLiteral(&w, "|", false)
			p.pos++
			continue
		case c == '(' && p.pos > start && strings.IndexByte("@?*+!", p.src[p.pos-1]) >= 0:
			p.parenthesis("an extended pattern")
			w.parts = append(w.parts, part{kind: opaque, text: "an extended pattern"})
			continue
		case (c == '<' || c == '>') && p.at(1) == '(' && p.pos == start:
			p.pos += 2
			p.substitution()
			w.parts = append(w.parts, part{kind: opaque, text: "process substitution"})
			continue
		case strings.IndexByte(blanksAndOperators, c) >= 0:
			return w, p.pos > start
		}
		p.wordPart(&w, ctx)
	}
	return w, p.pos > start
}

// wordPart reads what begins at the current byte, which is part of the word.
func (p *parser) wordPart(w *word, ctx context) {
	switch c := p.src[p.pos]; {
	case c == '\\':
		p.escape(w, ctx)
	case c == '\'' && ctx != inQuotes:
		p.addLiteral(w, p.single(), true)
	case c == '"':
		p.double(w)
	case c == '$':
		p.dollar(w, ctx == inQuotes)
	case c == '`':
		p.backtick()
		w.parts = append(w.parts, part{kind: opaque, text: "command substitution", quoted: ctx == inQuotes})
	default:
		p.addLiteral(w, p.src[p.pos:p.pos+1], ctx == inQuotes)
		p.advance()
	}
}

func (p *parser) escape(w *word, ctx context) {
	p.pos++
	if p.pos >= len(p.src) {
		p.addLiteral(w, `\`, true)
		return
	}
	c := p.src[p.pos]
	switch {
	case c == '\n': // a continued line
	case ctx == inQuotes && strings.IndexByte("$`\"\\}", c) < 0:
		p.addLiteral(w, p.src[p.pos-1:p.pos+1], true)
	default:
		p.addLiteral(w, p.src[p.pos:p.pos+1], true)
	}
	p.advance()
}

// addLiteral appends text, joining it with a literal before it that is quoted the same way.
func (p *parser) addLiteral(w *word, text string, quoted bool) {
	if n := len(w.parts); n > 0 {
		if last := &w.parts[n-1]; last.kind == literal && last.quoted == quoted {
			last.lit = append(last.lit, text...)
			return
		}
	}
	w.parts = append(w.parts, part{kind: literal, lit: []byte(text), quoted: quoted})
}

// single reads '…' and returns what is between.
func (p *parser) single() string {
	line := p.line
	p.pos++
	start := p.pos
	for p.pos < len(p.src) {
		if p.src[p.pos] == '\'' {
			p.pos++
			return p.src[start : p.pos-1]
		}
		p.advance()
	}
	p.fail(line, "a single quote is never closed")
	return ""
}

// double reads "…" into w.
func (p *parser) double(w *word) {
	line := p.line
	p.pos++
	start := p.pos
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; c {
		case '"':
			if p.pos == start {
				p.addLiteral(w, "", true) // "" is a word of its own
			}
			p.pos++
			return
		case '\\':
			p.escape(w, inQuotes)
		case '$':
			p.dollar(w, true)
		case '`':
			p.backtick()
			w.parts = append(w.parts, part{kind: opaque, text: "command substitution", quoted: true})
		default:
			p.addLiteral(w, p.src[p.pos:p.pos+1], true)
			p.advance()
		}
	}
	p.fail(line, "a double quote is never closed")
}

func (p *parser) backtick() {
	line := p.line
	p.pos++
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case '`':
			p.pos++
			return
		case '\\':
			p.advance()
		}
		p.advance()
	}
	p.fail(line, "a backquote is never closed")
}

// dollar reads what a $ begins.
func (p *parser) dollar(w *word, quoted bool) {
	switch c := p.at(1); {
	case c == '(' && p.at(2) == '(':
		p.pos++
		p.parenthesis("arithmetic")
		w.parts = append(w.parts, part{kind: opaque, text: "arithmetic", quoted: quoted})
	case c == '(':
		p.pos += 2
		p.substitution()
		w.parts = append(w.parts, part{kind: opaque, text: "command substitution", quoted: quoted})
	case c == '{':
		p.braces(w, quoted)
	case c == '\'' && !quoted:
		p.ansi(w)
	case c == '"' && !quoted:
		p.pos++ // $"…" is "…" where nothing is translated
	case isNameStart(c):
		end := p.pos + 2
		for end < len(p.src) && isName(p.src[end]) {
			end++
		}
		w.parts = append(w.parts, part{kind: param, text: p.src[p.pos+1 : end], quoted: quoted})
		p.pos = end
	case c != 0 && strings.IndexByte("0123456789@*#?-$!", c) >= 0:
		w.parts = append(w.parts, part{kind: param, text: string(c), quoted: quoted})
		p.pos += 2
	default:
		p.addLiteral(w, "$", quoted)
		p.pos++
	}
}

// ansi reads $'…'; one with escapes in it is left to the shell.
func (p *parser) ansi(w *word) {
	line := p.line
	p.pos += 2
	start, escaped := p.pos, false
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case '\'':
			if escaped {
				w.parts = append(w.parts, part{kind: opaque, text: "an escape", quoted: true})
			} else {
				p.addLiteral(w, p.src[start:p.pos], true)
			}
			p.pos++
			return
		case '\\':
			escaped = true
			p.advance()
		}
		p.advance()
	}
	p.fail(line, "a single quote is never closed")
}

// braces reads ${…}.
func (p *parser) braces(w *word, quoted bool) {
	line := p.line
	p.pos += 2
	start := p.pos
	for p.pos < len(p.src) && isName(p.src[p.pos]) {
		p.pos++
	}
	if p.pos == start && p.pos < len(p.src) && strings.IndexByte("@*?$-", p.src[p.pos]) >= 0 {
		p.pos++
	}
	v := part{kind: param, text: p.src[start:p.pos], quoted: quoted}
	rest := p.src[p.pos:]
	if v.text != "" {
		for _, op := range []string{":-", ":=", ":+", ":?", "%%", "##", "-", "=", "+", "?", "%", "#"} {
			if strings.HasPrefix(rest, op) {
				v.op = op
				p.pos += len(op)
				break
			}
		}
	}
	ctx := inBraces
	if quoted {
		ctx = inQuotes
	}
	arg, _ := p.word(ctx)
	if p.at(0) != '}' {
		p.fail(line, "${ is never closed")
	}
	p.pos++
	switch {
	case v.text == "", v.op == "" && len(arg.parts) > 0: // ${#x}, ${!x}, ${x[1]}, ${x/a/b}, ${x:1:2}, ${x^^}
		v = part{kind: opaque, text: "${" + v.text + "…}", quoted: quoted}
	default:
		v.arg = arg
	}
	w.parts = append(w.parts, v)
}

// parenthesis skips a balanced ( … ) that begins at the current byte.
func (p *parser) parenthesis(what string) {
	line, depth := p.line, 0
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case '(':
			depth++
		case ')':
			depth--
		case '\\':
			p.advance()
		case '\'', '"':
			p.skipQuoted()
			continue
		}
		p.advance()
		if depth == 0 {
			return
		}
	}
	p.fail(line, what+" is never closed")
}

func (p *parser) skipQuoted() {
	if p.src[p.pos] == '\'' {
		p.single()
		return
	}
	var w word
	p.double(&w)
}

// substitution reads the commands of $(…), <(…) or >(…) up to the closing parenthesis; they are read only to find it.
func (p *parser) substitution() {
	line := p.line
	kept := len(p.tests)
	p.list()
	p.tests = p.tests[:kept]
	if p.at(0) != ')' {
		p.fail(line, "command substitution is never closed")
	}
	p.pos++
}

func isNameStart(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isName(c byte) bool { return isNameStart(c) || '0' <= c && c <= '9' }
