package xzpack

import (
	"fmt"
	"io"
	"sort"
)

// ReadAt reads content at off, as io.ReaderAt has it. Each call decodes the blocks that it touches and that are not
// among the few last used ones, which are kept. A block of more than Limits.Block gives an error that wraps [ErrLimit].
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read at %d: negative offset", off)
	}
	if off >= r.size {
		return 0, io.EOF
	}
	// The first block that ends behind off.
	i := sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].content+r.blocks[i].size > off })
	n := 0
	for ; n < len(p) && i < len(r.blocks); i++ {
		b := &r.blocks[i]
		if b.size == 0 {
			continue
		}
		if err := r.limits.checkHeld(b); err != nil {
			return n, &FormatError{Block: i + 1, Offset: b.offset, Err: fmt.Errorf("read at random: %w", err)}
		}
		e, err := r.cache.get(i)
		if err != nil {
			return n, err
		}
		from := off + int64(n) - b.content
		if e.zero {
			m := min(int64(len(p)-n), b.size-from)
			clear(p[n : n+int(m)])
			n += int(m)
			continue
		}
		n += copy(p[n:], e.content[from:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
