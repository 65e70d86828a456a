package templates

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The qcow2 header, big-endian: QEMU's docs/interop/qcow2.rst.
const (
	qcow2Version       = 4  // u32
	qcow2BackingOffset = 8  // u64
	qcow2BackingSize   = 16 // u32
	qcow2ClusterBits   = 20 // u32
	qcow2VirtualSize   = 24 // u64
	qcow2CryptMethod   = 32 // u32
	qcow2V2Header      = 72
	qcow2Incompatible  = 72  // u64, version 3
	qcow2HeaderLength  = 100 // u32, version 3
	qcow2V3Header      = 104
)

// Incompatible features of version 3. A reader must refuse bits it does not
// know.
const (
	qcow2Dirty        = 1 << 0 // reference counts are stale; the data is not
	qcow2Corrupt      = 1 << 1
	qcow2ExternalData = 1 << 2
	qcow2Compression  = 1 << 3 // clusters compressed with something but zlib
	qcow2ExtendedL2   = 1 << 4
	qcow2Known        = qcow2Dirty | qcow2Corrupt | qcow2ExternalData | qcow2Compression | qcow2ExtendedL2
)

// maxVirtual is the largest disk that is believed, in bytes: 64 TiB. A header
// costs nothing to forge, and clients allocate by it.
const maxVirtual = 64 << 40

// maxBackingName is the longest backing-file name the format allows.
const maxBackingName = 1023

var qcow2Magic = []byte("QFI\xfb")

// parseQCOW2 checks the header in head, the first bytes of r, and gives the
// virtual size. r and size are for the name of a backing file, which the
// message tells.
func parseQCOW2(head []byte, r io.ReaderAt, size int64) (int64, error) {
	bad := func(format string, args ...any) error {
		return &FormatError{"qcow2", fmt.Sprintf(format, args...)}
	}
	u32 := func(at int) uint32 { return binary.BigEndian.Uint32(head[at:]) }
	u64 := func(at int) uint64 { return binary.BigEndian.Uint64(head[at:]) }
	if len(head) < qcow2V2Header {
		return 0, bad("the header is cut off: %d of at least %d bytes; fetch it again", len(head), qcow2V2Header)
	}
	version := u32(qcow2Version)
	if version != 2 && version != 3 {
		return 0, bad("version %d; only 2 and 3 are read, convert it (qemu-img convert -O qcow2)", version)
	}
	if off := u64(qcow2BackingOffset); off != 0 {
		return 0, bad("has the backing file %s; it is useless without it and tells a path of the machine it came from: flatten it (qemu-img convert -O qcow2)",
			backingName(r, size, off, u32(qcow2BackingSize)))
	}
	if bits := u32(qcow2ClusterBits); bits < 9 || bits > 21 {
		return 0, bad("cluster size of 2^%d bytes; 2^9 to 2^21 is possible: the header is damaged", bits)
	}
	if m := u32(qcow2CryptMethod); m != 0 {
		return 0, bad("is encrypted (method %d); its clients have no key: decrypt it first", m)
	}
	virtual := u64(qcow2VirtualSize)
	if virtual == 0 || virtual > maxVirtual {
		return 0, bad("virtual size of %d bytes; 1 to %d is believed: the header is damaged", virtual, int64(maxVirtual))
	}
	if version == 3 {
		if err := checkQCOW2V3(head, bad); err != nil {
			return 0, err
		}
	}
	return int64(virtual), nil
}

func checkQCOW2V3(head []byte, bad func(string, ...any) error) error {
	if len(head) < qcow2V3Header {
		return bad("the header is cut off: %d of at least %d bytes; fetch it again", len(head), qcow2V3Header)
	}
	if n := binary.BigEndian.Uint32(head[qcow2HeaderLength:]); n < qcow2V3Header || n%8 != 0 {
		return bad("header length of %d bytes; at least %d and a multiple of 8 is possible: the header is damaged", n, qcow2V3Header)
	}
	features := binary.BigEndian.Uint64(head[qcow2Incompatible:])
	switch {
	case features&qcow2ExternalData != 0:
		return bad("keeps its data in another file; it is useless without it: convert it (qemu-img convert -O qcow2)")
	case features&qcow2Corrupt != 0:
		return bad("is marked as corrupt; repair it first (qemu-img check -r all)")
	case features&^qcow2Known != 0:
		return bad("needs features that are not known here (%#x): convert it (qemu-img convert -O qcow2)", features&^qcow2Known)
	}
	return nil
}

// backingName reads the name for the message; the header may well lie about
// where it is.
func backingName(r io.ReaderAt, size int64, off uint64, n uint32) string {
	if n == 0 || n > maxBackingName || off >= uint64(size) || uint64(n) > uint64(size)-off {
		return "(at an impossible place)"
	}
	name := make([]byte, n)
	if m, _ := r.ReadAt(name, int64(off)); m < len(name) {
		return "(unreadable)"
	}
	return Quote(string(name))
}
