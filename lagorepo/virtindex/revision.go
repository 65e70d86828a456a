package virtindex

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// sameBytes tells whether the entry was written for the file with this SHA-512.
// Without a usable digest nobody can know, and the answer is no.
func (e *Entry) sameBytes(sum string) bool {
	old, ok := e.Get("checksum", "sha512")
	if !ok {
		old, ok = e.Get("checksum", "")
	}
	return ok && strings.EqualFold(old, sum)
}

// nextRevision returns the revision of the entry once its file has this SHA-512.
//
// Clients keep a download under name, architecture and revision, and check it
// against the checksum each time: new bytes under an old revision fail at every
// client that has a copy. An old revision that cannot be read is an error, since
// any guess could be one that was used before.
func (e *Entry) nextRevision(sum string) (string, error) {
	revision := int64(1) // what clients take for a missing one
	if text, ok := e.Get("revision", ""); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return "", e.badRevision(fmt.Sprintf("expected an integer of at least 1, found %s: correct it to a number that was never used", quote(text)))
		}
		revision = max(n, 0)
	}
	if !e.sameBytes(sum) {
		if revision >= maxRevision {
			return "", e.badRevision(fmt.Sprintf("%d cannot rise any further: give the template another name", revision))
		}
		revision++
	}
	return strconv.FormatInt(max(revision, 1), 10), nil
}

func (e *Entry) badRevision(text string) error {
	p := Problem{Line: e.Line, Section: e.ID, Field: "revision", Severity: Error, Text: text}
	if i := e.index("revision", ""); i >= 0 && e.Fields[i].Line > 0 {
		p.Line = e.Fields[i].Line
	}
	return &InvalidError{Problems: []Problem{p}}
}

// setChecksum makes checksum[sha512], in the place of whatever said the same,
// the digest of the file. Digests of other bytes go; so does checksum without
// brackets, which only repeats it.
func (e *Entry) setChecksum(sum string) {
	same := e.sameBytes(sum)
	isSHA512 := func(f Field) bool { return f.Key == "checksum" && (f.Sub == "" || f.Sub == "sha512") }
	if i := slices.IndexFunc(e.Fields, isSHA512); i >= 0 {
		e.Fields[i].Sub, e.Fields[i].Value = "sha512", sum
	} else {
		e.Set("checksum", "sha512", sum)
	}
	first := slices.IndexFunc(e.Fields, isSHA512)
	e.remove(func(i int, f Field) bool {
		if isSHA512(f) {
			return i > first
		}
		return f.Key == "checksum" && !same
	})
}
