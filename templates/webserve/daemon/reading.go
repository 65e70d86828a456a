package daemon

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// reading is the side of a connection that requests come from. It spares what net/http does with every request
// and what a small answer would cost as much as the rest of it.
type reading struct {
	tcp *net.TCPConn

	mu     sync.Mutex
	busy   bool      // someone waits for the client
	wanted time.Time // the read deadline that the server wants; zero: none
	set    time.Time // the one that is set
	peeked bool      // the last read was for one byte
}

// Read reads from the client until the deadline that is wanted then.
//
// While a handler works net/http reads one byte ahead, to see whether the client leaves, and breaks that read off
// when the next request is wanted. Here it learns that nothing has come: sending tells soon enough that a client
// is gone, and waiting takes a call of the kernel, the wake-up of a goroutine and two deadlines for each request.
// Who asks for one byte twice running gets it.
func (r *reading) Read(p []byte) (int, error) {
	r.mu.Lock()
	ahead := len(p) == 1 && !r.peeked
	r.peeked = len(p) == 1
	if ahead {
		r.mu.Unlock()
		return 0, nil
	}
	r.busy = true
	for {
		if !r.wanted.IsZero() && (r.set.IsZero() || r.wanted.Before(r.set)) {
			r.arm(r.wanted)
		}
		r.mu.Unlock()
		n, err := r.tcp.Read(p)
		r.mu.Lock()
		if n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) || !r.wanted.IsZero() && !time.Now().Before(r.wanted) {
			r.busy = false
			r.mu.Unlock()
			return n, err
		}
		r.arm(r.wanted) // it was an earlier one that has come
	}
}

// SetReadDeadline is kept for the next Read: several are set for each request, most of them later than the one
// that is in force. A Read that waits is told at once.
func (r *reading) SetReadDeadline(t time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wanted = t
	if r.busy {
		return r.arm(t)
	}
	return nil
}

// arm sets the deadline. The caller holds r.mu.
func (r *reading) arm(t time.Time) error {
	r.set = t
	return r.tcp.SetReadDeadline(t) // fails on a closed connection, as the read will
}
