package imagespec

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
)

const (
	copyBuffer = 1 << 20

	// holeSize is the least that is left out, in bytes: a block of the usual file
	// systems.
	holeSize = 4 << 10
)

var zeroBlock [holeSize]byte

// sparseFile is an empty file that is written in order and leaves holes where
// 4 KiB of zeros lie on a multiple of 4 KiB, as far as they come in one piece.
type sparseFile struct {
	f   *os.File
	off int64
}

func (s *sparseFile) Write(p []byte) (int, error) {
	from := 0 // where the data begins that at is in or behind
	flush := func(to int) error {
		if from == to {
			return nil
		}
		_, err := s.f.WriteAt(p[from:to], s.off+int64(from))
		return err
	}
	for at := 0; at < len(p); {
		block := holeSize - int((s.off+int64(at))%holeSize)
		next := min(at+block, len(p))
		if bytes.Equal(p[at:next], zeroBlock[:next-at]) {
			if err := flush(at); err != nil {
				return from, err
			}
			from = next
		}
		at = next
	}
	if err := flush(len(p)); err != nil {
		return from, err
	}
	s.off += int64(len(p))
	return len(p), nil
}

// finish gives the file its length, which a hole at its end does not.
func (s *sparseFile) finish() error { return s.f.Truncate(s.off) }

// restart empties the file.
func (s *sparseFile) restart() error {
	s.off = 0
	return s.f.Truncate(0)
}

// copySparse writes what r holds, at most limit bytes, to the empty file dst.
func copySparse(ctx context.Context, dst *os.File, r io.Reader, limit int64) error {
	out := &sparseFile{f: dst}
	buf := make([]byte, copyBuffer)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := 0, error(nil)
		for n < len(buf) && err == nil { // whole blocks, whatever the reader gives at once
			var m int
			m, err = r.Read(buf[n:])
			n += m
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if out.off+int64(n) > limit {
			return tooLarge(out.off+int64(n), limit)
		}
		if _, writeErr := out.Write(buf[:n]); writeErr != nil {
			return writeErr
		}
		if err != nil {
			return out.finish()
		}
	}
}
