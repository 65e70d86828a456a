package browse

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// document is HTML as it is written. Its raw method takes what this package
// wrote itself; whatever comes from elsewhere goes through one of the others.
type document struct{ b []byte }

// raw writes markup. Its arguments are constants and what the other functions of
// this package made safe.
func (d *document) raw(parts ...string) {
	for _, p := range parts {
		d.b = append(d.b, p...)
	}
}

// text writes a text of one line, also as the value of a quoted attribute.
func (d *document) text(s string) { d.escaped(s, false) }

// lines writes a text that may have several lines.
func (d *document) lines(s string) { d.escaped(s, true) }

// escaped makes markup text, and what nobody can see visible: bytes that are no
// UTF-8, control characters, and those that turn the direction of writing, with
// which a name can look like another.
func (d *document) escaped(s string, lines bool) {
	start := 0
	for i := 0; i < len(s); {
		r, n := rune(s[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
		}
		if sub := substitute(r, n, lines); sub != "" {
			d.b = append(d.b, s[start:i]...)
			d.b = append(d.b, sub...)
			start = i + n
		}
		i += n
	}
	d.b = append(d.b, s[start:]...)
}

// substitute is what stands for a character, or "" for the character itself.
func substitute(r rune, size int, lines bool) string {
	switch {
	case r == '<':
		return "&lt;"
	case r == '>':
		return "&gt;"
	case r == '&':
		return "&amp;"
	case r == '"':
		return "&#34;"
	case r == '\'':
		return "&#39;"
	case lines && (r == '\n' || r == '\t'):
		return ""
	case r < ' ':
		return string(rune(0x2400) + r) // the picture of it
	case r < 0x7f:
		return ""
	case r == 0x7f:
		return "\u2421"
	case r == utf8.RuneError && size == 1 || unicode.IsControl(r) || turnsWriting(r) || r == '\u2028' || r == '\u2029':
		return "\uFFFD"
	}
	return ""
}

// turnsWriting says whether r is a control character of the bidirectional
// algorithm.
func turnsWriting(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }

// href writes a relative reference to an entry of the directory.
func (d *document) href(name string, dir bool) {
	d.b = appendReference(d.b, name)
	if dir {
		d.b = append(d.b, '/')
	}
}

// appendReference puts "./" before a name with a colon, which would be taken
// for a scheme, and before a slash: a catalogue may say "//host", and that is
// another server.
func appendReference(b []byte, name string) []byte {
	if strings.HasPrefix(name, "/") || strings.Contains(name, ":") {
		b = append(b, "./"...)
	}
	return appendPath(b, name)
}

// appendPath percent-encodes all but what needs it nowhere: neither in a path,
// nor in HTML, nor in a shell. Slashes stay.
func appendPath(b []byte, path string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(path) {
		if c := path[i]; plainByte[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

// plainByte tells the bytes that stand for themselves in a path. A colon is one
// of them: rclone and others want names back as they sent them.
var plainByte = func() (set [256]bool) {
	for c := range set {
		r := rune(c)
		set[c] = r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r))
	}
	for _, c := range "-._~/:@+,=" {
		set[c] = true
	}
	return set
}()

// number writes a number with its thousands divided.
func (d *document) number(n int64) {
	digits := strconv.FormatInt(n, 10)
	for i := range len(digits) {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			d.b = append(d.b, ',')
		}
		d.b = append(d.b, digits[i])
	}
}

// date writes a time as listings have it, in UTC; nothing for none.
func (d *document) date(t time.Time, layout string) {
	if !t.IsZero() {
		d.b = t.UTC().AppendFormat(d.b, layout)
	}
}

// units of sizes, as mod_autoindex abbreviates them.
const units = "KMGTPE"

// shortSize writes a size in the four characters of mod_autoindex: "312", "1.2K",
// "47M". Clients know this form.
func (d *document) shortSize(n int64) {
	if n < 1000 {
		d.b = strconv.AppendInt(d.b, max(n, 0), 10)
		return
	}
	f, unit := scaled(n, 973)
	d.b = appendScaled(d.b, f)
	d.b = append(d.b, unit)
}

// size writes a size for people: "1.2 GiB"; nothing for 0, which is not known.
func (d *document) size(n int64) {
	switch {
	case n <= 0:
	case n < 1024:
		d.b = append(strconv.AppendInt(d.b, n, 10), " B"...)
	default:
		f, unit := scaled(n, 1000)
		d.b = appendScaled(d.b, f)
		d.b = append(d.b, ' ', unit, 'i', 'B')
	}
}

// scaled divides until less than most is left.
func scaled(n int64, most float64) (f float64, unit byte) {
	f = float64(n) / 1024
	i := 0
	for f >= most && i < len(units)-1 {
		f /= 1024
		i++
	}
	return f, units[i]
}

// appendScaled writes one decimal below ten, where it says something.
func appendScaled(b []byte, f float64) []byte {
	if f < 9.95 {
		return strconv.AppendFloat(b, f, 'f', 1, 64)
	}
	return strconv.AppendFloat(b, f, 'f', 0, 64)
}
