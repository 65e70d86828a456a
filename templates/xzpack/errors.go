package xzpack

import (
	"errors"
	"fmt"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

var (
	// ErrLimit is wrapped by the errors about files that ask for more than [Limits] allow.
	ErrLimit = errors.New("over the limit")

	// ErrUnsupported is wrapped by the errors about files that are not .xz, or are .xz with a filter or a check that
	// this package does not decode. The error says what to do about it.
	ErrUnsupported = container.ErrUnsupported

	// ErrChanged is wrapped by the errors about a source that shrank or grew while it was packed.
	ErrChanged = errors.New("changed while it was read")
)

// FormatError says what is wrong with an .xz file, and where.
type FormatError struct {
	Block  int   // number of the block, counted from 1 over the whole file as xz -lvv does; 0 if it is about no block
	Offset int64 // where in the file the part begins that is wrong
	Err    error // what is wrong; wraps ErrLimit or ErrUnsupported where that is the case
}

func (e *FormatError) Error() string {
	if e.Block > 0 {
		return fmt.Sprintf("block %d at offset %d: %v", e.Block, e.Offset, e.Err)
	}
	return fmt.Sprintf("at offset %d: %v", e.Offset, e.Err)
}

// Unwrap returns Err.
func (e *FormatError) Unwrap() error { return e.Err }
