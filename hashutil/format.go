package hashutil

import "strings"

// Kind is a canonical way to write a digest down: the exact bytes that the
// strictest reader of that kind of sidecar takes.
type Kind int

// The kinds.
const (
	LagoHash     Kind = iota + 1 // HEX without a newline: H.hash of a lago template
	KubeVirtSHA1                 // HEX and a newline: FILE.sha1 for KubeVirt's scripts
	GNU                          // HEX␠␠NAME and a newline, as sha1sum and the like write and check it
	BSDTag                       // ALG (NAME) = HEX and a newline, as sha1sum --tag writes it
)

// FormatSidecar returns the text of a sidecar with one digest. hex may be in
// either case and is written in lower case. name is used by the kinds that
// carry one; a backslash, newline or carriage return in it is escaped as GNU
// coreutils do, and "-", standard input, stands for an empty name.
func FormatSidecar(kind Kind, alg Algorithm, hex, name string) []byte {
	return appendEntry(nil, kind, alg, hex, name)
}

// FormatSums returns the text of a sums file with the given entries in their
// order, of the kind [GNU] or [BSDTag]. Sizes and comments are not written.
func FormatSums(kind Kind, entries []Entry) []byte {
	var text []byte
	for _, e := range entries {
		text = appendEntry(text, kind, e.Algorithm, e.Hex, e.Name)
	}
	return text
}

func appendEntry(text []byte, kind Kind, alg Algorithm, hex, name string) []byte {
	hex = strings.ToLower(hex)
	switch kind {
	case LagoHash:
		return append(text, hex...)
	case KubeVirtSHA1:
		return append(append(text, hex...), '\n')
	}
	if name == "" {
		name = "-"
	}
	escaped := escaper.Replace(name)
	// A line with blanks for a name would read as one without a name.
	if escaped != name || strings.Trim(name, blanks) == "" {
		text = append(text, '\\')
	}
	if kind == BSDTag {
		tag := strings.ToUpper(string(alg))
		return append(text, tag+" ("+escaped+") = "+hex+"\n"...)
	}
	return append(text, hex+"  "+escaped+"\n"...)
}
