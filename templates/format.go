package templates

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Format is what a file holds, told by its content.
type Format string

// The formats of images. XZ and GZIP are packings: what is inside has a format
// of its own.
const (
	Raw   Format = "raw"
	QCOW2 Format = "qcow2"
	XZ    Format = "xz"
	GZIP  Format = "gzip"
)

// Info is what the first bytes of an image say.
type Info struct {
	Format  Format
	Virtual int64 // bytes of the disk a guest sees; 0 for XZ and GZIP, which do not say
}

// FormatError says why a file is not an image that can be published.
type FormatError struct {
	Found  string // what it looks like, as "qcow2" or "vmdk"
	Reason string // what is wrong with it, and what to do
}

func (e *FormatError) Error() string { return e.Found + ": " + e.Reason }

// headSize is how much of a file is looked at. The last signature that is
// looked for begins at 64.
const headSize = 4096

// signature is the beginning of a format that is not published.
type signature struct {
	name  string
	at    int
	magic string
}

// foreign are formats that a program probing a "raw" image would take it for:
// the guest could then point it at any file of the host (CVE-2026-24708).
var foreign = []signature{
	{"vmdk", 0, "KDMV"},
	{"vmdk", 0, "COWD"},
	{"vmdk descriptor", 0, "# Disk DescriptorFile"},
	{"vhdx", 0, "vhdxfile"},
	{"vhd", 0, "conectix"},
	{"qed", 0, "QED\x00"},
	{"parallels", 0, "WithoutFreeSpace"},
	{"parallels", 0, "WithouFreSpacExt"},
	{"bochs", 0, "Bochs Virtual HD Image"},
	{"cloop", 0, "#!/bin/sh\n#V2.0 Format\n"},
	{"luks", 0, "LUKS\xba\xbe"},
	{"vdi", 0x40, "\x7f\x10\xda\xbe"},
	{"bzip2", 0, "BZh"},
	{"zstd", 0, "\x28\xb5\x2f\xfd"},
	{"lz4", 0, "\x04\x22\x4d\x18"},
	{"lzip", 0, "LZIP"},
}

var (
	xzMagic   = []byte{0xfd, '7', 'z', 'X', 'Z', 0}
	gzipMagic = []byte{0x1f, 0x8b, 8}
)

// DetectFormat tells the format of the size bytes in r by their content. What
// begins like no known format is Raw. An empty file is refused. The error is a
// [*FormatError] for what must not be published (see the package comment),
// else r's own.
func DetectFormat(r io.ReaderAt, size int64) (Info, error) {
	if size <= 0 {
		return Info{}, &FormatError{"empty file", "holds no image; fetch it again or leave it out"}
	}
	head := make([]byte, min(size, headSize))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		if err == nil || errors.Is(err, io.EOF) {
			err = fmt.Errorf("short read: %d of the first %d bytes: the file shrank while it was read: %w",
				n, len(head), io.ErrUnexpectedEOF)
		}
		return Info{}, err
	}
	switch {
	case bytes.HasPrefix(head, xzMagic):
		return Info{Format: XZ}, nil
	case bytes.HasPrefix(head, gzipMagic):
		return Info{Format: GZIP}, nil
	case bytes.HasPrefix(head, qcow2Magic):
		virtual, err := parseQCOW2(head, r, size)
		if err != nil {
			return Info{}, err
		}
		return Info{Format: QCOW2, Virtual: virtual}, nil
	}
	for _, s := range foreign {
		if len(head) >= s.at+len(s.magic) && string(head[s.at:s.at+len(s.magic)]) == s.magic {
			return Info{}, &FormatError{s.name,
				"neither raw nor qcow2; convert it first (qemu-img convert -O qcow2), or it is a raw disk that a guest dressed up"}
		}
	}
	return Info{Format: Raw, Virtual: size}, nil
}
