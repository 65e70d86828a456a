package container

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"hash/crc32"
)

// Check is the kind of integrity check that a stream has behind each of its blocks.
type Check byte

// The checks that are defined. The format reserves the other numbers up to 15.
const (
	CheckNone   Check = 0x00
	CheckCRC32  Check = 0x01
	CheckCRC64  Check = 0x04
	CheckSHA256 Check = 0x0a
)

// ParseCheck tells whether number c is a check that can be computed.
func ParseCheck(c byte) (Check, error) {
	switch Check(c) {
	case CheckNone, CheckCRC32, CheckCRC64, CheckSHA256:
		return Check(c), nil
	}
	return 0, fmt.Errorf("%w integrity check number %d: expected none (0), crc32 (1), crc64 (4) or sha256 (10): "+
		"pack the content again with one of these", ErrUnsupported, c)
}

// Size is the length of the check's value in bytes.
func (c Check) Size() int64 {
	switch c {
	case CheckCRC32:
		return 4
	case CheckCRC64:
		return 8
	case CheckSHA256:
		return 32
	}
	return 0
}

// String names the check as xz does.
func (c Check) String() string {
	switch c {
	case CheckCRC32:
		return "crc32"
	case CheckCRC64:
		return "crc64"
	case CheckSHA256:
		return "sha256"
	}
	return "none"
}

// New returns a hash that computes the check; its Value turns the sum into the bytes that stand in the file.
func (c Check) New() *CheckHash {
	switch c {
	case CheckCRC32:
		return &CheckHash{h: crc32.NewIEEE(), flip: true}
	case CheckCRC64:
		return &CheckHash{h: new(crc64Hash), flip: true}
	case CheckSHA256:
		return &CheckHash{h: sha256.New()}
	}
	return &CheckHash{}
}

// CheckHash computes a check.
type CheckHash struct {
	h    hash.Hash // nil for none
	flip bool      // the CRCs stand little-endian in the file; Go's Sum is big-endian
}

// Write never fails.
func (c *CheckHash) Write(p []byte) (int, error) {
	if c.h == nil {
		return len(p), nil
	}
	return c.h.Write(p)
}

// Append appends the check's value as it stands in the file.
func (c *CheckHash) Append(dst []byte) []byte {
	if c.h == nil {
		return dst
	}
	n := len(dst)
	dst = c.h.Sum(dst)
	if v := dst[n:]; c.flip {
		for i, j := 0, len(v)-1; i < j; i, j = i+1, j-1 {
			v[i], v[j] = v[j], v[i]
		}
	}
	return dst
}

// appendCRC32 appends the CRC32 of p, as headers, footer and index carry it.
func appendCRC32(dst, p []byte) []byte {
	return binary.LittleEndian.AppendUint32(dst, crc32.ChecksumIEEE(p))
}

// cutCRC32 splits a part of the file from the CRC32 at its end and compares.
func cutCRC32(p []byte) ([]byte, error) {
	body := p[:len(p)-4]
	want, got := binary.LittleEndian.Uint32(p[len(body):]), crc32.ChecksumIEEE(body)
	if want != got {
		return nil, fmt.Errorf("crc32 mismatch: expected %08x, found %08x", want, got)
	}
	return body, nil
}
