package imagespec

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"unicode"
	"unicode/utf8"

	"github.com/tplkit/tplkit/lagorepo"
)

// propertyLine is what lago-images' build.py goes by, less that there the value
// kept the blanks at its end.
var propertyLine = regexp.MustCompile(`^#([^\s=]+)\s*=\s*(.*?)\s*$`)

// property reads a line without its LF.
func property(line []byte) (p Property, ok bool) {
	if len(line) == 0 || line[0] != '#' {
		return p, false
	}
	m := propertyLine.FindSubmatch(line)
	if m == nil {
		return p, false
	}
	return Property{Key: string(m[1]), Value: string(m[2])}, true
}

// isContinued says whether virt-builder takes the next line for a part of this
// one. It looks at the last character alone, so \\ continues as well.
func isContinued(line []byte) bool { return bytes.HasSuffix(line, []byte{'\\'}) }

// badProperty says what is wrong with a property, whatever its key means, or "".
func badProperty(p Property, line []byte) string {
	if isContinued(line) {
		return `must not end in \, which makes virt-builder take the next line for a part of this comment`
	}
	for _, text := range []string{p.Key, p.Value} {
		if !utf8.ValidString(text) {
			return "must be UTF-8, since it goes into the template's metadata"
		}
		for _, r := range text {
			if unicode.IsControl(r) {
				return fmt.Sprintf("must hold no control characters, since it goes into the template's metadata; found %U", r)
			}
		}
	}
	var m lagorepo.Metadata
	m.Set(p.Key, p.Value)
	_, err := lagorepo.ParseMetadata(m.Marshal())
	if err == nil {
		return ""
	}
	var jerr *lagorepo.JSONError
	if errors.As(err, &jerr) {
		err = errors.New(jerr.Reason) // the line is one of what was made here
	}
	return err.Error()
}
