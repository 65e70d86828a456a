package acl

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// line is one line of a file.
type line struct {
	number  int // counted from 1
	words   []string
	comment string // without the "#" and blanks around it
}

// eachLine calls f for every line of a file, and puts the place to its errors.
func eachLine(name string, r io.Reader, f func(line) error) error {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return &ParseError{File: name, Err: err}
	case len(text) > maxFile:
		return &ParseError{File: name, Err: fmt.Errorf("larger than %d bytes; put prefixes into several include files", maxFile)}
	}
	number := 0
	for raw := range bytes.Lines(text) {
		number++
		l, err := splitLine(number, string(bytes.TrimSuffix(bytes.TrimSuffix(raw, []byte("\n")), []byte("\r"))))
		if err == nil {
			err = f(l)
		}
		if err != nil {
			var inner *ParseError
			if errors.As(err, &inner) {
				return err // of an include file, which has its own place
			}
			return &ParseError{File: name, Line: number, Err: err}
		}
	}
	return nil
}

// splitLine refuses what an editor would not show.
func splitLine(number int, s string) (line, error) {
	if !utf8.ValidString(s) {
		return line{}, fmt.Errorf("%s is not UTF-8", quote(s))
	}
	for _, c := range s {
		if c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
			return line{}, fmt.Errorf("%s holds the invisible character %U", quote(s), c)
		}
	}
	text, comment, _ := strings.Cut(s, "#")
	words := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == '\t' })
	return line{number: number, words: words, comment: strings.Trim(comment, " \t")}, nil
}

// include reads a file of prefixes, which are allowed.
func (r *reader) include(args []string) (err error) {
	switch {
	case r.zone == nil:
		return fmt.Errorf("%s before any zone; which zone it belongs to must be said above", include)
	case len(args) != 1:
		return fmt.Errorf("%s takes one path without blanks, there are %d words", include, len(args))
	}
	if r.includes++; r.includes > maxIncludes {
		return fmt.Errorf("more than %d includes; join the files", maxIncludes)
	}
	path, f, err := r.open(args[0])
	if err != nil {
		return fmt.Errorf("%s %s: %w", include, quote(args[0]), err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	r.policy.Files = append(r.policy.Files, path)
	return eachLine(path, f, func(l line) error {
		switch {
		case len(l.words) == 0:
			return nil
		case len(l.words) > 1:
			return fmt.Errorf("there are %d words; an include file holds one prefix a line, which is allowed", len(l.words))
		}
		p, err := r.prefix(l.words[0])
		if err != nil {
			return err
		}
		r.zone.rules = append(r.zone.rules, Rule{Prefix: p, File: path, Line: l.number, Comment: l.comment})
		return nil
	})
}
