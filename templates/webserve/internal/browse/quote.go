package browse

import (
	"encoding/json"
	"strings"
	"unicode"
	"unicode/utf8"
)

// unsafe says whether a text is left out of what visitors copy: what goes into a
// terminal must not hold control characters, however it is quoted, and not look
// like something else; and a backslash means one thing to one shell's echo and
// another to another's.
func unsafe(s string) bool {
	if !utf8.ValidString(s) {
		return true
	}
	return strings.ContainsFunc(s, func(r rune) bool {
		return r == '\\' || r == '\u2028' || r == '\u2029' || r == utf8.RuneError || unicode.IsControl(r) || turnsWriting(r)
	})
}

// shell quotes a word for sh and everything like it.
func shell(s string) string {
	plain := s != "" && s[0] != '-' && s[0] != '~' && s[0] != '=' && !strings.ContainsFunc(s, func(r rune) bool {
		return r >= utf8.RuneSelf || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._/:@%+=,", r)
	})
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// yaml quotes a scalar for YAML 1.1 and 1.2, where a JSON string is one: a bare
// word can be a number, a date, a truth value or markup.
func yaml(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // a string always encodes
	return strings.TrimSuffix(b.String(), "\n")
}
