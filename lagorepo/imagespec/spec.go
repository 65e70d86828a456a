package imagespec

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// The properties that mean something to the build. All others are carried into
// the template's metadata as they are, where these have the same names.
const (
	KeyBase          = "base" // what the image is made from: see [Spec.Base]
	KeyName          = lagorepo.KeyName
	KeyVersion       = lagorepo.KeyVersion
	KeyDistro        = lagorepo.KeyDistro
	KeyOSInfo        = lagorepo.KeyOSInfo
	KeyArch          = lagorepo.KeyArch
	KeyExpand        = lagorepo.KeyExpand
	KeyLVExpand      = lagorepo.KeyLVExpand
	KeyRootPartition = lagorepo.KeyRootPartition
)

// MaxSize is the largest spec in bytes. Real ones have a few hundred.
const MaxSize = 1 << 20

// Property is one "#key=value" line of a spec.
type Property struct {
	Key   string
	Value string // without blanks at either end; may be empty
	Line  int    // counted from 1
}

// Spec is one image-spec as it was read.
type Spec struct {
	ID         string     // the file's name; a usable handle, see [templates.CheckHandle]
	Path       string     // as it was given, for errors
	Text       []byte     // byte for byte what virt-builder gets
	Properties []Property // in the order of their lines, each key once
}

// Get gives the property of a key.
func (s *Spec) Get(key string) (Property, bool) {
	for _, p := range s.Properties {
		if p.Key == key {
			return p, true
		}
	}
	return Property{}, false
}

// SpecError tells what is wrong with a spec, and where.
type SpecError struct {
	Path   string // of the spec, as it was given
	Line   int    // counted from 1; 0 where the fault is in the whole
	Reason string // what was expected, what was found, and what to do
}

func (e *SpecError) Error() string {
	if e.Line == 0 {
		return shownPath(e.Path) + ": " + e.Reason
	}
	return fmt.Sprintf("%s: line %d: %s", shownPath(e.Path), e.Line, e.Reason)
}

// errorAt makes an error for one line of the spec; 0 means the whole.
func (s *Spec) errorAt(line int, format string, args ...any) *SpecError {
	return &SpecError{Path: s.Path, Line: line, Reason: fmt.Sprintf(format, args...)}
}

// shownPath makes a path fit for a terminal, where it is not: names in a
// directory are whatever somebody put there.
func shownPath(path string) string {
	if strings.ContainsFunc(path, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return templates.Quote(path)
	}
	return path
}
