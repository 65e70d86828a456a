package virtindex

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	blanks = " \t"

	letters  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	idChars  = letters + "._-"
	keyChars = letters + "_."
	subChars = letters + "_.,"
)

// only tells whether s is made of the given characters and not empty.
func only(s, chars string) bool {
	return s != "" && strings.Trim(s, chars) == ""
}

// badLine says what is wrong with a line whatever its meaning, or "".
func badLine(text []byte, terminated bool) string {
	switch {
	case !terminated:
		return "the last line does not end with LF, and no client reads such a line"
	case bytes.HasSuffix(text, []byte{'\r'}):
		return "line ends with CR LF, expected LF: the CR would become a part of the value"
	case len(text) > MaxLine:
		return fmt.Sprintf("line is longer than %d bytes", MaxLine)
	case bytes.IndexByte(text, 0) >= 0:
		return "line holds a NUL, at which clients cut it off"
	case bytes.HasPrefix(text, []byte("\ufeff")):
		return "line begins with a byte order mark, which no client skips: store the file as plain UTF-8"
	case !utf8.Valid(text):
		return "line is not UTF-8"
	}
	return ""
}

// sectionHeader reads a line that begins with '['.
func sectionHeader(text string) (id, why string) {
	id, rest, found := strings.Cut(text[1:], "]")
	switch {
	case !found:
		return "", "section header has no ']'"
	case strings.Trim(rest, blanks) != "":
		return "", fmt.Sprintf("%s stands behind the section header", quote(rest))
	}
	return id, badID(id)
}

// badID says what is wrong with the ID of a section, or "".
func badID(id string) string {
	switch {
	case !only(id, idChars):
		return fmt.Sprintf("section ID %s: expected letters, digits, '.', '_' and '-' only", quote(id))
	case len(id) > MaxLine-len("[]"):
		return fmt.Sprintf("section ID is longer than %d bytes", MaxLine-len("[]"))
	}
	return ""
}

// fieldLine reads a line that is neither empty, comment, continuation nor header.
func fieldLine(text string) (f Field, why string) {
	name, value, found := strings.Cut(text, "=")
	if !found {
		if strings.HasPrefix(text, "-----") {
			return f, fmt.Sprintf("%s: a signed index begins with %q as its first line", quote(text), armorBegin)
		}
		if text[0] == ';' {
			return f, "comments begin with '#', not with ';'"
		}
		return f, fmt.Sprintf("%s is no comment, no [section] and no key=value", quote(text))
	}
	f.Key, f.Value = name, value
	if key, rest, bracket := strings.Cut(name, "["); bracket {
		sub, closed := strings.CutSuffix(rest, "]")
		if !closed {
			return f, fmt.Sprintf("field %s: expected key[sub]=value", quote(name))
		}
		f.Key, f.Sub = key, sub
		if sub == "" {
			return f, fmt.Sprintf("field %s: nothing in the brackets", quote(name))
		}
	}
	return f, badFieldName(f)
}

// badFieldName says what is wrong with the key or the sub of a field, or "".
func badFieldName(f Field) string {
	name := quote(f.Name())
	switch {
	case strings.TrimRight(f.Key, blanks) != f.Key:
		return fmt.Sprintf("field %s: no blanks may stand around the '='", name)
	case strings.Contains(f.Key, "-"), strings.Contains(f.Sub, "-"):
		return fmt.Sprintf("field %s: a hyphen in a key is a syntax error to every client", name)
	case !only(f.Key, keyChars):
		return fmt.Sprintf("field %s: expected letters, digits, '.' and '_' only in the key", name)
	case f.Sub != "" && !only(f.Sub, subChars):
		return fmt.Sprintf("field %s: expected letters, digits, '.', '_' and ',' only in the brackets", name)
	}
	return ""
}

// quote quotes text that came from a file, cut to 200 bytes, for messages.
func quote(s string) string {
	const most = 200
	if len(s) <= most {
		return fmt.Sprintf("%q", s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%q…", s[:cut])
}
