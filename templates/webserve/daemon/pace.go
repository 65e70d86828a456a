package daemon

import "time"

// paceLimits are what a client must take at least.
type paceLimits struct {
	idle  time.Duration
	least int64 // bytes in an idle time
}

// A pace tells a client that takes its time from one that takes nothing. Only the time in which something is to
// be sent counts. It is used by one goroutine at a time.
type pace struct {
	paceLimits
	handed int64     // to the kernel, in all
	acked  int64     // of these, what the client's kernel had at the last look
	moved  time.Time // the last time that the client is known to have taken something
	fresh  bool      // the kernel took something since moved
	from   time.Time // the span that the least rate is measured over
	fromN  int64     // acked at its beginning
	paused time.Time // when there was nothing to send any more
}

// ticks is how often an idle time is looked at.
const ticks = 12

func (p *pace) tick() time.Duration { return max(p.idle/ticks, time.Millisecond) }

// begin is called where there is something to send again.
func (p *pace) begin(now time.Time) {
	if p.moved.IsZero() {
		p.moved, p.from = now, now
		return
	}
	if p.paused.IsZero() {
		return
	}
	gap := now.Sub(p.paused)
	p.moved, p.from = p.moved.Add(gap), p.from.Add(gap)
	p.paused = time.Time{}
}

// end is called where all is handed over.
func (p *pace) end(now time.Time) {
	p.step(now)
	p.paused = now
}

// sent counts what the kernel took.
func (p *pace) sent(n int64) {
	p.handed += n
	p.fresh = p.fresh || n > 0
}

// step is called between two steps. The kernel's buffer is bounded: what it takes, the client takes in the end.
func (p *pace) step(now time.Time) {
	if p.fresh {
		p.moved, p.fresh = now, false
	}
}

// look says whether the client is to be cut. queued is what the kernel holds that the client has not
// acknowledged, negative where that is not known.
func (p *pace) look(now time.Time, queued int64) cutReason {
	p.step(now)
	acked := p.handed
	if queued > 0 {
		acked -= queued
	}
	if acked > p.acked {
		p.acked, p.moved = acked, now
	}
	if now.Sub(p.moved) >= p.idle {
		return cutIdle
	}
	if now.Sub(p.from) < p.idle {
		return cutNot
	}
	if p.acked-p.fromN < p.least {
		return cutRate
	}
	p.from, p.fromN = now, p.acked
	return cutNot
}
