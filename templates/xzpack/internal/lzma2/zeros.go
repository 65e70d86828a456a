package lzma2

import (
	"context"
	"sync"

	"github.com/ulikunitz/xz/lzma"

	"github.com/tplkit/tplkit/templates/internal/sparse"
)

// A long run of zeros within a block is put together from pieces that are compressed once in the life of the process:
// the codec takes as long over a zero as over any other byte, and most of a disk image's bytes are zeros. A piece begins
// with a reset of the dictionary, and so does what follows it, so the pieces fit everywhere; what lies behind a run can
// not refer to what lies before it, which is why short runs are left to the codec.
const (
	zeroUnit    = 64 << 10        // runs begin and end at multiples of it within the block
	zeroPiece   = 1 << 20         // the longer of the two pieces; the other is one zeroUnit
	minZeroUnit = 8               // units that make a run
	zeroDict    = lzma.MinDictCap // dictionary for a piece: the least there is, so that it fits every block
	pieceUnits  = zeroPiece / zeroUnit
)

var (
	longZeros  = sync.OnceValues(func() ([]byte, error) { return compressZeros(zeroPiece) })
	shortZeros = sync.OnceValues(func() ([]byte, error) { return compressZeros(zeroUnit) })
)

func compressZeros(n int) ([]byte, error) {
	out := &limitedBuffer{max: Bound(n)}
	err := encoder{dict: zeroDict}.segment(context.Background(), out, make([]byte, n))
	return out.p, err
}

// cut tells how many bytes of data block begins with, and how many bytes of zeros follow them that are to be written
// as pieces. Only at the end of block are there no zeros.
func cut(block []byte) (data, zeros int) {
	run := 0
	for at := 0; at+zeroUnit <= len(block); at += zeroUnit {
		if sparse.IsZero(block[at : at+zeroUnit]) {
			run++
			continue
		}
		if run >= minZeroUnit {
			return at - run*zeroUnit, run * zeroUnit
		}
		run = 0
	}
	if run < minZeroUnit {
		return len(block), 0
	}
	whole := len(block) / zeroUnit * zeroUnit
	return whole - run*zeroUnit, run * zeroUnit
}

// writeZeros writes n zeros, a multiple of zeroUnit, as pieces.
func writeZeros(out *limitedBuffer, n int) error {
	for units := n / zeroUnit; units > 0; {
		get, step := shortZeros, 1
		if units >= pieceUnits {
			get, step = longZeros, pieceUnits
		}
		piece, err := get()
		if err != nil {
			return err
		}
		if _, err := out.Write(piece); err != nil {
			return err
		}
		units -= step
	}
	return nil
}
