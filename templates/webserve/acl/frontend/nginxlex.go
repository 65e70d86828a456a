package frontend

import (
	"strings"
)

// parseNginx makes directives of text. The language, as nginx's
// core/ngx_conf_file.c has it: words between blanks and line ends; a word may
// stand in double or single quotes; ";" ends a directive, "{" and "}" hold a
// block; "#" where a word could begin starts a comment. A backslash is taken only
// within quotes. Variables may only stand where Export writes them.
func parseNginx(name, text string) ([]directive, error) {
	x := &nginxLexer{file: name, text: text, line: 1}
	list, err := x.block(0)
	if err != nil {
		return nil, err
	}
	return list, nil
}

type nginxLexer struct {
	file, text string
	line       int
}

// block reads directives to the "}" that closes the block, or to the end of the
// file at depth 0.
func (x *nginxLexer) block(depth int) ([]directive, error) {
	if depth > 20 {
		return nil, errorAt(x.file, x.line, "blocks are nested too deeply")
	}
	begin := x.line
	var list []directive
	for {
		var words []string
		d := directive{}
		for {
			word, mark, err := x.next()
			if err != nil {
				return nil, err
			}
			if mark == 0 {
				if len(words) == 0 {
					d.line = x.line
				}
				words = append(words, word)
				continue
			}
			switch {
			case (mark == '}' || mark == end) && len(words) > 0:
				return nil, errorAt(x.file, d.line, "%s: a \";\" is missing", quote(strings.Join(words, " ")))
			case mark == end && depth > 0:
				return nil, errorAt(x.file, begin, "a \"{\" is never closed")
			case mark == '}' && depth == 0:
				return nil, errorAt(x.file, x.line, "a \"}\" too many")
			case mark == end || mark == '}':
				return list, nil
			case len(words) == 0 || words[0] == "":
				return nil, errorAt(x.file, x.line, "expected a directive before %q", mark)
			case mark == '{':
				body, err := x.block(depth + 1)
				if err != nil {
					return nil, err
				}
				d.block, d.body = true, body
			}
			break
		}
		d.name, d.args = words[0], words[1:]
		list = append(list, d)
	}
}

// end is the mark for the end of the file.
const end = -1

// next is the next word, or one of the marks ; { } and end.
func (x *nginxLexer) next() (word string, mark rune, err error) {
	x.blanks()
	if x.text == "" {
		return "", end, nil
	}
	switch c := x.text[0]; c {
	case ';', '{', '}':
		x.text = x.text[1:]
		return "", rune(c), nil
	case '"', '\'':
		return x.quoted(c)
	}
	n := strings.IndexAny(x.text, " \t\n;{}")
	if n < 0 {
		n = len(x.text)
	}
	word, x.text = x.text[:n], x.text[n:]
	if strings.ContainsAny(word, `"'\`) || strings.HasSuffix(word, "$") && strings.HasPrefix(x.text, "{") {
		return "", 0, errorAt(x.file, x.line, "%s: quotes within a word, backslashes and ${} are not known here", quote(word))
	}
	return word, 0, nil
}

// blanks goes on to the next word.
func (x *nginxLexer) blanks() {
	for x.text != "" {
		switch x.text[0] {
		case '\n':
			x.line++
		case ' ', '\t':
		case '#':
			n := strings.IndexByte(x.text, '\n')
			if n < 0 {
				n = len(x.text)
			}
			x.text = x.text[n:]
			continue
		default:
			return
		}
		x.text = x.text[1:]
	}
}

// quoted reads a word in quotes. A backslash only takes the meaning from a quote
// or a backslash; "\t", "\r" and "\n" would be control characters.
func (x *nginxLexer) quoted(q byte) (word string, mark rune, err error) {
	var b strings.Builder
	for i := 1; i < len(x.text); i++ {
		switch c := x.text[i]; {
		case c == '\n':
			return "", 0, errorAt(x.file, x.line, "a quote is left open at the end of the line")
		case c == '\\' && i+1 < len(x.text) && strings.IndexByte("trn", x.text[i+1]) >= 0:
			return "", 0, errorAt(x.file, x.line, "a control character in quotes")
		case c == '\\' && i+1 < len(x.text) && (x.text[i+1] == '"' || x.text[i+1] == '\'' || x.text[i+1] == '\\'):
			i++
			b.WriteByte(x.text[i])
		case c == q:
			x.text = x.text[i+1:]
			if x.text != "" && !strings.ContainsRune(" \t\n;{})", rune(x.text[0])) {
				return "", 0, errorAt(x.file, x.line, "a blank is missing after a quote")
			}
			return b.String(), 0, nil
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, errorAt(x.file, x.line, "a quote is left open")
}
