package lagorepo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/tplkit/tplkit/templates"
)

// Caps on JSON that comes out of a store or a tree. Real metadata has some
// hundred bytes; a repo.metadata of a thousand templates has under 300 KiB.
const (
	maxMetadataSize = 1 << 20
	maxJSONSize     = 16 << 20
	maxJSONDepth    = 32
)

// JSONError tells what is wrong with a JSON file, and where.
type JSONError struct {
	Line   int    // counted from 1; 0 where the fault is in the whole
	Reason string // what was expected and what was found
}

func (e *JSONError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

// member is one key of a JSON object with its value as it was written, less
// white space between tokens.
type member struct {
	key string
	raw json.RawMessage
}

// knownKeys names the keys that mean something in the object at a path (the
// keys that lead to it; "[]" for an array's elements), or nil. A key that
// differs from one of them only in case is refused: whether a reader takes it
// for the known one depends on the reader.
type knownKeys func(path []string) []string

// strictObject reads data as one JSON object and nothing else, and gives its
// members in order. encoding/json alone would take the last of several equal
// keys, match keys in any case, repair invalid Unicode and nest 10,000 deep;
// Python's json, which lago uses, decides some of these differently. What two
// readers could read differently is refused, at any depth. The error is a
// [*JSONError].
func strictObject(data []byte, known knownKeys) ([]member, error) {
	if len(data) > maxJSONSize {
		return nil, &JSONError{Reason: fmt.Sprintf("must be at most %d bytes of JSON, has %d", maxJSONSize, len(data))}
	}
	w := jsonWalker{data: data, known: known}
	if i := invalidUTF8(data); i >= 0 {
		return nil, w.errorAt(i, "must be UTF-8, found the byte %#x", data[i])
	}
	if err := checkSyntax(data); err != nil {
		return nil, err
	}
	w.space()
	if w.data[w.pos] != '{' {
		return nil, w.errorAt(w.pos, "must be a JSON object, found %s", kindOf(w.data[w.pos]))
	}
	if err := w.object(1); err != nil {
		return nil, err
	}
	return w.top, nil
}

// checkSyntax says whether data is one JSON value: the grammar is
// encoding/json's.
func checkSyntax(data []byte) error {
	var raw json.RawMessage
	err := json.Unmarshal(data, &raw)
	if err == nil {
		return nil
	}
	var syn *json.SyntaxError
	if !errors.As(err, &syn) {
		return &JSONError{Reason: "must be JSON: " + err.Error()}
	}
	reason := "must be JSON: " + syn.Error()
	if len(bytes.TrimSpace(data)) == 0 {
		reason = "must be JSON, is empty"
	}
	return &JSONError{Line: lineAt(data, int(syn.Offset)-1), Reason: reason}
}

// jsonWalker goes through data that is known to be valid JSON and looks for
// what the grammar allows but readers disagree on.
type jsonWalker struct {
	data  []byte
	pos   int
	path  []string
	known knownKeys
	top   []member
}

func (w *jsonWalker) value(depth int) error {
	switch w.data[w.pos] {
	case '{':
		return w.object(depth + 1)
	case '[':
		return w.array(depth + 1)
	case '"':
		_, err := w.text()
		return err
	}
	for w.pos < len(w.data) && !strings.ContainsRune(",]} \t\r\n", rune(w.data[w.pos])) {
		w.pos++
	}
	return nil
}

func (w *jsonWalker) object(depth int) error {
	if depth > maxJSONDepth {
		return w.errorAt(w.pos, "must nest at most %d deep", maxJSONDepth)
	}
	var known []string
	if w.known != nil {
		known = w.known(w.path)
	}
	seen := make(map[string]bool)
	w.pos++ // {
	for w.space(); w.data[w.pos] != '}'; w.space() {
		start := w.pos
		key, err := w.text()
		if err != nil {
			return err
		}
		if seen[key] {
			return w.errorAt(start, "the key %s must occur once in its object, occurs again", templates.Quote(key))
		}
		seen[key] = true
		if k, ok := caseVariant(key, known); ok {
			return w.errorAt(start, "the key %s must be written %q", templates.Quote(key), k)
		}
		w.space()
		w.pos++ // :
		w.space()
		start = w.pos
		w.path = append(w.path, key)
		if err := w.value(depth); err != nil {
			return err
		}
		w.path = w.path[:len(w.path)-1]
		if depth == 1 {
			w.top = append(w.top, member{key, compacted(w.data[start:w.pos])})
		}
		w.separator()
	}
	w.pos++ // }
	return nil
}

func (w *jsonWalker) array(depth int) error {
	if depth > maxJSONDepth {
		return w.errorAt(w.pos, "must nest at most %d deep", maxJSONDepth)
	}
	w.path = append(w.path, "[]")
	w.pos++ // [
	for w.space(); w.data[w.pos] != ']'; w.space() {
		if err := w.value(depth); err != nil {
			return err
		}
		w.separator()
	}
	w.pos++ // ]
	w.path = w.path[:len(w.path)-1]
	return nil
}

// text reads a string. Half a surrogate pair is refused: it is no character,
// and encoding/json would silently make it another.
func (w *jsonWalker) text() (string, error) {
	start := w.pos
	for w.pos++; w.data[w.pos] != '"'; w.pos++ {
		if w.data[w.pos] != '\\' {
			continue
		}
		w.pos++
		if w.data[w.pos] != 'u' {
			continue
		}
		r := w.hex4(w.pos + 1)
		w.pos += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		if w.data[w.pos+1] == '\\' && w.data[w.pos+2] == 'u' &&
			utf16.DecodeRune(r, w.hex4(w.pos+3)) != utf8.RuneError {
			w.pos += 6
			continue
		}
		return "", w.errorAt(w.pos, `must be Unicode, found the half surrogate \u%04x`, r)
	}
	w.pos++
	var s string
	if err := json.Unmarshal(w.data[start:w.pos], &s); err != nil {
		return "", w.errorAt(start, "must be a JSON string: %v", err)
	}
	return s, nil
}

// hex4 reads the four digits of a \u escape; the grammar has been checked.
func (w *jsonWalker) hex4(at int) (r rune) {
	for _, c := range w.data[at : at+4] {
		d := rune(c) - '0'
		if c > '9' {
			d = rune(c|0x20) - 'a' + 10
		}
		r = r<<4 | d
	}
	return r
}

func (w *jsonWalker) space() {
	for w.pos < len(w.data) && strings.IndexByte(" \t\r\n", w.data[w.pos]) >= 0 {
		w.pos++
	}
}

func (w *jsonWalker) separator() {
	w.space()
	if w.data[w.pos] == ',' {
		w.pos++
	}
}

func (w *jsonWalker) errorAt(pos int, format string, args ...any) error {
	return &JSONError{Line: lineAt(w.data, pos), Reason: fmt.Sprintf(format, args...)}
}

func caseVariant(key string, known []string) (string, bool) {
	if slices.Contains(known, key) {
		return "", false
	}
	for _, k := range known {
		if strings.EqualFold(k, key) {
			return k, true
		}
	}
	return "", false
}

func compacted(raw []byte) json.RawMessage {
	var b bytes.Buffer
	// Cannot fail: the grammar has been checked.
	_ = json.Compact(&b, raw)
	return b.Bytes()
}

func lineAt(data []byte, pos int) int {
	pos = min(max(pos, 0), len(data))
	return 1 + bytes.Count(data[:pos], []byte("\n"))
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

func kindOf(c byte) string {
	switch c {
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	}
	return "a number"
}
