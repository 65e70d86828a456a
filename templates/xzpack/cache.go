package xzpack

import (
	"container/list"
	"context"
	"runtime"
	"sync"
)

// blockCache decodes blocks for ReadAt, each at most once as long as it is among the last used, however many callers
// want it at the same time.
type blockCache struct {
	r     *ReaderAt
	keep  int
	turns chan struct{} // bounds the decoders at work

	mu      sync.Mutex
	entries map[int]*list.Element // by block; values are *cacheEntry
	recent  list.List             // most recently used first
}

// cacheEntry is a decoded block, or one being decoded.
type cacheEntry struct {
	index   int
	ready   chan struct{} // closed when the fields below are valid
	zero    bool
	content []byte // nil if zero
	err     error
}

func newBlockCache(r *ReaderAt, keep int) *blockCache {
	blocks := r.limits.Memory / r.memory()
	return &blockCache{
		r:       r,
		keep:    int(max(1, min(int64(keep), blocks/2))),
		turns:   make(chan struct{}, max(1, min(int64(runtime.GOMAXPROCS(0)), blocks/2))),
		entries: make(map[int]*list.Element),
	}
}

// get returns block i, decoded.
func (c *blockCache) get(i int) (*cacheEntry, error) {
	c.mu.Lock()
	el, ok := c.entries[i]
	if ok {
		c.recent.MoveToFront(el)
		c.mu.Unlock()
		e := el.Value.(*cacheEntry)
		<-e.ready
		return e, e.err
	}
	e := &cacheEntry{index: i, ready: make(chan struct{})}
	el = c.recent.PushFront(e)
	c.entries[i] = el
	if c.recent.Len() > c.keep {
		c.drop(c.recent.Back())
	}
	c.mu.Unlock()

	c.turns <- struct{}{}
	e.err = guard(func() error { return c.decode(e) })
	<-c.turns
	close(e.ready)
	if e.err != nil { // not remembered: the source may be better next time
		c.mu.Lock()
		if c.entries[i] == el {
			c.drop(el)
		}
		c.mu.Unlock()
	}
	return e, e.err
}

func (c *blockCache) drop(el *list.Element) {
	c.recent.Remove(el)
	delete(c.entries, el.Value.(*cacheEntry).index)
}

func (c *blockCache) decode(e *cacheEntry) (err error) {
	var packed []byte
	e.zero, err = c.r.decode(context.Background(), e.index, &packed, func() []byte {
		e.content = make([]byte, c.r.blocks[e.index].size)
		return e.content
	})
	if e.zero {
		e.content = nil
	}
	return err
}
