package daemon

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"
)

// A gate is a listener that lets connections in: it counts them, reads the headers of proxies, and wraps them.
// What it has accepted when it is closed it still hands out.
type gate struct {
	tcp   *net.TCPListener
	rules *gateRules

	start sync.Once
	ready chan *conn      // closed when there is nothing more to come
	err   error           // why, readable after that
	alive context.Context // until abandon: nobody takes from ready any more
	leave context.CancelFunc
}

// gateRules are the same for all gates of a server.
type gateRules struct {
	census  *census
	pace    paceLimits
	header  time.Duration // for the header of a proxy
	metrics *Metrics
	repeats *repeats // nil: no answer is given again
	// proxies tells of a peer whether it must begin with a PROXY header, and whether it speaks for others.
	proxies func(peer netip.Addr) (header, trusted bool)
}

func newGate(tcp *net.TCPListener, rules *gateRules) *gate {
	g := &gate{tcp: tcp, rules: rules, ready: make(chan *conn)}
	g.alive, g.leave = context.WithCancel(context.Background())
	return g
}

// Accept hands out the next connection.
func (g *gate) Accept() (net.Conn, error) {
	g.start.Do(func() { go g.loop() })
	c, ok := <-g.ready
	if !ok {
		return nil, g.err
	}
	return c, nil
}

// Close stops accepting.
func (g *gate) Close() error {
	g.start.Do(func() {
		g.err = net.ErrClosed
		close(g.ready)
	})
	return g.tcp.Close()
}

// abandon closes what was accepted and not handed out.
func (g *gate) abandon() {
	_ = g.Close()
	g.leave()
}

// Addr is where it listens.
func (g *gate) Addr() net.Addr { return g.tcp.Addr() }

func (g *gate) loop() {
	var pending sync.WaitGroup
	defer func() {
		pending.Wait()
		close(g.ready)
	}()
	var wait time.Duration
	for {
		tcp, err := g.tcp.AcceptTCP()
		if err != nil {
			if !passing(err) {
				g.err = err
				return
			}
			g.rules.metrics.acceptError()
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			time.Sleep(wait)
			continue
		}
		wait = 0
		g.admit(tcp, &pending)
	}
}

// passing says whether an error of accept is about one connection or the moment, as when there are no
// descriptors left, and not about the socket.
func passing(err error) bool {
	switch {
	case errors.Is(err, net.ErrClosed):
		return false
	case errors.Is(err, syscall.ENOBUFS), errors.Is(err, syscall.ENOMEM):
		return true
	}
	var ne interface{ Temporary() bool }
	return errors.As(err, &ne) && ne.Temporary()
}

// admit lets a connection in or closes it. It does not wait for the client.
func (g *gate) admit(tcp *net.TCPConn, pending *sync.WaitGroup) {
	r := g.rules
	if !r.census.enter() {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
		r.metrics.refuse(refusedTotal)
		return
	}
	r.metrics.accept()
	limitUnsent(tcp)
	var claimed netip.Addr // whose it is counted as
	c := newConn(tcp, r.pace, r.metrics.cutOff, func() { r.census.leave(claimed) })
	c.repeats = r.repeats
	peer := addrOf(c.peer)
	header, trusted := r.proxies(peer)
	if !header {
		g.hand(c, trusted, &claimed)
		return
	}
	pending.Go(func() {
		stop := context.AfterFunc(g.alive, c.drop)
		err := c.readProxy(r.header)
		stop()
		if err != nil {
			c.drop()
			r.metrics.refuse(refusedProxy)
			return
		}
		// A proxy that speaks for itself is not counted as a client.
		trusted := c.client == c.peer
		if !trusted {
			_, trusted = r.proxies(addrOf(c.client))
		}
		g.hand(c, trusted, &claimed)
	})
}

// hand gives the connection to whoever calls Accept.
func (g *gate) hand(c *conn, trusted bool, claimed *netip.Addr) {
	client := addrOf(c.client)
	if !trusted {
		if !g.rules.census.claim(client) {
			c.drop()
			g.rules.metrics.refuse(refusedClient)
			return
		}
		*claimed = client
	}
	select {
	case g.ready <- c:
	case <-g.alive.Done():
		c.drop()
	}
}

// addrOf is the address of a TCP peer as the policy counts it.
func addrOf(a net.Addr) netip.Addr {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap().WithZone("")
}
