package imagespec

import (
	"bytes"
	"path/filepath"

	"github.com/tplkit/tplkit/templates"
)

// Parse reads a spec. path is the file it came from: its last element is the
// ID, and errors name it; nothing is opened. The text is kept byte for byte in
// [Spec.Text], and the properties are found beside it:
//
//	#base=libguestfs:centos-7.5    a property: # in the first column, a key without blanks, =
//	#arch = x86_64                 blanks around = and at the end do not count
//	# fix for bz#1302678           a comment: there is a blank behind the #
//	#see the wiki                  a comment: no = behind the first word
//	write /etc/motd:\              a command
//	#motd=old\                     what it writes: a line that continues the one above is no property
//	end
//
// Like virt-builder, Parse takes a line for continued when its last character
// is \, in comments too: the lines of a command that has been commented out are
// no properties either. A property itself that ends in \ is refused, since the
// line below would vanish in the comment.
//
// Commands and comments may hold any bytes but NUL. Refused, with the line, is
// what would go wrong much later: a byte order mark and CR LF, which become part
// of a command; a key that is given twice; a key in another case than the
// metadata has it ("Arch"); and control characters or invalid UTF-8 in a
// property. So are more than [MaxSize] bytes, and an ID that is no handle (see
// [templates.CheckHandle]). The error is a [*SpecError].
//
// Which properties there must be is for [Spec.Check], what the base means for
// [Spec.Base].
func Parse(path string, text []byte) (*Spec, error) {
	s := &Spec{ID: filepath.Base(path), Path: path, Text: bytes.Clone(text)}
	if err := templates.CheckHandle(s.ID); err != nil {
		return nil, s.errorAt(0, "the file's name is the image's, and cannot be one: %v", err)
	}
	if len(text) > MaxSize {
		return nil, s.errorAt(0, "must be at most %d bytes long, has %d", MaxSize, len(text))
	}
	if bytes.HasPrefix(text, []byte("\ufeff")) {
		return nil, s.errorAt(1, "begins with a byte order mark, which virt-builder takes for part of the line: save the file as UTF-8 without it")
	}
	first := make(map[string]int) // by key: the line that has it
	continued := false
	for no, rest := 1, s.Text; len(rest) > 0; no++ {
		line, tail, _ := bytes.Cut(rest, []byte{'\n'})
		rest = tail
		if why := badLine(line); why != "" {
			return nil, s.errorAt(no, "%s", why)
		}
		p, ok := property(line)
		if ok && !continued {
			if why := badProperty(p, line); why != "" {
				return nil, s.errorAt(no, "property %s: %s", templates.Quote(p.Key), why)
			}
			if at, twice := first[p.Key]; twice {
				return nil, s.errorAt(no, "property %s: was given in line %d already: take one of them away", templates.Quote(p.Key), at)
			}
			first[p.Key], p.Line = no, no
			s.Properties = append(s.Properties, p)
		}
		continued = isContinued(line)
	}
	return s, nil
}

// badLine says what is wrong with a line whatever it means, or "".
func badLine(line []byte) string {
	if bytes.IndexByte(line, 0) >= 0 {
		return "must be text, holds a NUL: save the file as UTF-8"
	}
	if bytes.HasSuffix(line, []byte{'\r'}) {
		return "ends with CR LF, and virt-builder takes the CR for part of the command: save the file with LF only"
	}
	return ""
}
