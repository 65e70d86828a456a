package decode

import (
	"errors"
	"fmt"
)

// Error says what is wrong with LZMA2 data, and where. Both offsets count from the beginning of the block's LZMA2 data
// and content.
type Error struct {
	Content int64 // bytes of content decoded before the fault was met
	Packed  int64 // bytes of LZMA2 data read before it
	Err     error
}

func (e *Error) Error() string {
	return fmt.Sprintf("compressed data is corrupt at byte %d of the content, byte %d of the compressed data: %v", e.Content, e.Packed, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// What may be wrong with a chunk.
var (
	errDistance  = errors.New("a match begins before the dictionary does")
	errLength    = errors.New("a match goes beyond the end of its chunk")
	errEndMarker = errors.New("end marker within LZMA2 data")
	errOverrun   = errors.New("an LZMA chunk needs more data than its header says")
	errUnused    = errors.New("an LZMA chunk needs less data than its header says")
	errNotZero   = errors.New("the range coder does not end at zero")
	errFirstByte = errors.New("an LZMA chunk does not begin with a zero byte")
	errCode      = errors.New("the range coder begins out of its range")
	errNoReset   = errors.New("first chunk does not reset the dictionary")
	errNoProps   = errors.New("an LZMA chunk without properties follows a reset of the dictionary")
	errTooLong   = errors.New("content is longer than expected")
)
