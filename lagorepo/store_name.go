package lagorepo

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tplkit/tplkit/templates"
)

// FileKind is what a file in lago's store is, by its suffix.
type FileKind string

// The kinds, from lago's templates.py.
const (
	KindDisk     FileKind = "disk"     // no suffix: the disk, converted to raw
	KindHash     FileKind = "hash"     // .hash: SHA-1 of the download, decompressed
	KindMetadata FileKind = "metadata" // .metadata: a copy of the repository's
	KindDownload FileKind = "download" // .tmp: the download, decompressed; gone when all went well
	KindPacked   FileKind = "packed"   // .tmp.xz: the download while xz decompresses it
	KindXZ       FileKind = "xz"       // .xz: packed by hand; lago writes none
	KindLock     FileKind = "lock"     // .lock: of Python's lockfile
	KindUsers    FileKind = "users"    // .users: a legacy list of users
)

// kindSuffixes pairs kinds with suffixes, longest first.
var kindSuffixes = []struct {
	kind   FileKind
	suffix string
}{
	{KindMetadata, ".metadata"},
	{KindPacked, ".tmp.xz"},
	{KindUsers, ".users"},
	{KindHash, ".hash"},
	{KindLock, ".lock"},
	{KindDownload, ".tmp"},
	{KindXZ, ".xz"},
}

// StoreName is the name of a file in lago's store, taken apart.
type StoreName struct {
	Repo     string
	Template string
	Version  string
	Kind     FileKind
}

// ParseStoreName takes apart the name of a file in lago's store:
//
//	phx_repo:el8.2-base:v1.hash
//	└─ repo  └template─┘└version and suffix
//
// The repository ends at the first colon, the version begins after the last;
// what lies between is the template, which may hold dots, dashes, blanks,
// letters of any script, and colons. Refused are an empty part, a part that is
// "." or "..", a slash, control characters and invalid UTF-8. Whether the
// template can be published under its name is [templates.Handle]'s question.
func ParseStoreName(name string) (StoreName, error) {
	bad := func(format string, args ...any) (StoreName, error) {
		return StoreName{}, fmt.Errorf("store name %s: %s", templates.Quote(name), fmt.Sprintf(format, args...))
	}
	if !utf8.ValidString(name) {
		return bad("must be valid UTF-8")
	}
	for _, r := range name {
		if r == '/' || unicode.IsControl(r) {
			return bad("must not contain %q", r)
		}
	}
	first, last := strings.IndexByte(name, ':'), strings.LastIndexByte(name, ':')
	if first == last {
		return bad("must be REPO:TEMPLATE:VERSION, with two colons or more")
	}
	n := StoreName{Repo: name[:first], Template: name[first+1 : last], Version: name[last+1:], Kind: KindDisk}
	for _, k := range kindSuffixes {
		if v, ok := strings.CutSuffix(n.Version, k.suffix); ok {
			n.Version, n.Kind = v, k.kind
			break
		}
	}
	for _, p := range []struct{ what, part string }{
		{"repository", n.Repo}, {"template", n.Template}, {"version", n.Version},
	} {
		switch p.part {
		case "":
			return bad("the %s must not be empty", p.what)
		case ".", "..":
			return bad("the %s must be a name, is the directory %q", p.what, p.part)
		}
	}
	return n, nil
}

// Base is the name of the entry's disk: REPO:TEMPLATE:VERSION.
func (n StoreName) Base() string { return n.Repo + ":" + n.Template + ":" + n.Version }

// String is the file's name; [ParseStoreName] reads it back.
func (n StoreName) String() string {
	for _, k := range kindSuffixes {
		if k.kind == n.Kind {
			return n.Base() + k.suffix
		}
	}
	return n.Base()
}

// looksLikeStoreName says whether a name was meant to be a template's: then a
// fault in it is an error of that entry and not a stranger's file.
func looksLikeStoreName(name string) bool { return strings.Count(name, ":") >= 2 }
