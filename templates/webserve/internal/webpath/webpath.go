// Package webpath reads the path of a request. One canonical name comes out of
// it, which decides both who may read and what is opened; a path that would need
// more repair than one decoding is refused, since whoever repairs it otherwise
// sees another name.
package webpath

import (
	"fmt"
	"net/url"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tplkit/tplkit/templates"
)

// Path is a path that is clean.
type Path struct {
	// Name is decoded and relative to the top: elements with one "/" between
	// them and none at either end. "" is the top itself. It is valid for
	// [io/fs.ValidPath] unless it is "".
	Name string
	// Dir says that the path ended with "/", so that only a directory is meant.
	// It is true for the top.
	Dir bool
}

// Clean reads a path as it stands in a request, escaped and without a query.
//
// Runs of "/" count as one, since KubeVirt's scripts ask for "//" and follow no
// redirect; the first "/" may be missing, as behind [net/http.StripPrefix]. Then
// the path is decoded, once. What [CheckElement] refuses in any element is an
// error, and so is an escaped "/" and an escape that is none.
func Clean(escaped string) (Path, error) {
	name, err := decode(escaped)
	if err != nil {
		return Path{}, err
	}
	p := Path{Dir: name == "" || name[len(name)-1] == '/'}
	name = collapse(name)
	p.Name = name
	for rest := name; rest != ""; {
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		if err := CheckElement(elem); err != nil {
			return Path{}, err
		}
	}
	return p, nil
}

// Zone parts a name into its first element, exactly as it is, and the rest.
func (p Path) Zone() (zone, rest string) {
	zone, rest, _ = strings.Cut(p.Name, "/")
	return zone, rest
}

// Decoded is the path as a page shows it: with "/" in front, and behind if only
// a directory is meant.
func (p Path) Decoded() string {
	if p.Name == "" {
		return "/"
	}
	if p.Dir {
		return "/" + p.Name + "/"
	}
	return "/" + p.Name
}

// Escaped is the path as a request for it has it. Clean reads it back.
func (p Path) Escaped() string {
	return (&url.URL{Path: p.Decoded()}).EscapedPath()
}

// Redirect is the relative address of the directory that p names without "/"
// behind it: it leads right whatever a proxy or a mux has taken off the front,
// and never to another host.
func (p Path) Redirect() string {
	return "./" + url.PathEscape(path.Base(p.Name)) + "/"
}

// decode undoes the escapes. What is refused here could not be told from the
// plain character afterwards.
func decode(s string) (string, error) {
	if !strings.Contains(s, "%") {
		return s, nil
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", refused(s, "a % needs two hexadecimal digits behind it")
			}
			c = unhex(s[i+1])<<4 | unhex(s[i+2])
			i += 2
			if c == '/' {
				return "", refused(s, "an escaped slash is read as a slash by some and as a letter by others")
			}
		}
		b = append(b, c)
	}
	return string(b), nil
}

// collapse makes one "/" of every run and takes them off both ends.
func collapse(s string) string {
	s = strings.Trim(s, "/")
	if !strings.Contains(s, "//") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] != '/' || s[i-1] != '/' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// CheckElement says whether s, decoded, can be one element of a path. Refused
// are the empty one, "." and "..", alone or before a ";", a dot or blank at the
// end, "/", backslash and "#", control characters, and what is not UTF-8 in
// normal form C: each names another file for some server, proxy or file system.
func CheckElement(s string) error {
	ascii := true
	for i := range len(s) {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			return refused(s, "no control characters")
		case c == '/':
			return refused(s, "no slash within an element")
		case c == '\\':
			return refused(s, "no backslash, which is a slash elsewhere")
		case c == '#':
			return refused(s, "no #, which begins a fragment")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii {
		switch {
		case !utf8.ValidString(s):
			return refused(s, "must be UTF-8")
		case strings.ContainsFunc(s, unicode.IsControl):
			return refused(s, "no control characters")
		case !norm.NFC.IsNormalString(s):
			return refused(s, "must be in Unicode's normal form C")
		}
	}
	switch dots, _, _ := strings.Cut(s, ";"); {
	case s == "":
		return refused(s, "an element of a path has a name")
	case dots == "." || dots == "..":
		return refused(s, `neither "." nor ".."`)
	case s[len(s)-1] == '.' || s[len(s)-1] == ' ':
		return refused(s, "no dot and no blank at the end of a name, which some systems take off")
	}
	return nil
}

// refused is the error for a path or a part of one.
func refused(s, want string) error { return fmt.Errorf("path %s: %s", templates.Quote(s), want) }

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
