// Package lzma2 compresses and decompresses single blocks of LZMA2 data. Its encoder and its decoder are the packages
// below it; github.com/ulikunitz/xz/lzma, which shares nothing with them, proves what the encoder has made. Nothing
// outside this package knows either.
//
// LZMA2 data is a sequence of chunks, each raw or LZMA-compressed, that ends with a zero byte. A block begins with a
// reset of the dictionary, so it can be decoded without any other.
package lzma2

import "context"

// Encoder compresses blocks, one after the other. It is not safe for concurrent use; what it puts out depends on its
// input and its effort only.
type Encoder interface {
	// Encode appends block, compressed, to dst. It stops with the context's cause soon after ctx is done. At most
	// Bound(len(block)) bytes are appended; with that much capacity left in dst, and a little more, nothing is allocated
	// for the result. spare tells that the EncoderPad bytes behind block, which must have the capacity, may be
	// overwritten: that saves the encoder a copy.
	Encode(ctx context.Context, dst, block []byte, spare bool) ([]byte, error)
	// SetThreads says how many threads the blocks that follow may be compressed with, 1 without it. More take some 30 MiB
	// each, and shorten the search, which is half of the work.
	SetThreads(n int)
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
