package daemon

import (
	"net/netip"
	"sync"
)

// A census counts the open connections, in all and for each client.
type census struct {
	max, each int // negative: no limit

	mu    sync.Mutex
	total int
	of    map[netip.Prefix]int
}

// household is what counts as one client: an IPv4 address or an IPv6 /64, which is the least that one
// customer of a provider has. ok is false for what is no address.
func household(a netip.Addr) (_ netip.Prefix, ok bool) {
	a = a.Unmap().WithZone("")
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	return p, err == nil && a.IsValid()
}

// enter counts a connection, if there is room for one.
func (c *census) enter() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.max >= 0 && c.total >= c.max {
		return false
	}
	c.total++
	return true
}

// claim counts one of the client's, if it has not too many.
func (c *census) claim(client netip.Addr) bool {
	p, ok := household(client)
	if !ok {
		return true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.each >= 0 && c.of[p] >= c.each {
		return false
	}
	if c.of == nil {
		c.of = make(map[netip.Prefix]int)
	}
	c.of[p]++
	return true
}

// leave takes back what enter counted and, where client is valid, claim.
func (c *census) leave(client netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	p, ok := household(client)
	if !ok {
		return
	}
	if c.of[p]--; c.of[p] <= 0 {
		delete(c.of, p)
	}
}

// open is how many connections there are.
func (c *census) open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}
