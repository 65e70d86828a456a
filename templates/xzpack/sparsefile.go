package xzpack

import (
	"fmt"
	"os"
)

// empty makes sure that dst is a regular file, and empties it.
func empty(dst *os.File) error {
	fi, err := dst.Stat()
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("unpack to %.200q: expected a regular file, found mode %v: write to it in order instead, as Copy and WriteTo do", dst.Name(), fi.Mode())
	}
	return dst.Truncate(0)
}

// sparseFile is an empty file that is written in order and leaves holes where there are zeros.
type sparseFile struct {
	f   *os.File
	off int64
}

func (s *sparseFile) Write(p []byte) (int, error) {
	n, err := s.f.WriteAt(p, s.off)
	s.off += int64(n)
	return n, err
}

func (s *sparseFile) WriteZeros(n int64) error {
	s.off += n
	return nil
}

// finish gives the file its length, which a hole at its end does not.
func (s *sparseFile) finish() error { return s.f.Truncate(s.off) }
