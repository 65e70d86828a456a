package templates

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest handle, version or published file name in bytes; with
// the longest suffix it still fits every file system's 255.
const maxName = 128

// maxTemplateName is the longest template name in bytes. Store file names hold
// repository, template and version together, so no real one is longer.
const maxTemplateName = 200

// reservedSuffixes end the names of files that stand beside an image or mark
// one that is not finished. A handle that ends in one would shadow another
// template's file: lago, asked for H, tries H.xz.hash before H.hash.
var reservedSuffixes = []string{
	".hash", ".metadata", ".xz", ".asc", ".sig", ".lock", ".users", ".tmp",
	".md5", ".sha1", ".sha256", ".sha512", ".provenance.json",
}

// reservedHandles are the handles whose files would be the indexes: "repo"
// would publish repo.metadata, "index" is virt-builder's own.
var reservedHandles = []string{"repo", "index"}

// NameError tells why a name was refused.
type NameError struct {
	Kind string // "handle", "template name", "version", "file name"
	Name string // as it was given
	Want string // what would have been accepted
}

func (e *NameError) Error() string {
	return fmt.Sprintf("%s %s: %s", e.Kind, Quote(e.Name), e.Want)
}

// CheckHandle says whether s can be a template's handle: the file name without
// suffix and the last element of its URL. A handle is
//
//	[A-Za-z0-9][A-Za-z0-9._+-]{0,127}
//
// without "..", without one of the suffixes that sidecars and unfinished files
// have (.hash, .metadata, .xz, …) and neither "repo" nor "index", whose files
// would be the indexes. Clients put handles into a shell's double quotes and
// into URLs unescaped; what is not in this set is not safe there. The error is
// a [*NameError].
func CheckHandle(s string) error {
	if err := checkChars("handle", s); err != nil {
		return err
	}
	for _, r := range reservedSuffixes {
		if strings.HasSuffix(s, r) {
			return &NameError{"handle", s, "must not end in " + r + ", which names another kind of file"}
		}
	}
	for _, r := range reservedHandles {
		if s == r {
			return &NameError{"handle", s, "is reserved: its files would be the repository's indexes"}
		}
	}
	return nil
}

// CheckFileName says whether s can be the name of a published image that is
// served as it is, as in kubevirt/: a handle's characters, where .xz may end
// the name but no sidecar's suffix may. The error is a [*NameError].
func CheckFileName(s string) error {
	if err := checkChars("file name", s); err != nil {
		return err
	}
	for _, r := range reservedSuffixes {
		if r != ".xz" && strings.HasSuffix(s, r) {
			return &NameError{"file name", s, "must not end in " + r + ", which names another kind of file"}
		}
	}
	return nil
}

// CheckVersion says whether s can be a template's version, as "v1" or
// "latest": the characters of a handle. The error is a [*NameError].
func CheckVersion(s string) error { return checkChars("version", s) }

// CheckTemplate says whether s can be a template's name in repo.metadata.
// Names with blanks and non-ASCII letters have existed ("lago Fedora® 22") and
// are accepted; refused are the path separator, control characters, invalid
// UTF-8, blanks at either end, and `"`, `$`, "`" and `\`, which would end or
// escape the double quotes in which lago hands a name to a shell. The error is
// a [*NameError].
func CheckTemplate(s string) error {
	bad := func(want string) error { return &NameError{"template name", s, want} }
	switch {
	case s == "":
		return bad("must not be empty")
	case len(s) > maxTemplateName:
		return bad(fmt.Sprintf("must be at most %d bytes long, has %d", maxTemplateName, len(s)))
	case !utf8.ValidString(s):
		return bad("must be valid UTF-8")
	case s == "." || s == "..":
		return bad("must name a template, not a directory")
	case strings.HasPrefix(s, "-"):
		return bad("must not begin with a dash, which commands take for an option")
	}
	for _, r := range s {
		switch {
		case r == '/':
			return bad("must not contain a slash")
		case strings.ContainsRune("\"$`\\", r):
			return bad(fmt.Sprintf("must not contain %q: lago hands names to a shell in double quotes", r))
		case unicode.IsControl(r) || !unicode.IsPrint(r) && !unicode.IsSpace(r):
			return bad(fmt.Sprintf("must not contain the unprintable character %U", r))
		}
	}
	if strings.TrimSpace(s) != s {
		return bad("must not begin or end with a blank")
	}
	return nil
}

// Handle gives the handle for a template name: the name itself where it is a
// handle already, else the name with every run of characters outside
// [A-Za-z0-9._+-] made one dash, and no dash at either end:
//
//	el8.2-base       el8.2-base
//	lago Fedora® 22  lago-Fedora-22
//
// Two names can give one handle; that is for the caller to find. The error is a
// [*NameError].
func Handle(template string) (string, error) {
	if err := CheckTemplate(template); err != nil {
		return "", err
	}
	var b strings.Builder
	run := false
	for _, r := range template {
		if r >= utf8.RuneSelf || !isHandleChar(byte(r)) {
			run = true
			continue
		}
		if run {
			b.WriteByte('-')
			run = false
		}
		b.WriteByte(byte(r))
	}
	h := b.String()
	if h != template {
		h = strings.Trim(h, "-")
	}
	if err := CheckHandle(h); err != nil {
		if h == template {
			return "", err
		}
		return "", fmt.Errorf("template name %s gives no usable handle: %w", Quote(template), err)
	}
	return h, nil
}

func checkChars(kind, s string) error {
	bad := func(want string) error { return &NameError{kind, s, want} }
	switch {
	case s == "":
		return bad("must not be empty")
	case len(s) > maxName:
		return bad(fmt.Sprintf("must be at most %d bytes long, has %d", maxName, len(s)))
	case !isAlnum(s[0]):
		return bad("must begin with a letter or digit of ASCII")
	case strings.Contains(s, ".."):
		return bad(`must not contain ".."`)
	}
	for i := range len(s) {
		if !isHandleChar(s[i]) {
			return bad("must consist of A-Z a-z 0-9 . _ + - only")
		}
	}
	return nil
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isHandleChar(c byte) bool {
	return isAlnum(c) || c == '.' || c == '_' || c == '+' || c == '-'
}

// maxQuoted is how much of a string out of a file is shown in a message.
const maxQuoted = 200

// Quote makes a string that came out of a file or a directory fit for a message
// or a terminal: quoted, control characters escaped, and cut to 200 bytes.
func Quote(s string) string {
	if len(s) > maxQuoted {
		return fmt.Sprintf("%q…", s[:maxQuoted])
	}
	return fmt.Sprintf("%q", s)
}
