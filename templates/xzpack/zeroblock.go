package xzpack

import (
	"context"
	"sync"
)

// zeroKey says everything that a packed block of zeros depends on.
type zeroKey struct {
	size  int
	level Level
	dict  int64
}

// maxZeroBlocks bounds the memory of a process that packs images for ever: each leaves the zeros of its last, shorter
// block here. A packed block of zeros has a 6,000th of its content's size.
const maxZeroBlocks = 64

// zeroBlocks remembers packed blocks of zeros for the life of the process: half of a disk image is empty, as a rule.
var zeroBlocks zeroMemo

type zeroMemo struct {
	mu      sync.Mutex
	entries map[zeroKey]*zeroEntry
	order   []zeroKey // oldest first
}

type zeroEntry struct {
	turn   chan struct{} // holds a value while nobody packs this block
	packed packedBlock   // valid once bytes is not nil
}

// get returns the packed block of zeros for key, calling pack for it at most once at a time and never again once that
// has succeeded.
func (m *zeroMemo) get(ctx context.Context, key zeroKey, pack func() (packedBlock, error)) (packedBlock, error) {
	e := m.entry(key)
	select {
	case <-ctx.Done():
		return packedBlock{}, context.Cause(ctx)
	case <-e.turn:
	}
	defer func() { e.turn <- struct{}{} }()
	if e.packed.bytes == nil {
		b, err := pack()
		if err != nil {
			return packedBlock{}, err
		}
		b.bytes = append([]byte(nil), b.bytes...)
		e.packed = b
	}
	return e.packed, nil
}

func (m *zeroMemo) entry(key zeroKey) *zeroEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, ok := m.entries[key]; ok {
		return e
	}
	if m.entries == nil {
		m.entries = make(map[zeroKey]*zeroEntry)
	}
	if len(m.order) == maxZeroBlocks {
		delete(m.entries, m.order[0])
		m.order = append(m.order[:0], m.order[1:]...)
	}
	e := &zeroEntry{turn: make(chan struct{}, 1)}
	e.turn <- struct{}{}
	m.entries[key] = e
	m.order = append(m.order, key)
	return e
}
