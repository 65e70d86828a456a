package acl

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// forwardedItems yields the values of "for" in Forwarded lines from right to
// left. A line is read from its beginning, since commas may be quoted, and none
// goes on in the next line: a quote that is left open cannot swallow what
// another proxy added.
func forwardedItems(lines []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, l := range slices.Backward(lines) {
			nodes, err := forwardedLine(l)
			if err != nil {
				yield("", err)
				return
			}
			for _, n := range slices.Backward(nodes) {
				if !yield(n, nil) {
					return
				}
			}
		}
	}
}

// forwardedLine reads one line of RFC 7239, section 4:
//
//	element *( OWS "," OWS element ), element = pair *( ";" pair ), pair = token "=" ( token / quoted-string )
//
// It is strict: no element is empty, each has exactly one "for", and none names
// anything twice.
func forwardedLine(s string) (nodes []string, err error) {
	rest := s
	for {
		var node string
		if node, rest, err = forwardedElement(strings.TrimLeft(rest, " \t")); err != nil {
			return nil, fmt.Errorf("%s: %w", quote(s), err)
		}
		nodes = append(nodes, node)
		rest = strings.TrimLeft(rest, " \t")
		if rest == "" {
			return nodes, nil
		}
		if rest[0] != ',' {
			return nil, fmt.Errorf("%s: a comma is missing before %s", quote(s), quote(rest))
		}
		rest = rest[1:]
	}
}

// forwardedElement reads the pairs of one element and gives the value of "for"
// and what follows.
func forwardedElement(s string) (node, rest string, err error) {
	var seen []string
	for {
		name := strings.ToLower(token(s))
		if name == "" || !strings.HasPrefix(s[len(name):], "=") {
			return "", "", fmt.Errorf("expected a name and \"=\" before %s", quote(s))
		}
		if slices.Contains(seen, name) {
			return "", "", fmt.Errorf("%s is there twice", quote(name))
		}
		seen = append(seen, name)
		value, after, err := pairValue(s[len(name)+1:])
		if err != nil {
			return "", "", err
		}
		if name == "for" {
			node = value
		}
		if !strings.HasPrefix(after, ";") {
			if !slices.Contains(seen, "for") {
				return "", "", errors.New("an element without \"for\"")
			}
			return node, after, nil
		}
		s = after[1:]
	}
}

// pairValue reads a token or a quoted string.
func pairValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		t := token(s)
		if t == "" {
			return "", "", fmt.Errorf("expected a value before %s", quote(s))
		}
		return t, s[len(t):], nil
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:], nil
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return "", "", errors.New("a quote is left open")
}

// token is the longest token of RFC 9110, section 5.6.2, at the beginning of s.
func token(s string) string {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return s[:i]
		}
	}
	return s
}
