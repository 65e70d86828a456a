package xzpack

import "io"

// zeroWriter is a writer that has a cheaper way to take zeros: a file that leaves a hole, a hash.
type zeroWriter interface {
	WriteZeros(n int64) error
}

var zeroChunk [64 << 10]byte

// writeZeros writes n zeros to w, by WriteZeros where w has it.
func writeZeros(w io.Writer, n int64) error {
	if zw, ok := w.(zeroWriter); ok {
		return zw.WriteZeros(n)
	}
	for n > 0 {
		m, err := w.Write(zeroChunk[:min(n, int64(len(zeroChunk)))])
		if err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

// writeAll writes p to w and finds fault with a writer that takes less without saying why.
func writeAll(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}
