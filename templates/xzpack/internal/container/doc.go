// Package container reads and writes the parts of the .xz file format (version 1.2.1, tukaani.org/xz/xz-file-format.txt)
// that surround the compressed data: stream headers and footers, block headers, the index, and the integrity checks.
//
// It knows bytes, not files: every function takes or returns the bytes of one part, allocates no more than they justify,
// and says in its errors what was expected and what was found. Where a part lies is its caller's business.
package container

import "errors"

// ErrUnsupported is wrapped by errors about what is valid .xz, but cannot be decoded here: another filter, an unknown
// check.
var ErrUnsupported = errors.New("unsupported")

// Align rounds n up to a multiple of four, which is what every part of the format is padded to.
func Align(n int64) int64 { return (n + 3) &^ 3 }
