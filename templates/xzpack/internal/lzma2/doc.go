// Package lzma2 compresses and decompresses single blocks of LZMA2 data. The codec behind it is
// github.com/ulikunitz/xz/lzma; nothing outside this package knows.
//
// LZMA2 data is a sequence of chunks, each raw or LZMA-compressed, that ends with a zero byte. A block begins with a
// reset of the dictionary, so it can be decoded without any other.
package lzma2

import "context"

// Encoder compresses blocks, one after the other. It is not safe for concurrent use; what it puts out depends on its
// input and its level only.
type Encoder interface {
	// Encode appends block, compressed, to dst. It stops with the context's cause soon after ctx is done. At most
	// Bound(len(block)) bytes are appended, so with that capacity left in dst nothing is allocated for the result.
	Encode(ctx context.Context, dst, block []byte) ([]byte, error)
}

// Decoder decompresses blocks, one after the other. It is not safe for concurrent use.
type Decoder interface {
	// Decode decompresses packed, which must be the whole LZMA2 data of a block, into block, which must have the
	// content's exact length. dict is the dictionary size that the block header claims; no more memory than
	// len(block) is ever allocated for a dictionary. It stops with the context's cause soon after ctx is done.
	// Whatever is wrong with packed is an error.
	Decode(ctx context.Context, block, packed []byte, dict int64) error
}

// step is how many bytes of content pass between two looks at the context: some milliseconds of encoding.
const step = 16 << 10
