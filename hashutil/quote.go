package hashutil

import (
	"path"
	"strconv"
	"strings"
	"unicode"
)

// maxQuoted is how much of a text that came out of a file an error repeats.
const maxQuoted = 200

// quote makes text from a file fit for a message: no control characters, and
// no more than the beginning of it.
func quote(s string) string {
	if len(s) > maxQuoted {
		return strconv.Quote(s[:maxQuoted]) + "…"
	}
	return strconv.Quote(s)
}

// maxReason is how long the text of an error gets in a report. Errors of other
// packages are not known to cut what they repeat.
const maxReason = 1000

// reason makes a sentence of the report out of an error.
func reason(err error) string {
	text := strings.ToValidUTF8(err.Error(), "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > maxReason {
		text = strings.ToValidUTF8(text[:maxReason], "") + "…"
	}
	return text
}

// quoteBases quotes the last elements of paths.
func quoteBases(paths []string) []string {
	quoted := make([]string, len(paths))
	for i, p := range paths {
		quoted[i] = quote(path.Base(p))
	}
	return quoted
}
