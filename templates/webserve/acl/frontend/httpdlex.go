package frontend

import (
	"strings"
)

// parseHTTPD makes directives of text. The language, as httpd's server/config.c
// and server/util.c have it: a directive a line, of words between blanks; a word
// may stand in double or single quotes; a backslash at the end of a line joins
// the next one; "#" begins a comment only where a line begins; <name …> opens a
// section that </name> closes. Variables are not expanded here, so they are
// refused.
func parseHTTPD(name, text string) ([]directive, error) {
	type open struct {
		d    *directive
		body []directive
	}
	stack := []open{{d: &directive{}}}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); {
		number := i + 1
		line := lines[i]
		i++
		for strings.HasSuffix(line, `\`) {
			if strings.HasPrefix(strings.TrimLeft(line, " \t"), "#") {
				return nil, errorAt(name, number, "the comment ends with a backslash, which makes the next line one, too; take it away")
			}
			if i == len(lines) || strings.HasSuffix(line, `\\`) {
				return nil, errorAt(name, number, "expected one backslash and another line after it")
			}
			line = line[:len(line)-1] + lines[i]
			i++
		}
		line = strings.Trim(line, " \t")
		if line == "" || line[0] == '#' {
			continue
		}
		d := directive{line: number}
		if line[0] == '<' {
			if line[len(line)-1] != '>' {
				return nil, errorAt(name, number, "%s: a section must end with \">\"", quote(line))
			}
			line, d.block = line[1:len(line)-1], true
		}
		var err error
		if d.name, d.args, err = httpdWords(name, number, line); err != nil {
			return nil, err
		}
		top := &stack[len(stack)-1]
		switch closing := strings.TrimPrefix(d.name, "/"); {
		case closing != d.name && d.block:
			if len(stack) == 1 || closing != top.d.name || len(d.args) > 0 {
				return nil, errorAt(name, number, "%s closes nothing that is open here", quote("<"+line+">"))
			}
			done := *top.d
			done.body = top.body
			stack = stack[:len(stack)-1]
			top = &stack[len(stack)-1]
			top.body = append(top.body, done)
		case d.block:
			if len(stack) > 20 {
				return nil, errorAt(name, number, "sections are nested too deeply")
			}
			stack = append(stack, open{d: &d})
		default:
			top.body = append(top.body, d)
		}
	}
	if n := len(stack); n > 1 {
		d := stack[n-1].d
		return nil, errorAt(name, d.line, "<%s> is never closed", d.name)
	}
	return stack[0].body, nil
}

// httpdWords parts a line.
func httpdWords(file string, number int, s string) (name string, args []string, err error) {
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		var word string
		if q := s[0]; q == '"' || q == '\'' {
			var b strings.Builder
			i := 1
			for ; i < len(s) && s[i] != q; i++ {
				if s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\\' || s[i+1] == q) {
					i++
				}
				b.WriteByte(s[i])
			}
			if i == len(s) {
				return "", nil, errorAt(file, number, "%s: a quote is left open", quote(s))
			}
			if word, s = b.String(), s[i+1:]; s != "" && s[0] != ' ' && s[0] != '\t' {
				return "", nil, errorAt(file, number, "%s: a blank is missing after a quote", quote(s))
			}
		} else {
			n := strings.IndexAny(s, " \t")
			if n < 0 {
				n = len(s)
			}
			if word, s = s[:n], s[n:]; strings.ContainsAny(word, "\"'") {
				return "", nil, errorAt(file, number, "%s: a quote within a word", quote(word))
			}
			word = strings.ReplaceAll(word, `\\`, `\`)
		}
		if strings.Contains(word, "${") {
			return "", nil, errorAt(file, number, "%s: variables are not known here; write what they stand for", quote(word))
		}
		if name == "" && args == nil {
			if word == "" || word == "/" {
				return "", nil, errorAt(file, number, "expected a directive")
			}
			name, args = strings.ToLower(word), []string{}
			continue
		}
		args = append(args, word)
	}
	if name == "" {
		return "", nil, errorAt(file, number, "expected a directive")
	}
	return name, args, nil
}
