package xzpack

import (
	"fmt"
	"io"
	"strings"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// IsXZ reports whether a file that begins with magic is an .xz file; the first 6 bytes are enough.
func IsXZ(magic []byte) bool {
	return len(magic) >= len(container.Magic) && string(magic[:len(container.Magic)]) == container.Magic
}

// foreign are the formats that people take for .xz, by the bytes they begin with.
var foreign = []struct{ magic, name, todo string }{
	{"\x1f\x8b", "gzip", "unpack it with gzip -d"},
	{"LZIP", "lzip", "unpack it with lzip -d"},
	{"\x5d\x00\x00", ".lzma", "unpack it with xz --format=lzma -d"},
	{"\x28\xb5\x2f\xfd", "zstd", "unpack it with zstd -d"},
	{"BZh", "bzip2", "unpack it with bzip2 -d"},
	{"QFI\xfb", "qcow2", "it is not compressed"},
}

// sniff refuses what does not begin like an .xz file, by its name where it has one. b is what the file begins with, as
// long as the magic if the file is.
func sniff(b []byte) error {
	if IsXZ(b) {
		return nil
	}
	for _, f := range foreign {
		if len(b) >= len(f.magic) && string(b[:len(f.magic)]) == f.magic {
			return &FormatError{Err: fmt.Errorf("%w format %s: expected xz: %s", ErrUnsupported, f.name, f.todo)}
		}
	}
	err := fmt.Errorf("not an xz file: expected %q at its beginning, found %q", container.Magic, b)
	if strings.HasPrefix(container.Magic, string(b)) {
		err = fmt.Errorf("%w: %w", err, io.ErrUnexpectedEOF)
	}
	return &FormatError{Err: err}
}
