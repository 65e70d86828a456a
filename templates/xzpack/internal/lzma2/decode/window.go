package decode

// window is where content goes to, and what matches are copied from.
type window struct {
	buf    []byte
	pos    int // the next byte of content goes to buf[pos]
	low    int // matches may go back to buf[low]
	dict   int // and no further back than this
	origin int // positions count from here; only the lowest four bits matter
}

// reset forgets all content.
func (w *window) reset() {
	w.low, w.origin = w.pos, w.pos
}

// piece is what repeat copies at a time: as much as there is an instruction for.
const piece = 16

// repeat fills buf[pos:end] with what lies dist bytes before, byte by byte. If there is room it writes up to a piece more.
func repeat(buf []byte, pos, end, dist int) {
	from := pos - dist
	if dist < piece || end-pos > 4*piece || end > len(buf)-piece {
		for pos < end {
			pos += copy(buf[pos:end], buf[from:pos])
		}
		return
	}
	for ; pos < end; pos += piece {
		*(*[piece]byte)(buf[pos:]) = *(*[piece]byte)(buf[from:])
		from += piece
	}
}
