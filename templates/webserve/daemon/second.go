package daemon

import (
	"net/http"
	"sync/atomic"
	"time"
)

// Times that are written once and again within a second. To write one takes as much as a small answer's log line.
var (
	httpDate = second{layout: http.TimeFormat}
	logTime  = second{layout: "02/Jan/2006:15:04:05 -0700"}
)

// second writes times in a layout of whole seconds, and remembers the last one.
type second struct {
	layout string
	last   atomic.Pointer[writtenSecond]
}

type writtenSecond struct {
	unix int64
	in   *time.Location
	text string
}

// text is t in the layout.
func (s *second) text(t time.Time) string {
	unix, in := t.Unix(), t.Location()
	if w := s.last.Load(); w != nil && w.unix == unix && w.in == in {
		return w.text
	}
	w := &writtenSecond{unix, in, t.Format(s.layout)}
	s.last.Store(w)
	return w.text
}
