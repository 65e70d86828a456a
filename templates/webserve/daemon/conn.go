package daemon

import (
	"errors"
	"io"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxStep bounds what is handed to the kernel at once: between two steps it is seen that the client moves.
const maxStep = 1 << 20

// A conn is a client's connection that is cut when the client stops taking what it is sent. Its ReadFrom keeps
// the kernel's sendfile, which net/http uses for files.
type conn struct {
	reading
	tcp    *net.TCPConn
	peer   net.Addr // of the connection itself
	client net.Addr // peer, or what a PROXY header says
	head   []byte   // was read with the PROXY header, belongs to the client
	held   *[]byte  // what is held back; nil: nothing is
	pace   pace     // of the one writer

	repeating
	ending ending

	cut     atomic.Int32 // why it was cut: a cutReason
	onCut   func(cutReason)
	onClose func()
	closed  atomic.Bool

	mu    sync.Mutex
	outer time.Time // the write deadline that the server wants; zero: none
	armed time.Time // the one that is set
}

// A cutReason is a label of a metric and a mark in the log.
type cutReason int32

const (
	cutNot  cutReason = iota
	cutIdle           // took nothing for the idle time
	cutRate           // took less than the least rate
)

func (r cutReason) String() string { return [...]string{"", "idle", "rate"}[r] }

// errCut is what a writer gets whose client was cut.
var errCut = errors.New("the client takes too little: the connection was cut")

// newConn wraps a connection. onCut and onClose are called at most once each.
func newConn(tcp *net.TCPConn, l paceLimits, onCut func(cutReason), onClose func()) *conn {
	return &conn{reading: reading{tcp: tcp}, tcp: tcp, peer: tcp.RemoteAddr(), client: tcp.RemoteAddr(), pace: pace{paceLimits: l}, onCut: onCut, onClose: onClose}
}

// Read gives what came behind a PROXY header first, and nothing of a request that is answered as one before it.
func (c *conn) Read(p []byte) (int, error) {
	if len(c.head) > 0 {
		n := copy(p, c.head)
		c.head = c.head[n:]
		c.passed(p[:n])
		return n, nil
	}
	for {
		n, err := c.reading.Read(p)
		if n == 0 {
			return 0, err
		}
		if err == nil && c.repeats != nil && c.first() {
			var done bool
			if done, err = c.repeats.answer(c, p[:n]); done {
				if err != nil {
					return 0, err
				}
				continue
			}
		}
		c.passed(p[:n])
		return n, err
	}
}

// Write sends p as fast as the client takes it.
func (c *conn) Write(p []byte) (int, error) {
	if c.cut.Load() != int32(cutNot) {
		return 0, errCut
	}
	if taken, err := c.hold(p); err != nil {
		return 0, err
	} else if taken {
		return len(p), nil
	}
	c.pace.begin(time.Now())
	total := 0
	for {
		c.arm()
		n, err := c.tcp.Write(p[total:])
		total += n
		c.pace.sent(int64(n))
		if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			c.pace.end(time.Now())
			return total, err
		}
		if err := c.goOn(err); err != nil {
			return total, err
		}
	}
}

// ReadFrom sends what src has, by sendfile where src is a file. The count of an io.LimitedReader is kept right.
func (c *conn) ReadFrom(src io.Reader) (int64, error) {
	if err := c.Release(); err != nil {
		return 0, err
	}
	lr, ok := src.(*io.LimitedReader)
	if !ok {
		lr = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	file, ok := lr.R.(sendable)
	if !ok {
		return c.copyFrom(src)
	}
	// Where the kernel cannot send this file by itself the bytes are copied, and those that were read but not
	// sent when a step ends must not be lost: the file is set back to them.
	start, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return c.copyFrom(src) // a pipe
	}
	return c.sendFile(lr, file, start)
}

// A sendable is an *os.File or something around one that shows it: what the net package asks for, and Seek.
type sendable interface {
	io.ReadSeeker
	syscall.Conn
}

// copyFrom is ReadFrom through a buffer.
func (c *conn) copyFrom(src io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{c}, struct{ io.Reader }{src})
}

func (c *conn) sendFile(lr *io.LimitedReader, file sendable, start int64) (total int64, err error) {
	if c.cut.Load() != int32(cutNot) {
		return 0, errCut
	}
	c.pace.begin(time.Now())
	for lr.N > 0 {
		want := min(lr.N, maxStep)
		c.arm()
		n, err := c.tcp.ReadFrom(&io.LimitedReader{R: file, N: want})
		total += n
		lr.N -= n
		c.pace.sent(n)
		switch {
		case err == nil && n < want: // the file's end
			c.pace.end(time.Now())
			return total, nil
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return total, err
		default:
			if err := c.goOn(err); err != nil {
				return total, err
			}
			if _, err := file.Seek(start+total, io.SeekStart); err != nil {
				return total, err
			}
		}
	}
	c.pace.end(time.Now())
	return total, nil
}

// arm sets the deadline of the next step: the next look at the pace, or the server's own deadline.
func (c *conn) arm() {
	now := time.Now()
	c.pace.step(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	next := now.Add(c.pace.tick())
	if !c.outer.IsZero() && c.outer.Before(next) {
		next = c.outer
	} else if !c.armed.After(next) && c.armed.After(now.Add(c.pace.tick()/2)) {
		return // setting it costs as much as a small answer; to look early does no harm
	}
	c.armed = next
	_ = c.tcp.SetWriteDeadline(c.armed) // fails on a closed connection, as the write will
}

// goOn is called where a step has ended by its deadline: nil means that the client may have more time.
func (c *conn) goOn(err error) error {
	now := time.Now()
	c.mu.Lock()
	over := !c.outer.IsZero() && !now.Before(c.outer)
	c.mu.Unlock()
	if over {
		return err
	}
	reason := c.pace.look(now, unacknowledged(c.tcp))
	if reason == cutNot {
		return nil
	}
	if c.cut.CompareAndSwap(int32(cutNot), int32(reason)) {
		// What the kernel still holds for the client goes with the connection.
		_ = c.tcp.SetLinger(0)
		c.onCut(reason)
	}
	return errCut
}

// SetWriteDeadline is the server's own deadline, beside the pace.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outer = t
	if t.IsZero() || (!c.armed.IsZero() && c.armed.Before(t)) {
		return nil // the next step goes by it
	}
	c.armed = t
	return c.tcp.SetWriteDeadline(t)
}

// SetDeadline sets both deadlines.
func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

// Close closes the connection; what was sent still reaches a client that was not cut. While an answer is given again
// the first call only has it closed behind that.
func (c *conn) Close() error {
	if c.ending.defers() {
		return c.SetWriteDeadline(time.Now().Add(lastAnswer))
	}
	err := c.tcp.Close()
	if c.closed.CompareAndSwap(false, true) {
		c.onClose()
	}
	return err
}

// drop closes it with a reset and forgets what was to be sent.
func (c *conn) drop() {
	_ = c.tcp.SetLinger(0)
	_ = c.Close()
}

// CloseWrite lets net/http end a response without a reset.
func (c *conn) CloseWrite() error { return c.tcp.CloseWrite() }

func (c *conn) LocalAddr() net.Addr  { return c.tcp.LocalAddr() }
func (c *conn) RemoteAddr() net.Addr { return c.client }
