package hashutil

import (
	"fmt"
	"strings"
)

// blanks is the white space that is taken off the ends of a line.
const blanks = " \t\v\f"

// ParseError says what is wrong in the text of a sidecar or sums file.
type ParseError struct {
	Line  int    // counted from 1; 0 if it is about the whole text
	Want  string // what was expected
	Found string // what was found
}

func (e *ParseError) Error() string {
	text := "expected " + e.Want + ", found " + e.Found
	if e.Line > 0 {
		return fmt.Sprintf("line %d: %s", e.Line, text)
	}
	return text
}

// wantDigits describes the digest that is looked for.
func wantDigits(want Algorithm) string {
	if want == "" {
		return "32, 40, 64 or 128 hex digits (md5, sha1, sha256, sha512)"
	}
	return fmt.Sprintf("%d hex digits (%s)", want.HexLen(), want)
}

// parseLine reads one line without its newline, in any [Form].
func parseLine(line string, want Algorithm) (Entry, *ParseError) {
	e := Entry{Size: -1}
	body := strings.TrimRight(line, "\r")
	e.CRLF = body != line
	if trimmed := strings.TrimLeft(body, blanks); trimmed != body {
		e.Padded = true
		body = trimmed
	}
	body, escaped := strings.CutPrefix(body, `\`)
	digits := hexRun(body)
	var err *ParseError
	if digits > 0 && (digits == len(body) || strings.IndexByte(blanks, body[digits]) >= 0) {
		err = e.setGNU(body[:digits], body[digits:], escaped)
	} else {
		err = e.setBSD(body)
	}
	if err == nil {
		err = e.settle(want, escaped)
	}
	if err != nil && err.Want == "" {
		err.Want = wantDigits(want)
	}
	if err != nil && err.Found == "" {
		err.Found = quote(line)
	}
	return e, err
}

// setGNU takes apart "HEX", "HEX  NAME" and "HEX *NAME". With one blank only,
// as some BSD tools write it, the rest is the name.
func (e *Entry) setGNU(hex, rest string, escaped bool) *ParseError {
	e.Hex = hex
	if !escaped && strings.Trim(rest, blanks) == "" {
		e.Padded = e.Padded || rest != ""
		return nil
	}
	if rest == "" || (rest[0] != ' ' && rest[0] != '\t') {
		return &ParseError{Want: "a blank and a file name after the digest"}
	}
	rest = rest[1:]
	e.Form = GNUText
	if rest != "" && (rest[0] == ' ' || rest[0] == '*') {
		if rest[0] == '*' {
			e.Form = GNUBinary
		}
		rest = rest[1:]
	}
	e.Name = rest
	return nil
}

// setBSD takes apart "ALG (NAME) = HEX"; the last closing parenthesis ends the
// name.
func (e *Entry) setBSD(body string) *ParseError {
	open, end := strings.IndexByte(body, '('), strings.LastIndexByte(body, ')')
	if open < 1 || end < open {
		return &ParseError{}
	}
	hex, ok := strings.CutPrefix(strings.TrimLeft(body[end+1:], blanks), "=")
	if !ok {
		return &ParseError{}
	}
	hex = strings.TrimLeft(hex, blanks)
	e.Hex = strings.TrimRight(hex, blanks)
	e.Padded = e.Padded || e.Hex != hex
	alg, err := ParseAlgorithm(strings.TrimRight(body[:open], blanks))
	if err != nil {
		return &ParseError{Want: "md5, sha1, sha256 or sha512", Found: "algorithm " + quote(body[:open])}
	}
	e.Algorithm, e.Form, e.Name = alg, BSD, body[open+1:end]
	return nil
}

// settle checks what the forms have in common: the digest, its algorithm, the
// name.
func (e *Entry) settle(want Algorithm, escaped bool) *ParseError {
	if hexRun(e.Hex) != len(e.Hex) {
		return &ParseError{}
	}
	if e.Algorithm != "" && want == "" {
		want = e.Algorithm
	}
	found := byHexLen(len(e.Hex))
	if found == "" || (want != "" && found != want) {
		what := fmt.Sprintf("%d", len(e.Hex))
		if found != "" {
			what += fmt.Sprintf(" (a %s has as many)", found)
		}
		return &ParseError{Want: wantDigits(want), Found: what}
	}
	if e.Algorithm != "" && e.Algorithm != found {
		return &ParseError{Want: wantDigits(e.Algorithm), Found: fmt.Sprintf("%d", len(e.Hex))}
	}
	e.Algorithm = found
	lower := strings.ToLower(e.Hex)
	e.Upper = lower != e.Hex
	e.Hex = lower
	if e.Form == Bare {
		return nil
	}
	if escaped {
		name, ok := unescape(e.Name)
		if !ok {
			return &ParseError{Want: `only \\, \n and \r escaped in a file name`, Found: quote(e.Name)}
		}
		e.Name = name
	}
	if e.Name == "" || strings.IndexByte(e.Name, 0) >= 0 {
		return &ParseError{Want: "a file name beside the digest", Found: quote(e.Name)}
	}
	return nil
}

// hexRun is the length of the hex digits at the beginning of s.
func hexRun(s string) int {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return i
		}
	}
	return len(s)
}

// unescape resolves what GNU coreutils escape in a file name.
func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", false
		}
		switch s[i] {
		case '\\':
			b.WriteByte('\\')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		default:
			return "", false
		}
	}
	return b.String(), true
}

var escaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)
