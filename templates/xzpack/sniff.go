package xzpack

import (
	"fmt"

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

// sniff refuses what does not begin like an .xz file by its name.
func (p *parser) sniff(size int64) error {
	b, err := p.read(0, max(0, min(size, int64(len(container.Magic)))))
	if err != nil {
		return err
	}
	if IsXZ(b) {
		return nil
	}
	for _, f := range foreign {
		if len(b) >= len(f.magic) && string(b[:len(f.magic)]) == f.magic {
			return &FormatError{Err: fmt.Errorf("%w format %s: expected xz: %s", ErrUnsupported, f.name, f.todo)}
		}
	}
	return &FormatError{Err: fmt.Errorf("not an xz file: expected %q at its beginning, found %q", container.Magic, b)}
}
