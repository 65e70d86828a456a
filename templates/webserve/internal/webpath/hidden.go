package webpath

import "strings"

// hiddenSuffixes end the names of files that are not finished or only mark one
// that is in use.
var hiddenSuffixes = []string{".lock", ".tmp"}

// Hidden says whether a file or directory of that name is never served or
// listed: one with a dot in front, under which publishing stages its files, a
// lock, and a file that is still being written. Letter case does not matter, as
// it does not for some file systems.
func Hidden(elem string) bool {
	if strings.HasPrefix(elem, ".") {
		return true
	}
	for _, suffix := range hiddenSuffixes {
		if n := len(elem) - len(suffix); n >= 0 && strings.EqualFold(elem[n:], suffix) {
			return true
		}
	}
	return false
}

// Hidden says whether any element of the path is hidden.
func (p Path) Hidden() bool {
	for rest := p.Name; rest != ""; {
		var elem string
		elem, rest, _ = strings.Cut(rest, "/")
		if Hidden(elem) {
			return true
		}
	}
	return false
}
