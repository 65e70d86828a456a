package container

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// HeaderSize is the length of a stream header, and of a stream footer.
const HeaderSize = 12

// Magic is what an .xz file begins with.
const Magic = "\xfd7zXZ\x00"

const footerMagic = "YZ"

// AppendStreamHeader appends a stream header.
func AppendStreamHeader(dst []byte, c Check) []byte {
	flags := []byte{0, byte(c)}
	dst = append(append(dst, Magic...), flags...)
	return appendCRC32(dst, flags)
}

// ParseStreamHeader reads a stream header from HeaderSize bytes.
func ParseStreamHeader(p []byte) (Check, error) {
	if string(p[:len(Magic)]) != Magic {
		return 0, fmt.Errorf("not a stream header: expected %q, found %q", Magic, p[:len(Magic)])
	}
	flags, err := cutCRC32(p[len(Magic):HeaderSize])
	if err != nil {
		return 0, fmt.Errorf("stream header: %w", err)
	}
	return parseFlags(flags)
}

// AppendStreamFooter appends a stream footer. indexSize is the length of the index in bytes.
func AppendStreamFooter(dst []byte, c Check, indexSize int64) []byte {
	body := binary.LittleEndian.AppendUint32(nil, uint32(indexSize/4-1))
	body = append(body, 0, byte(c))
	dst = append(appendCRC32(dst, body), body...)
	return append(dst, footerMagic...)
}

// ParseStreamFooter reads a stream footer from HeaderSize bytes. indexSize is the length of the index before it.
func ParseStreamFooter(p []byte) (c Check, indexSize int64, err error) {
	if string(p[10:12]) != footerMagic {
		return 0, 0, fmt.Errorf("no stream footer: expected %q, found %q: the file is cut off or has something behind its end",
			footerMagic, p[10:12])
	}
	want, got := binary.LittleEndian.Uint32(p), crc32.ChecksumIEEE(p[4:10])
	if want != got {
		return 0, 0, fmt.Errorf("stream footer: crc32 mismatch: expected %08x, found %08x", want, got)
	}
	c, err = parseFlags(p[8:10])
	return c, (int64(binary.LittleEndian.Uint32(p[4:])) + 1) * 4, err
}

func parseFlags(p []byte) (Check, error) {
	if p[0] != 0 || p[1]&0xf0 != 0 {
		return 0, fmt.Errorf("%w stream flags %02x %02x: made by a newer format than this one", ErrUnsupported, p[0], p[1])
	}
	return ParseCheck(p[1])
}
