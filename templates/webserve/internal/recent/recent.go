// Package recent keeps what was asked for lately within a bound of memory.
package recent

import "sync"

// Map holds values by their key, of at most Limit bytes in all. What goes for the sake of that is any: what is in use
// comes back. It is safe for concurrent use.
type Map[V any] struct {
	Limit int

	mu   sync.RWMutex
	of   map[string]entry[V]
	size int
}

type entry[V any] struct {
	value *V
	size  int
}

// Get returns the value of a key, or nil.
func (m *Map[V]) Get(key string) *V {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.of[key].value
}

// GetBytes is Get for a key that is no string yet.
func (m *Map[V]) GetBytes(key []byte) *V {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.of[string(key)].value // makes no string
}

// Put gives key a value that takes size bytes with all that belongs to it. One of more than Limit is not kept.
func (m *Map[V]) Put(key string, value *V, size int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.remove(key)
	if size > m.Limit {
		return
	}
	for other := range m.of {
		if m.size+size <= m.Limit {
			break
		}
		m.remove(other)
	}
	if m.of == nil {
		m.of = make(map[string]entry[V])
	}
	m.of[key] = entry[V]{value, size}
	m.size += size
}

// Drop removes value, unless another has taken its place.
func (m *Map[V]) Drop(key string, value *V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of[key].value == value {
		m.remove(key)
	}
}

// remove is Drop for whoever holds m.mu.
func (m *Map[V]) remove(key string) {
	m.size -= m.of[key].size
	delete(m.of, key)
}

// Size returns how many values there are, and how many bytes they take.
func (m *Map[V]) Size() (n, bytes int) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.of), m.size
}
