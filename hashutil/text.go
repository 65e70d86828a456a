package hashutil

import (
	"iter"
	"strconv"
	"strings"
)

const (
	beginMessage   = "-----BEGIN PGP SIGNED MESSAGE-----"
	beginSignature = "-----BEGIN PGP SIGNATURE-----"
	endSignature   = "-----END PGP SIGNATURE-----"
)

// textLine is a line that carries a digest or nothing at all.
type textLine struct {
	number int
	text   string // without its newline, with a carriage return
}

// digestText is a sidecar or sums file less what stands around the digests.
type digestText struct {
	lines []textLine
	sizes map[string]int64 // from comments "# NAME: SIZE bytes"
	extra bool             // there were comments or a signature
}

// readText takes off comments and a clear-sign armour. Text outside the armour
// is refused: it is not what the signer signed.
func readText(data string) (*digestText, *ParseError) {
	t := &digestText{sizes: map[string]int64{}}
	const (
		plain = iota // also before an armour
		header
		signed
		signature
		after
	)
	state, empty := plain, true
	for number, line := range numberedLines(data) {
		bare := strings.TrimRight(line, blanks+"\r")
		switch state {
		case plain, signed:
			switch {
			case state == plain && bare == beginMessage:
				if !empty {
					return nil, &ParseError{number, "the signed message at the beginning", "other text before it"}
				}
				state, t.extra = header, true
				continue
			case state == signed && bare == beginSignature:
				state = signature
				continue
			case state == signed:
				line = strings.TrimPrefix(line, "- ")
			}
			empty = empty && bare == ""
			t.add(number, line)
		case header:
			if bare == "" {
				state = signed
			} else if !strings.Contains(bare, ": ") {
				return nil, &ParseError{number, "an armour header or an empty line", quote(line)}
			}
		case signature:
			if bare == endSignature {
				state = after
			}
		case after:
			if bare != "" {
				return nil, &ParseError{number, "nothing after the signature", quote(line)}
			}
		}
	}
	if state != plain && state != after {
		return nil, &ParseError{0, "a whole clear-signed message", "no end of its signature"}
	}
	return t, nil
}

// add takes one line inside the text.
func (t *digestText) add(number int, line string) {
	comment, ok := strings.CutPrefix(strings.TrimLeft(line, blanks), "#")
	if !ok {
		t.lines = append(t.lines, textLine{number, line})
		return
	}
	t.extra = true
	comment = strings.Trim(comment, blanks+"\r")
	comment, ok = strings.CutSuffix(comment, " bytes")
	colon := strings.LastIndex(comment, ": ")
	if !ok || colon < 0 {
		return
	}
	size, err := strconv.ParseUint(comment[colon+2:], 10, 63)
	if err == nil {
		t.sizes[comment[:colon]] = int64(size)
	}
}

// sizeOf is the size that a comment gave for the named file; -1 without one.
func (t *digestText) sizeOf(name string) int64 {
	if size, ok := t.sizes[name]; ok && name != "" {
		return size
	}
	return -1
}

// numberedLines gives the lines without their newlines, counted from 1; what
// stands after the last newline is a line if it is not empty.
func numberedLines(data string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		number := 0
		for line := range strings.SplitSeq(strings.TrimSuffix(data, "\n"), "\n") {
			number++
			if !yield(number, line) {
				return
			}
		}
	}
}
