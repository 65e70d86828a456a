package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/internal/recent"
)

// repeats are answers with small files, by the request that they answer: all of its bytes, so that nothing is understood
// in another way than net/http did. CI nodes ask for the same indexes and sidecars again and again, and with these most
// of the work is to parse requests and to write headers. Whether an answer is still right the handler is asked each time.
type repeats struct {
	metrics   *Metrics
	keepAlive time.Duration

	// asked are hashes of requests that came once: what comes once only, for a header of its own like X-Request-Id, is
	// not worth remembering. One that is forgotten costs a repetition.
	asked [1 << 10]atomic.Uint64
	seed  maphash.Seed

	known recent.Map[repeated]
}

func newRepeats(metrics *Metrics, keepAlive time.Duration) *repeats {
	return &repeats{metrics: metrics, keepAlive: keepAlive, seed: maphash.MakeSeed(), known: recent.Map[repeated]{Limit: maxRepeats}}
}

// repeating is what a connection needs for that.
type repeating struct {
	follow
	repeats *repeats               // nil: no answer is given again
	again   func() *webserve.Again // of the answer that is released next, if it is to be remembered
	asking  *http.Request          // that net/http has not seen, as it would have
	same    *http.Request          // the one that asking is like
}

// idle is called when net/http wants the next request.
func (r *repeating) idle() {
	r.follow.idle()
	r.again = nil
}

// Repeat has the answer that is released next remembered, if the request is known byte for byte and has come before.
func (r *repeating) Repeat(again func() *webserve.Again) {
	if r.repeats != nil && r.asked != nil && !r.lost.Load() && r.repeats.seen(r.asked) {
		r.again = again
	}
}

// released has an answer remembered.
func (r *repeating) released(answer []byte) {
	if r.again != nil {
		r.repeats.learn(r.asked, answer, r.again)
		r.again = nil
	}
}

// repeated is an answer, taken apart where the date stands.
type repeated struct {
	again         *webserve.Again
	before, after []byte
	body          []byte // again's
}

const (
	maxRepeats = 4 << 20 // bytes of requests and answers that are remembered
	// besideRepeated is what one takes beside its bytes, the request with its header for the log above all.
	besideRepeated = 4 << 10
)

// seen tells whether a request came before, or one of the same hash; the next like it has.
func (r *repeats) seen(asked []byte) bool {
	h := maphash.Bytes(r.seed, asked)
	return r.asked[h%uint64(len(r.asked))].Swap(h) == h
}

// learn remembers an answer, if it is a whole one that says nothing about the connection.
func (r *repeats) learn(asked, answer []byte, again func() *webserve.Again) {
	a := splitAnswer(answer)
	if a == nil {
		return
	}
	a.again = again()
	body := a.again.Body()
	if !bytes.Equal(a.body, body) {
		return
	}
	a.body = body
	r.known.Put(string(asked), a, len(asked)+len(a.before)+len(a.after)+len(a.body)+besideRepeated)
}

// splitAnswer takes an answer apart that is whole, and says nothing of the connection; nil if it is not. The body
// is a part of answer.
func splitAnswer(answer []byte) *repeated {
	const date = "\r\nDate: "
	end := bytes.Index(answer, []byte("\r\n\r\n"))
	if end < 0 {
		return nil
	}
	head, body := answer[:end+2], answer[end+4:] // every line with its end
	at := bytes.Index(head, []byte(date))
	if at < 0 || !bytes.HasPrefix(head, []byte("HTTP/1.1 200 OK\r\n")) || bytes.Contains(head, []byte("\r\nConnection: ")) ||
		!bytes.Contains(head, fmt.Appendf(nil, "\r\nContent-Length: %d\r\n", len(body))) {
		return nil
	}
	at += len(date)
	rest := answer[at:]
	return &repeated{before: bytes.Clone(answer[:at]), after: bytes.Clone(rest[bytes.IndexByte(rest, '\r') : len(rest)-len(body)]), body: body}
}

// answer answers a request if it is known, and still to be answered like that.
func (r *repeats) answer(c *conn, asked []byte) (done bool, err error) {
	a := r.known.GetBytes(asked)
	if a == nil {
		return false, nil
	}
	ev, ok := a.again.Ask(addrOf(c.client))
	if !ok {
		r.known.Drop(string(asked), a)
		return false, nil
	}
	if !c.ending.begin() {
		return false, nil
	}
	r.metrics.repeated.Add(1)
	r.metrics.inFlight.Add(1)
	defer r.metrics.inFlight.Add(-1)
	sent, err := c.send(a, httpDate.text(ev.Time.UTC()))
	a.again.Answered(ev, c.asks(a.again.Request()), sent, err)
	if c.ending.end() {
		return true, errors.Join(net.ErrClosed, c.Close())
	}
	if err != nil {
		return true, err
	}
	return true, c.SetReadDeadline(time.Now().Add(r.keepAlive)) // as net/http does it between two requests
}

// send sends an answer, and tells how many bytes of its body have gone.
func (c *conn) send(a *repeated, date string) (int64, error) {
	room := holdBuffers.Get().(*[]byte)
	defer holdBuffers.Put(room)
	out := append(append(append(append((*room)[:0], a.before...), date...), a.after...), a.body...)
	*room = out[:0]
	n, err := c.Write(out)
	return int64(max(0, n-(len(out)-len(a.body)))), err
}

// asks is r as if it had come by c.
func (c *conn) asks(r *http.Request) *http.Request {
	if c.same != r {
		ctx := context.WithValue(context.Background(), connKey{}, c)
		c.same, c.asking = r, r.WithContext(ctx)
		c.asking.RemoteAddr = c.client.String()
	}
	return c.asking
}
