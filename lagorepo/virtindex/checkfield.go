package virtindex

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxRevision is the largest integer of virt-builder, which is written in OCaml.
const maxRevision = 1<<62 - 1

// fieldRules are the fields that clients know and what each demands of its
// value. A rule returns what is wrong, or "".
var fieldRules = map[string]func(value string) string{
	"name":            anything,
	"osinfo":          anything,
	"arch":            wholeWord,
	"file":            relativePath,
	"sig":             relativePath,
	"size":            func(v string) string { return integer(v, "a number of bytes", 1<<63-1) },
	"compressed_size": func(v string) string { return integer(v, "a number of bytes", 1<<63-1) },
	"revision":        func(v string) string { return integer(v, "an integer of at least 1", maxRevision) },
	"format":          func(v string) string { return oneOf(v, "raw", "qcow2") },
	"expand":          wholeWord,
	"lvexpand":        wholeWord,
	"hidden":          func(v string) string { return oneOf(v, "true", "false") },
	"aliases":         aliasList,
	"checksum":        sha512Hex,
}

// field checks one field by itself.
func (c *checker) field(f Field) {
	name := f.Name()
	if why := badFieldName(f); why != "" {
		c.report(Error, name, "%s", why)
	}
	if why := badValue(f); why != "" {
		c.report(Error, name, "%s", why)
		return
	}
	if f.Key == "notes" {
		return
	}
	rule := fieldRules[f.Key]
	sub := f.Sub != "" && !(f.Key == "checksum" && f.Sub == "sha512")
	switch {
	case rule == nil:
		c.report(Warning, name, "unknown field: clients ignore it")
		return
	case f.Key == "checksum" && sub:
		c.report(Warning, name, "clients silently ignore every checksum but sha512, so this one protects nothing")
		return
	case sub:
		c.report(Warning, name, "clients know %q without brackets only and ignore this field", f.Key)
		return
	case strings.Contains(f.Value, "\n"):
		c.report(Error, name, "value has more than one line: a line below it begins with a blank")
		return
	}
	if why := rule(f.Value); why != "" {
		c.report(Error, name, "%s", why)
		return
	}
	switch f.Key {
	case "name", "osinfo":
		if f.Value != strings.TrimLeft(f.Value, blanks) {
			c.report(Warning, name, "value begins with a blank, which clients take as a part of it")
		}
	case "sig":
		c.report(Warning, name, "deprecated: clients use the checksum")
	case "file":
		if !only(f.Value, letters+"._-+~/") {
			c.report(Warning, name, "%s becomes a part of a URL as it is: use letters, digits, '.', '_', '+' and '-'", quote(f.Value))
		}
	case "aliases":
		c.aliasClash(name, f.Value)
	}
}

// aliasClash warns of aliases that make another section unreachable: clients
// look at the aliases first, and take the first section that has one.
func (c *checker) aliasClash(name, value string) {
	id := c.entry.ID
	for _, alias := range strings.Split(value, " ") {
		other, taken := c.aliases[alias]
		switch {
		case alias == id:
			c.report(Warning, name, "alias %s is the section's own ID", quote(alias))
		case c.byID[alias] != nil:
			c.report(Warning, name, "alias %s hides the section of that ID", quote(alias))
		case taken && other != id:
			c.report(Warning, name, "alias %s is an alias of section %s already", quote(alias), quote(other))
		default:
			c.aliases[alias] = id
		}
	}
}

// badValue says why a value cannot be written and read back the same by every
// client, or "".
func badValue(f Field) string {
	lines := strings.Split(f.Value, "\n")
	for i, text := range lines {
		before := 1 // the blank in front of a continuation
		if i == 0 {
			before = len(f.Name()) + 1
		}
		if i > 0 && text == "" {
			continue // written as a single blank, which is what continues a value
		}
		if why := badText(text, before+len(text)); why != "" {
			return fmt.Sprintf("%s %s", quote(text), why)
		}
	}
	return ""
}

// badText says why a line of text, which takes length bytes in the file, cannot
// be written, or "".
func badText(text string, length int) string {
	switch {
	case length > MaxLine:
		return fmt.Sprintf("makes a line longer than %d bytes", MaxLine)
	case !utf8.ValidString(text):
		return "is not UTF-8"
	case strings.TrimRight(text, blanks) != text:
		return "ends with a blank, which a signature does not cover"
	}
	for _, r := range text {
		if r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return fmt.Sprintf("holds the control character %U", r)
		}
	}
	return ""
}

// integer demands plain decimal digits: the clients also read 0x10 and 1_000,
// other readers of an index do not.
func integer(v, want string, most uint64) string {
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n < 1 || n > most {
		return fmt.Sprintf("expected %s, found %s", want, quote(v))
	}
	return ""
}

func oneOf(v string, words ...string) string {
	for _, w := range words {
		if v == w {
			return ""
		}
	}
	return fmt.Sprintf("expected %s, found %s", strings.Join(words, " or "), quote(v))
}

func anything(string) string { return "" }

func wholeWord(v string) string {
	switch {
	case v == "":
		return "value is empty"
	case strings.ContainsAny(v, blanks):
		return fmt.Sprintf("expected one word, found %s", quote(v))
	}
	return ""
}

// relativePath demands what clients demand of file= and sig=, and that the path
// stays inside the directory of the index.
func relativePath(v string) string {
	switch {
	case v == "":
		return "value is empty, expected a path relative to the index"
	case strings.Contains(v, "://"):
		return fmt.Sprintf("expected a path relative to the index, found the URL %s", quote(v))
	case strings.ContainsAny(v, blanks):
		return fmt.Sprintf("path %s has a blank in it, with which no client can make a URL", quote(v))
	case strings.HasPrefix(v, "/"):
		return fmt.Sprintf("expected a path relative to the index, found the absolute one %s", quote(v))
	}
	for _, element := range strings.Split(v, "/") {
		switch element {
		case "..":
			return fmt.Sprintf("path %s climbs out of the directory", quote(v))
		case "", ".":
			return fmt.Sprintf("path %s has an element that names nothing", quote(v))
		}
	}
	return ""
}

func aliasList(v string) string {
	seen := map[string]bool{}
	for _, alias := range strings.Split(v, " ") {
		switch {
		case alias == "" || strings.Contains(alias, "\t"):
			return fmt.Sprintf("expected names with single blanks between, found %s", quote(v))
		case seen[alias]:
			return fmt.Sprintf("alias %s stands twice", quote(alias))
		}
		seen[alias] = true
	}
	return ""
}

func sha512Hex(v string) string {
	if len(v) != 128 || !only(v, "0123456789abcdef") {
		return fmt.Sprintf("expected the 128 lower-case hex digits of a SHA-512, found %d characters: %s", len(v), quote(v))
	}
	return ""
}
