package webserve

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strconv"
	"syscall"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
	"github.com/tplkit/tplkit/templates/webserve/internal/webpath"
)

// exchange is one request with its answer.
type exchange struct {
	h      *Handler
	policy *policy
	r      *http.Request
	w      writer
	ev     Event
}

// Values of headers that many answers share. Nobody changes them in place.
var (
	noSniff = []string{"nosniff"}
	allowed = []string{"GET, HEAD"}
)

// serve decides, in an order that lets nobody learn more than he may: what
// concerns every path first, then who asks, and the disk last.
func (x *exchange) serve() {
	x.w.Header()["X-Content-Type-Options"] = noSniff
	if x.r.Method != http.MethodGet && x.r.Method != http.MethodHead {
		x.w.Header()["Allow"] = allowed
		x.refuse(http.StatusMethodNotAllowed, RefusedMethod)
		return
	}
	if x.r.ContentLength != 0 {
		// The server would read a body to its end for the sake of the connection.
		x.w.Header().Set("Connection", "close")
		status := http.StatusRequestEntityTooLarge
		if x.r.ContentLength < 0 {
			status = http.StatusBadRequest // not declared: two servers may see two ends
		}
		x.refuse(status, RefusedBody)
		return
	}
	p, err := webpath.Clean(x.r.URL.EscapedPath())
	if err != nil {
		x.refuse(http.StatusBadRequest, RefusedPath)
		return
	}
	x.identify()
	if p.Name == "" {
		x.listZones()
		return
	}
	name, rest := p.Zone()
	z := x.policy.zones[name]
	if z != nil {
		x.ev.Zone = name
	}
	if d := x.policy.acl.Decide(name, x.ev.Client); !d.Allowed || z == nil {
		status := x.policy.denied
		if z == nil {
			status = http.StatusNotFound // not a zone at all, for nobody
		}
		x.refuse(status, d.Reason)
		return
	}
	if p.Hidden() {
		x.refuse(http.StatusNotFound, RefusedHidden)
		return
	}
	x.find(z, p, rest)
}

// identify finds out who is asking.
func (x *exchange) identify() {
	if ap, err := netip.ParseAddrPort(x.r.RemoteAddr); err == nil {
		x.ev.Peer = ap.Addr().Unmap().WithZone("")
	} else if a, err := netip.ParseAddr(x.r.RemoteAddr); err == nil {
		x.ev.Peer = a.Unmap().WithZone("") // some middleware leaves the port out
	}
	if client, err := x.policy.acl.Client(x.ev.Peer, x.r.Header); err == nil {
		x.ev.Client = client
	}
}

// find opens what the path names and sends it.
func (x *exchange) find(z *zone, p webpath.Path, rest string) {
	x.w.cache = cacheDefault
	if z.private {
		x.w.cache = cachePrivate
	}
	f, err := x.h.open(z.dir, rest, p.Dir)
	if err != nil {
		x.failed(err)
		return
	}
	defer f.Close()
	switch {
	case !f.Info().Mode.IsDir():
		x.file(z, rest, f)
	case !p.Dir:
		x.moved(p.Redirect())
	default:
		x.list(z, p, rest, f)
	}
}

// moved leads to a relative address, where a directory is listed.
func (x *exchange) moved(to string) {
	if q := x.r.URL.RawQuery; q != "" {
		to += "?" + q
	}
	x.w.Header().Set("Location", to)
	x.answer(http.StatusMovedPermanently)
}

// failed answers for a file that could not be opened.
func (x *exchange) failed(err error) {
	switch tree.KindOf(err) {
	case tree.Missing:
		x.answer(http.StatusNotFound)
	case tree.Special:
		x.refuse(http.StatusNotFound, RefusedSpecial)
	case tree.Unreadable:
		x.refuse(http.StatusForbidden, RefusedMode)
	case tree.Busy:
		x.ev.Err = x.about(err)
		// Not all at once again.
		x.w.Header().Set("Retry-After", strconv.Itoa(2+rand.IntN(4)))
		x.refuse(http.StatusServiceUnavailable, RefusedBusy)
	default:
		x.ev.Err = x.about(err)
		x.answer(http.StatusInternalServerError)
	}
}

// about puts the path of the request in front of an error.
func (x *exchange) about(err error) error {
	return fmt.Errorf("%s: %w", templates.Quote(x.r.URL.Path), err)
}

// refuse answers with an error and tells the observer why.
func (x *exchange) refuse(status int, reason string) {
	x.ev.Refused = reason
	x.answer(status)
}

// answer sends a status with its name as the body: the same whoever asks and
// whatever is there.
func (x *exchange) answer(status int) {
	body := strconv.Itoa(status) + " " + http.StatusText(status) + "\n"
	h := x.w.Header()
	h["Content-Type"] = typeText
	h.Set("Content-Length", strconv.Itoa(len(body)))
	x.w.WriteHeader(status)
	if !x.w.head {
		_, _ = x.w.Write([]byte(body)) // the writer remembers the error
	}
}

// observe completes the event and hands it over.
func (x *exchange) observe() {
	ev := &x.ev
	ev.Duration = x.h.now().Sub(ev.Time)
	ev.Status, ev.Bytes = x.w.status, x.w.sent
	if ev.Status == http.StatusRequestedRangeNotSatisfiable {
		ev.Refused = RefusedRange
	}
	if x.w.short() && ev.Err == nil {
		switch {
		case ours(x.w.err):
			ev.Err = x.about(x.w.err)
		case x.w.err == nil && x.r.Context().Err() == nil:
			ev.Err = x.about(errors.New("the file became shorter while it was sent"))
		default:
			ev.HungUp = true
		}
	}
	x.h.opt.Observe(ev)
}

// ours says whether an error of sending comes from the file and not from the
// connection.
func ours(err error) bool {
	for _, n := range []syscall.Errno{syscall.EIO, syscall.ENXIO, syscall.ESTALE, syscall.EOVERFLOW} {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}
