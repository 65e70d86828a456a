package container

import (
	"errors"
	"fmt"
)

// BlockHeader is what the header of a block with the one filter LZMA2 says.
type BlockHeader struct {
	Packed int64 // length of the compressed data; -1 if the header does not say
	Size   int64 // length of the content; -1 if the header does not say
	Dict   int64 // dictionary size in bytes
}

const (
	filterLZMA2 = 0x21

	flagFilters  = 0x03 // number of filters less one
	flagReserved = 0x3c
	flagPacked   = 0x40
	flagSize     = 0x80
)

// maxDictCode stands for a dictionary of 4 GiB less one byte.
const maxDictCode = 40

// MaxBlockHeaderSize is the greatest length that a block header can have.
const MaxBlockHeaderSize = 1024

// BlockHeaderSize tells the length of a block header from its first byte, which is not 0: a 0 begins an index.
func BlockHeaderSize(first byte) int64 { return (int64(first) + 1) * 4 }

// DictFor returns the smallest dictionary that the format can express and that holds n bytes, of which there are at most
// 1<<32-1.
func DictFor(n int64) int64 {
	code := byte(0)
	for code < maxDictCode && dictSize(code) < n {
		code++
	}
	return dictSize(code)
}

func dictSize(code byte) int64 {
	if code == maxDictCode {
		return 1<<32 - 1
	}
	return (2 | int64(code&1)) << (code/2 + 11)
}

// AppendBlockHeader appends a block header with both sizes. h.Dict must come from DictFor.
func AppendBlockHeader(dst []byte, h BlockHeader) []byte {
	start := len(dst)
	dst = append(dst, 0, flagPacked|flagSize)
	dst = appendVLI(dst, uint64(h.Packed))
	dst = appendVLI(dst, uint64(h.Size))
	code := byte(0)
	for dictSize(code) < h.Dict {
		code++
	}
	dst = append(dst, filterLZMA2, 1, code)
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	dst[start] = byte((len(dst) - start) / 4)
	return appendCRC32(dst, dst[start:])
}

// ParseBlockHeader reads a block header from exactly BlockHeaderSize bytes.
func ParseBlockHeader(p []byte) (BlockHeader, error) {
	h := BlockHeader{Packed: -1, Size: -1}
	p, err := cutCRC32(p)
	if err != nil {
		return h, fmt.Errorf("block header: %w", err)
	}
	flags := p[1]
	p = p[2:]
	if flags&flagReserved != 0 {
		return h, fmt.Errorf("%w block flags %02x: made by a newer format than this one", ErrUnsupported, flags)
	}
	if flags&flagPacked != 0 {
		if h.Packed, p, err = takeVLI(p); err != nil {
			return h, fmt.Errorf("block header: compressed size: %w", err)
		}
		if h.Packed == 0 {
			return h, errors.New("block header: compressed size is 0")
		}
	}
	if flags&flagSize != 0 {
		if h.Size, p, err = takeVLI(p); err != nil {
			return h, fmt.Errorf("block header: uncompressed size: %w", err)
		}
	}
	if h.Dict, p, err = takeFilters(p, int(flags&flagFilters)+1); err != nil {
		return h, err
	}
	for _, b := range p {
		if b != 0 {
			return h, fmt.Errorf("block header: padding: expected zeros, found %02x", b)
		}
	}
	return h, nil
}

// takeFilters reads the flags of n filters, which must be LZMA2 alone.
func takeFilters(p []byte, n int) (dict int64, rest []byte, err error) {
	for i := range n {
		var id, size int64
		if id, p, err = takeVLI(p); err == nil {
			size, p, err = takeVLI(p)
		}
		if err != nil {
			return 0, nil, fmt.Errorf("block header: filter %d: %w", i+1, err)
		}
		if id != filterLZMA2 {
			return 0, nil, fmt.Errorf("%w filter %s: expected LZMA2 alone: unpack the file with xz and pack it again without filters",
				ErrUnsupported, filterName(id))
		}
		if size != 1 || len(p) < 1 {
			return 0, nil, fmt.Errorf("block header: LZMA2 properties: expected 1 byte, found %d", min(size, int64(len(p))))
		}
		if p[0] > maxDictCode {
			return 0, nil, fmt.Errorf("block header: dictionary size: expected a code up to %d, found %d", maxDictCode, p[0])
		}
		dict, p = dictSize(p[0]), p[1:]
	}
	if n != 1 {
		return 0, nil, fmt.Errorf("block header: expected LZMA2 once, found %d times", n)
	}
	return dict, p, nil
}

// filterName names the filters that the format defines, as xz does.
func filterName(id int64) string {
	names := map[int64]string{
		0x03: "Delta", 0x04: "x86 BCJ", 0x05: "PowerPC BCJ", 0x06: "IA-64 BCJ", 0x07: "ARM BCJ", 0x08: "ARM-Thumb BCJ",
		0x09: "SPARC BCJ", 0x0a: "ARM64 BCJ", 0x0b: "RISC-V BCJ",
	}
	if name, ok := names[id]; ok {
		return name
	}
	return fmt.Sprintf("number %#x", id)
}
