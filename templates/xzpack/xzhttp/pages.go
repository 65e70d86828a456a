package xzhttp

import (
	"slices"
	"sync"
)

const (
	pageSize = 64 << 10
	maxPages = 16
)

// pages puts small reads together.
type pages struct {
	size  int64 // of the file
	fetch func(p []byte, off int64) error

	mu   sync.Mutex
	kept []*page // most recently used first
}

// page is a part of the file, or is on its way.
type page struct {
	number int64
	ready  chan struct{} // closed when the fields below are valid
	data   []byte
	err    error
}

// readAt reads p, all of which lies within the file.
func (c *pages) readAt(p []byte, off int64) (int, error) {
	n := 0
	for n < len(p) {
		at := off + int64(n)
		g := c.get(at / pageSize)
		if g.err != nil {
			return n, g.err
		}
		n += copy(p[n:], g.data[at%pageSize:])
	}
	return n, nil
}

// get returns a page, fetched once for all who want it at the same time.
func (c *pages) get(number int64) *page {
	c.mu.Lock()
	g, isNew := c.find(number)
	c.mu.Unlock()
	if !isNew {
		<-g.ready
		return g
	}
	defer close(g.ready)
	off := number * pageSize
	g.data = make([]byte, min(pageSize, c.size-off))
	if g.err = c.fetch(g.data, off); g.err != nil { // the server may be better next time
		c.mu.Lock()
		c.kept = slices.DeleteFunc(c.kept, func(k *page) bool { return k == g })
		c.mu.Unlock()
	}
	return g
}

// find puts a page in front of the others.
func (c *pages) find(number int64) (g *page, isNew bool) {
	i := slices.IndexFunc(c.kept, func(k *page) bool { return k.number == number })
	if i < 0 {
		g, isNew = &page{number: number, ready: make(chan struct{})}, true
		c.kept = c.kept[:min(len(c.kept), maxPages-1)]
	} else {
		g = c.kept[i]
		c.kept = slices.Delete(c.kept, i, i+1)
	}
	c.kept = slices.Insert(c.kept, 0, g)
	return g, isNew
}

// keep adds a page that is there already.
func (c *pages) keep(number int64, data []byte) {
	g, _ := c.find(number)
	g.data = data
	close(g.ready)
}
