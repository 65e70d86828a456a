package xzpack

import (
	"io"

	"github.com/tplkit/tplkit/templates/xzpack/internal/container"
)

// bothSides hands the content and the packed file to those who want them beside unpacking, each in order.
type bothSides struct {
	content, packed io.Writer // nil: nobody
	r               *ReaderAt
	at              int64 // how much of the file has been handed on
}

// block hands on a block that has been decoded.
func (s *bothSides) block(b *unpackItem) error {
	at := &s.r.blocks[b.index]
	if s.content != nil {
		var err error
		if b.zero {
			err = writeZeros(s.content, at.size)
		} else {
			err = writeAll(s.content, b.content)
		}
		if err != nil {
			return err
		}
	}
	if s.packed == nil {
		return nil
	}
	if err := s.upTo(at.offset); err != nil {
		return err
	}
	s.at += container.Align(at.unpadded)
	return writeAll(s.packed, b.packed)
}

// upTo hands on what lies before end and is not part of a block: headers, footers, indexes and padding. These are read
// once more; blocks are handed on as they were when they were decoded.
func (s *bothSides) upTo(end int64) error {
	if s.packed == nil {
		return nil
	}
	buf := make([]byte, min(end-s.at, 64<<10))
	for s.at < end {
		p := buf[:min(end-s.at, int64(len(buf)))]
		if err := readFull(s.r.src, p, s.at); err != nil {
			return err
		}
		if err := writeAll(s.packed, p); err != nil {
			return err
		}
		s.at += int64(len(p))
	}
	return nil
}
