package hashutil

import "errors"

// Form is how a digest is written down.
type Form int

// The forms, with HEX for the digits and NAME for a file name.
const (
	Bare      Form = iota // HEX
	GNUText               // HEX␠␠NAME, also HEX␠NAME and, with an escaped name, \HEX␠␠NAME
	GNUBinary             // HEX␠*NAME
	BSD                   // ALG (NAME) = HEX, also OpenSSL's ALG(NAME)= HEX
)

var formNames = [...]string{"bare", "gnu text", "gnu binary", "bsd"}

// String returns the form's name for messages.
func (f Form) String() string {
	if f < 0 || int(f) >= len(formNames) {
		return "unknown"
	}
	return formNames[f]
}

// Entry is one digest as it was found in a sidecar or a sums file.
type Entry struct {
	Algorithm Algorithm
	Hex       string // lower case, whatever was found
	Name      string // the file's name, escapes resolved; empty in the form Bare
	Form      Form
	Size      int64 // from a comment "# NAME: SIZE bytes", as Fedora writes it; -1 where nothing is said
	Line      int   // counted from 1

	// What stricter clients trip over.
	Upper  bool // upper-case hex digits
	CRLF   bool // lines end in CR LF
	Padded bool // blanks around, or a blank line before
	Extra  bool // comments or a signature around
}

// CheckLago returns why lago would refuse a .hash file with this entry, or nil.
// lago's templates.py strips white space around the text and compares the rest
// with the lower-case sha1.
func (e Entry) CheckLago() error {
	return e.checkText("lago", false)
}

// CheckKubeVirt returns why KubeVirt's test scripts would refuse a .sha1 file
// with this entry, or nil. safe_download in their automation/test.sh compares
// the whole text, less the newlines at its end that a shell takes away.
func (e Entry) CheckKubeVirt() error {
	return e.checkText("KubeVirt's scripts", true)
}

func (e Entry) checkText(client string, exact bool) error {
	refused := func(what string) error {
		return errors.New(what + ": " + client + " would refuse it, expected 40 lower-case hex digits alone")
	}
	switch {
	case e.Algorithm != SHA1:
		return refused("it is a " + string(e.Algorithm))
	case e.Extra:
		return refused("comments or a signature stand around the digest")
	case e.Form != Bare:
		return refused("the file name " + quote(e.Name) + " stands beside the digest")
	case e.Upper:
		return refused("the hex digits are upper case")
	case exact && e.CRLF:
		return refused("the line ends in CR LF")
	case exact && e.Padded:
		return refused("white space stands around the digest")
	}
	return nil
}
