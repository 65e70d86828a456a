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
