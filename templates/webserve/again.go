package webserve

import (
	"context"
	"net/http"
	"net/netip"
	"slices"

	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
)

// A Repeater is a [Holder] that gives an answer again, to a request of the very
// same bytes, without parsing it and without the handler. It must do so only where
// this handler is the first one: what others in front of it decide would be
// decided once and for all.
type Repeater interface {
	Holder
	// Repeat offers that for the answer that is released next. How to find out
	// whether the answer is still what it was is told by again, which may be called
	// until then.
	Repeat(again func() *Again)
}

// Again asks for what was asked before. It is safe for concurrent use.
type Again struct {
	h       *Handler
	policy  uint64 // its number: an old one is not kept for the sake of its answers
	zone    *zone
	rest    string
	kept    *tree.Kept
	info    tree.Info
	fact    fact
	request *http.Request
}

// repeat offers the connection to give the answer with a file again. It may be
// another one the next time though the file is the same while that is young, and
// where its date has yet to come. Requests for parts and for what has changed name
// what the client has, and do not come again.
func (x *exchange) repeat(z *zone, rest string, f *tree.File, told fact) {
	repeater := x.w.cork.repeater()
	kept, info := f.Kept(), f.Info()
	if repeater == nil || kept == nil || x.w.head || young(info, x.ev.Time) || modTime(info, x.ev.Time).IsZero() {
		return
	}
	for _, name := range []string{headerRange, "If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
		if x.r.Header[name] != nil {
			return
		}
	}
	repeater.Repeat(func() *Again {
		// Nothing of the connection is kept with the request.
		return &Again{x.h, x.policy.number, z, rest, kept, info, told, x.r.WithContext(context.Background())}
	})
}

// Ask decides anew for a peer. If the answer is still what it was it returns the
// event, to be completed by [Again.Answered].
func (a *Again) Ask(peer netip.Addr) (*Event, bool) {
	policy := a.h.policy.Load()
	if policy.number != a.policy {
		return nil, false
	}
	ev := &Event{Time: a.h.now(), Peer: peer, Zone: a.zone.name, Status: http.StatusOK}
	if client, err := policy.acl.Client(peer, a.request.Header); err == nil {
		ev.Client = client
	}
	if !policy.acl.Decide(a.zone.name, ev.Client).Allowed || !a.zone.dir.Still(a.kept) {
		return nil, false
	}
	if told := a.h.fact(a.zone, a.rest, a.info); told.immutable != a.fact.immutable || !slices.Equal(told.digest, a.fact.digest) {
		return nil, false
	}
	return ev, true
}

// Answered tells the observer of so many bytes of the body, and that the client
// went away if there is an error.
func (a *Again) Answered(ev *Event, r *http.Request, bytes int64, err error) {
	if a.h.opt.Observe == nil {
		return
	}
	ev.Request, ev.Bytes, ev.HungUp = r, bytes, err != nil
	ev.Duration = a.h.now().Sub(ev.Time)
	a.h.opt.Observe(ev)
}

// Body is what the answer consists of beside its header. Nobody may change it.
func (a *Again) Body() []byte { return a.kept.Content() }

// Request is the request whose answer is given again.
func (a *Again) Request() *http.Request { return a.request }
