package daemon

import "sync"

// holdRoom is how much a connection holds back: a small file with its header.
const holdRoom = 40 << 10

var holdBuffers = sync.Pool{New: func() any { b := make([]byte, 0, holdRoom); return &b }}

// Hold keeps what is written from now on until Release, so that a header and the body behind it leave by one call. What
// is more than fits goes at once. It is for the one goroutine that answers a request.
func (c *conn) Hold() {
	if c.held == nil {
		c.held = holdBuffers.Get().(*[]byte)
	}
}

// Release sends what was held back.
func (c *conn) Release() error {
	held := c.held
	if held == nil {
		return nil
	}
	c.held = nil
	var err error
	if len(*held) > 0 {
		_, err = c.Write(*held)
	}
	if err == nil {
		c.released(*held)
	}
	*held = (*held)[:0]
	holdBuffers.Put(held)
	return err
}

// hold takes p if it is held back.
func (c *conn) hold(p []byte) (taken bool, err error) {
	if c.held == nil {
		return false, nil
	}
	if len(*c.held)+len(p) > holdRoom {
		return false, c.Release()
	}
	*c.held = append(*c.held, p...)
	return true, nil
}
