package daemon

import (
	"bytes"
	"sync/atomic"
)

// follow knows where in a connection's bytes requests begin, without parsing them: where each comes by a read of its
// own, and is a header and nothing else. Of a client for which that was once not so it knows nothing any more.
//
// All calls come from the goroutine that net/http has for the connection, except those of passed for what is read ahead
// of the next request.
type follow struct {
	lost  atomic.Bool
	begun bool   // a request has been read since idle
	ready bool   // idle was called: the time of the first request net/http sets before it reads anything
	asked []byte // the request, if its answer may be remembered
}

// maxAsked is the size in bytes of a request that is remembered: those of programs have 100 to 300.
const maxAsked = 1 << 10

// idle is called when net/http has answered a request and wants the next one.
func (f *follow) idle() { f.begun, f.ready, f.asked = false, true, nil }

// first says whether what is read next begins a request.
func (f *follow) first() bool { return f.ready && !f.begun && !f.lost.Load() }

// passed tells of bytes that net/http gets.
func (f *follow) passed(p []byte) {
	switch {
	case f.lost.Load():
	case len(p) == 1 || f.begun || !isHeader(p):
		f.lost.Store(true)
	default:
		f.begun = true
		if f.ready && len(p) <= maxAsked {
			f.asked = bytes.Clone(p)
		}
	}
}

// isHeader says whether p is one whole header: it ends with its only empty line, and all lines end alike.
func isHeader(p []byte) bool {
	end := []byte("\r\n\r\n")
	return bytes.Index(p, end) == len(p)-len(end) && bytes.Count(p, end[:2]) == bytes.Count(p, end[1:2])
}
