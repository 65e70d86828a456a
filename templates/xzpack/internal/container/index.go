package container

import (
	"errors"
	"fmt"
)

// Record is what an index says of a block.
type Record struct {
	Unpadded int64 // length of header, compressed data and check
	Size     int64 // length of the content
}

// maxUnpadded is the format's limit: 2^63 less what padding can add.
const maxUnpadded = 1<<63 - 4

// MaxIndexSize is the greatest length of an index over n blocks.
func MaxIndexSize(n int) int64 { return 1 + MaxVLILen + 2*MaxVLILen*int64(n) + 3 + 4 }

// AppendIndex appends the index over records; its length is a multiple of four.
func AppendIndex(dst []byte, records []Record) []byte {
	start := len(dst)
	dst = appendVLI(append(dst, 0), uint64(len(records)))
	for _, r := range records {
		dst = appendVLI(appendVLI(dst, uint64(r.Unpadded)), uint64(r.Size))
	}
	for (len(dst)-start)%4 != 0 {
		dst = append(dst, 0)
	}
	return appendCRC32(dst, dst[start:])
}

// ParseIndex reads an index from all of its bytes. It returns the records one after the other, so that the caller can
// stop where it has enough; their number is known to fit into p.
func ParseIndex(p []byte) (*Index, error) {
	if len(p) < 8 || len(p)%4 != 0 {
		return nil, fmt.Errorf("index: expected a multiple of 4 bytes, at least 8, found %d", len(p))
	}
	p, err := cutCRC32(p)
	if err != nil {
		return nil, fmt.Errorf("index: %w", err)
	}
	if p[0] != 0 {
		return nil, fmt.Errorf("index: expected a 0 at its beginning, found %02x", p[0])
	}
	n, p, err := takeVLI(p[1:])
	if err != nil {
		return nil, fmt.Errorf("index: number of records: %w", err)
	}
	if n > int64(len(p)/2) {
		return nil, fmt.Errorf("index: %d records do not fit into its %d bytes", n, len(p))
	}
	return &Index{N: int(n), rest: p}, nil
}

// CountRecords reads the number of records from what follows the first byte of an index, of which MaxVLILen bytes are
// enough.
func CountRecords(p []byte) (int64, error) {
	n, _, err := takeVLI(p)
	return n, err
}

// Index walks the records of an index.
type Index struct {
	N    int // records not yet taken
	rest []byte
}

// Next takes the next record. It must be called N times, then Close.
func (x *Index) Next() (Record, error) {
	var r Record
	var err error
	if r.Unpadded, x.rest, err = takeVLI(x.rest); err != nil {
		return r, fmt.Errorf("index: unpadded size: %w", err)
	}
	if r.Unpadded < 5 || r.Unpadded > maxUnpadded {
		return r, fmt.Errorf("index: unpadded size: expected 5 to %d, found %d", int64(maxUnpadded), r.Unpadded)
	}
	if r.Size, x.rest, err = takeVLI(x.rest); err != nil {
		return r, fmt.Errorf("index: uncompressed size: %w", err)
	}
	x.N--
	return r, nil
}

// Close checks what follows the last record.
func (x *Index) Close() error {
	if len(x.rest) > 3 {
		return fmt.Errorf("index: expected up to 3 bytes of padding behind its records, found %d", len(x.rest))
	}
	for _, b := range x.rest {
		if b != 0 {
			return errors.New("index: padding is not zero")
		}
	}
	return nil
}
