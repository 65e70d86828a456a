package bash

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxPattern bounds the patterns that are compiled; a longer one is not decided.
const maxPattern = 512

// compile makes a regular expression of bash, or of a glob that has to match whole; nil where it is none that is understood.
// Counted repetitions are not: they let a short expression cost a lot, and no script names its targets with them.
func compile(expr string) *regexp.Regexp {
	if !plainPattern(expr) {
		return nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil
	}
	return re
}

func plainPattern(expr string) bool {
	return len(expr) <= maxPattern && !strings.Contains(expr, "{")
}

// globRegexp translates the glob of == and case. quoted text stands for itself.
func globRegexp(g *globText) string {
	var b strings.Builder
	b.WriteString(`(?s)^(?:`)
	for _, piece := range g.pieces {
		if piece.quoted {
			b.WriteString(regexp.QuoteMeta(piece.text))
			continue
		}
		globPiece(&b, piece.text)
	}
	b.WriteString(`)$`)
	return b.String()
}

func globPiece(b *strings.Builder, text string) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '*':
			b.WriteString(`.*`)
		case '?':
			b.WriteByte('.')
		case '[':
			end := strings.IndexByte(text[i+1:], ']')
			if end <= 0 {
				b.WriteString(`\[`)
				continue
			}
			class := text[i+1 : i+1+end]
			b.WriteByte('[')
			if class[0] == '!' || class[0] == '^' {
				b.WriteByte('^')
				class = class[1:]
			}
			b.WriteString(strings.ReplaceAll(class, `\`, `\\`))
			b.WriteByte(']')
			i += end + 1
		default:
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		}
	}
}

// globText is a pattern whose quoted pieces are literal.
type globText struct{ pieces []globPart }

type globPart struct {
	text   string
	quoted bool
}

// witnesses returns short texts that match the expression, at most max: one for each alternative and each character of a small
// class, with everything optional left out. "rhel[78].*|fedora" gives rhel7, rhel8 and fedora.
func witnesses(expr string, max int) []string {
	if !plainPattern(expr) {
		return nil
	}
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	return shortest(re.Simplify(), max)
}

func shortest(re *syntax.Regexp, max int) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		return classWitnesses(re, max)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x"}
	case syntax.OpCapture, syntax.OpPlus:
		return shortest(re.Sub[0], max)
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			out = product(out, shortest(sub, max), max)
		}
		return out
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			out = append(out, shortest(sub, max)...)
		}
		return out[:min(len(out), max)]
	case syntax.OpNoMatch:
		return nil
	}
	return []string{""} // what may be empty, and what matches between characters
}

func classWitnesses(re *syntax.Regexp, max int) []string {
	var out []string
	for i := 0; i+1 < len(re.Rune); i += 2 {
		for r := re.Rune[i]; r <= re.Rune[i+1]; r++ {
			if len(out) == max {
				return out[:1] // a wide class: any one of it will do
			}
			out = append(out, string(r))
		}
	}
	return out
}

func product(heads, tails []string, max int) []string {
	var out []string
	for _, h := range heads {
		for _, t := range tails {
			if len(out) == max || len(h)+len(t) > maxPattern {
				return out
			}
			out = append(out, h+t)
		}
	}
	return out
}

// trim removes the shortest or longest match of the glob from the front (#, ##) or the back (%, %%) of text.
func trim(text, op string, re *regexp.Regexp) string {
	n := len(text)
	for i := 0; i <= n; i++ {
		at := i
		if len(op) == 2 {
			at = n - i
		}
		if op[0] == '#' && re.MatchString(text[:at]) {
			return text[at:]
		}
		if op[0] == '%' && re.MatchString(text[n-at:]) {
			return text[:n-at]
		}
	}
	return text
}
