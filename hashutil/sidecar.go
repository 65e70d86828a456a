package hashutil

import (
	"fmt"
	"strings"
)

// MaxSidecar is the largest sidecar that is read, in bytes. A digest and a file
// name need 5 KiB at most.
const MaxSidecar = 64 << 10

// ParseSidecar reads a file that holds one digest. With HEX for the digits in
// either case, it takes
//
//	HEX                   with or without a newline
//	HEX  NAME             GNU coreutils, text mode
//	HEX *NAME             GNU coreutils, binary mode
//	\HEX  NA\nME          the same with \\, \n and \r escaped in the name
//	SHA1 (NAME) = HEX     BSD tools and coreutils --tag
//	SHA1(NAME)= HEX       openssl dgst
//
// with blanks around, CR LF line ends, blank lines, lines of comment beginning
// with # and a PGP clear-sign armour, whose signature is not checked. What of
// this was there, the Entry tells: see [Entry.CheckLago] and
// [Entry.CheckKubeVirt].
//
// want is the algorithm that the sidecar's name promises, or "" to tell it from
// the tag or the number of digits. The error is a [*ParseError].
func ParseSidecar(data []byte, want Algorithm) (Entry, error) {
	if len(data) > MaxSidecar {
		return Entry{}, tooLarge(wantDigits(want), MaxSidecar)
	}
	text, perr := readText(string(data))
	if perr != nil {
		return Entry{}, perr
	}
	var found Entry
	var padded, crlf bool
	for _, line := range text.lines {
		if bare := strings.TrimRight(line.text, "\r"); strings.Trim(bare, blanks) == "" {
			// Newlines after the digest are no padding: shells and
			// editors add and take them at will.
			padded = padded || bare != "" || found.Line == 0
			crlf = crlf || bare != line.text
			continue
		}
		if found.Line > 0 {
			return Entry{}, &ParseError{line.number, "one digest", "a second line " + quote(line.text)}
		}
		e, perr := parseLine(line.text, want)
		if perr != nil {
			perr.Line = line.number
			return Entry{}, perr
		}
		e.Line = line.number
		e.Size = text.sizeOf(e.Name)
		found = e
	}
	if found.Line == 0 {
		return Entry{}, &ParseError{Want: wantDigits(want), Found: "an empty file"}
	}
	found.Padded = found.Padded || padded
	found.CRLF = found.CRLF || crlf
	found.Extra = text.extra
	return found, nil
}

func tooLarge(want string, limit int) *ParseError {
	return &ParseError{Want: want, Found: fmt.Sprintf("more than %d KiB of text", limit>>10)}
}
