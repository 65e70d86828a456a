// Package decode decompresses LZMA2 data: whole blocks into a slice of their exact length, and streams of unknown
// length. It trusts nothing: what is wrong with the data is an *Error that says where, and no index is used that was
// not checked.
//
// What is accepted is what liblzma accepts:
//
//   - The first chunk resets the dictionary. What lies before the last reset can not be referred to; positions count
//     from there, and the byte before the first one is taken for a zero.
//   - The first LZMA chunk behind a reset of the dictionary sets properties. A raw chunk leaves them and the state as
//     they are.
//   - lc+lp is at most 4, and no distance is longer than the dictionary.
//   - The data of an LZMA chunk begins with a zero byte, takes up exactly the length in its header and leaves the range
//     coder at zero; there is no end marker in it, and no match goes beyond the chunk's content.
//
// With one exception: a range coder that begins with a code of 0xffffffff, out of its range, is refused at once, as the
// format's specification has it. liblzma decodes on from there; no encoder writes it.
//
// The way of a block: Decoder.Block goes from chunk to chunk, chunk applies the resets, lzma sets up the range coder,
// and symbols is the loop that takes all the time. A Stream does the same over a window that slides.
package decode
