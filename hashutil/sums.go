package hashutil

import (
	"errors"
	"strings"
)

// MaxSums is the largest sums file that is read, in bytes.
const MaxSums = 16 << 20

// maxSumsErrors is how many bad lines of a sums file are told; the reading ends
// there, since the file is something else.
const maxSumsErrors = 20

// ParseSums reads the digests of many files: SHA256SUMS and its like, or a
// CHECKSUM as Fedora publishes it. Every line that is neither blank nor a
// comment is a digest with a file name, in the forms of [ParseSidecar]. A PGP
// clear-sign armour around it is stepped over, its signature not checked; text
// outside the armour is an error.
//
// want is the algorithm of all lines, or "" to tell it line by line.
//
// Bad lines do not hide the good ones: the entries that could be read are
// returned together with an error that joins a [*ParseError] for each bad line.
// A text without any digest is an error.
func ParseSums(data []byte, want Algorithm) ([]Entry, error) {
	entries, errs := parseSums(data, want)
	joined := make([]error, len(errs))
	for i, err := range errs {
		joined[i] = err
	}
	return entries, errors.Join(joined...)
}

func parseSums(data []byte, want Algorithm) ([]Entry, []*ParseError) {
	if len(data) > MaxSums {
		return nil, []*ParseError{tooLarge("a sums file", MaxSums)}
	}
	text, perr := readText(string(data))
	if perr != nil {
		return nil, []*ParseError{perr}
	}
	var entries []Entry
	var errs []*ParseError
	for _, line := range text.lines {
		if strings.Trim(line.text, blanks+"\r") == "" {
			continue
		}
		e, perr := parseLine(line.text, want)
		if perr == nil && e.Form == Bare {
			perr = &ParseError{Want: "a file name beside the digest", Found: "none"}
		}
		if perr != nil {
			perr.Line = line.number
			if errs = append(errs, perr); len(errs) == maxSumsErrors {
				break
			}
			continue
		}
		e.Line, e.Extra, e.Size = line.number, text.extra, text.sizeOf(e.Name)
		entries = append(entries, e)
	}
	if len(entries) == 0 && len(errs) == 0 {
		errs = append(errs, &ParseError{Want: "digests with file names", Found: "none"})
	}
	return entries, errs
}
