package webserve

import (
	"net/http"
	"net/netip"
	"time"
)

// Event is one request, for logs and metrics.
type Event struct {
	Request  *http.Request
	Time     time.Time     // when it reached the handler
	Duration time.Duration // until the answer was handed over, or given up

	Peer   netip.Addr // the other end of the connection; invalid if it has no address
	Client netip.Addr // who is asking, as the policy derives it; invalid if unknown

	Zone    string // one that the policy names; "" for the top and for everything else
	Refused string // "" or why nothing was served: one of the Refused constants or a reason of package acl

	Status int   // as sent
	Bytes  int64 // of the body, as sent

	// HungUp says that the client went away, or was cut off for being too slow,
	// before the whole body was sent. That is normal: lago opens an image, closes
	// it unread and opens it again. Status stays what was sent.
	HungUp bool

	// Err is what went wrong on this side, as a disk that cannot be read; nil for
	// everything a client can cause.
	Err error
}

// Why a request was refused, in [Event.Refused], beside the reasons of package
// acl. They are few and constant, so that they can label a metric.
const (
	RefusedMethod  = "method"     // neither GET nor HEAD: 405
	RefusedBody    = "body"       // a request with a body: 413, or 400 where its length is not declared
	RefusedPath    = "path"       // a path that would have to be repaired: 400
	RefusedHidden  = "hidden"     // a name that is never served, as one with a dot in front: 404
	RefusedSpecial = "special"    // a symbolic link, fifo, socket or device, or another file system: 404
	RefusedMode    = "unreadable" // the server may not read it: 403
	RefusedListing = "listing"    // [Options.NoListing]: 403
	RefusedRange   = "range"      // no byte of it exists: 416
	RefusedBusy    = "busy"       // out of descriptors or memory: 503
)
