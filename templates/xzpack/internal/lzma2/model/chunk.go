package model

// Control bytes of LZMA2 chunks. What lies between CtlRaw and CtlLZMA is not defined. An LZMA chunk of less than
// CtlState goes on with the state of the one before; from CtlState on the state is reset, from CtlProps on new
// properties are set, too, and from CtlDict on the dictionary is reset.
const (
	CtlEnd   = 0x00
	CtlRaw0  = 0x01 // a raw chunk that resets the dictionary
	CtlRaw   = 0x02
	CtlLZMA  = 0x80
	CtlState = 0xa0
	CtlProps = 0xc0
	CtlDict  = 0xe0
)

// The greatest sizes in a chunk.
const (
	MaxRaw     = 64 << 10 // bytes of a raw chunk
	MaxContent = 2 << 20  // bytes of content in an LZMA chunk
	MaxPacked  = 64 << 10 // bytes of compressed data in an LZMA chunk
)
