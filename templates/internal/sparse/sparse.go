// Package sparse tells where a sparse file holds data, so that its holes are never read, and recognises zeros.
package sparse

import (
	"bytes"
	"errors"
	"iter"
	"syscall"
)

// Extent is a run of Len bytes of data at offset Off. What lies between two extents is a hole: it reads as zeros.
type Extent struct{ Off, Len int64 }

// End is the offset of the first byte behind e.
func (e Extent) End() int64 { return e.Off + e.Len }

// errNoSeekData says that a file, its file system or this platform does not know about holes.
var errNoSeekData = errors.New("sparse: holes are not known")

// Data yields the runs of data of r within its first size bytes, in ascending order and not touching one another.
//
// An r with a SyscallConn method (an *os.File) is asked with lseek's SEEK_DATA and SEEK_HOLE while the sequence is
// consumed, so a file with any number of holes costs no memory. Its file offset is restored after each question, but not
// atomically: read the file with ReadAt meanwhile. An r that cannot be asked, or does not know, is one extent of
// size bytes. Data may be all zeros all the same: a hole is only what the file system remembers as one.
//
// A file that changes meanwhile gives extents of no one state of it; whoever cares compares its Stat before and after.
// An error ends the sequence.
func Data(r any, size int64) iter.Seq2[Extent, error] {
	return func(yield func(Extent, error) bool) {
		if size <= 0 {
			return
		}
		c, ok := r.(syscall.Conn)
		if !ok {
			yield(Extent{0, size}, nil)
			return
		}
		for off := int64(0); off < size; {
			e, err := next(c, off, size)
			switch {
			case errors.Is(err, errNoSeekData) && off == 0:
				yield(Extent{0, size}, nil)
				return
			case err != nil:
				yield(Extent{}, err)
				return
			case e.Len == 0:
				return
			}
			if !yield(e, nil) {
				return
			}
			off = e.End()
		}
	}
}

// zeroPage is what IsZero compares with; it stays in the first-level cache.
var zeroPage [4096]byte

// IsZero reports whether p consists of zero bytes only; it runs at memory speed.
func IsZero(p []byte) bool {
	for len(p) > len(zeroPage) {
		if !bytes.Equal(p[:len(zeroPage)], zeroPage[:]) {
			return false
		}
		p = p[len(zeroPage):]
	}
	return bytes.Equal(p, zeroPage[:len(p)])
}
