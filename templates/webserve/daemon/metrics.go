package daemon

import (
	"maps"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates/webserve"
)

// Metrics count what a server does, for Prometheus. Labels are few: zone, code, method and reason, whose values
// come from the policy and the program, never from a request. The zero value works.
type Metrics struct {
	inFlight atomic.Int64  // requests being answered
	repeated atomic.Uint64 // requests that were answered as the same bytes had been before

	mu       sync.Mutex
	requests map[requestLabels]uint64
	bytes    map[string]uint64 // by zone
	hangups  map[string]uint64
	denied   map[[2]string]uint64 // by zone and reason
	failures map[string]uint64    // by zone

	accepted   atomic.Uint64
	acceptErrs atomic.Uint64
	refused    [len(refusals)]atomic.Uint64
	cut        [cutRate + 1]atomic.Uint64

	reloads       [2]atomic.Uint64 // failed, done
	policyLoaded  atomic.Int64     // Unix nanoseconds, 0: never
	certReloads   [2]atomic.Uint64
	certExpiry    atomic.Int64 // Unix seconds, 0: no certificate
	lastReloadBad atomic.Bool

	gauges []gauge
	census *census      // of the server, nil before it
	lost   func() int64 // lines the access log could not write, or nil
}

type requestLabels struct {
	zone, method string
	code         int
}

// A gauge is a figure of the caller's.
type gauge struct {
	name, help string
	value      func() (float64, bool)
}

// The reasons why a connection is closed before it is served.
const (
	refusedTotal  = iota // too many connections
	refusedClient        // too many of this client's
	refusedProxy         // no good PROXY header
)

var refusals = [...]string{"total", "client", "proxy-header"}

// Gauge adds a figure of the caller's, with its whole name, as tplkit_repo_published_timestamp_seconds. value is
// called for every scrape; false leaves the figure out. Call it before the server is opened.
func (m *Metrics) Gauge(name, help string, value func() (float64, bool)) {
	m.gauges = append(m.gauges, gauge{name, help, value})
}

// maxSeries bounds every family, whatever the policy is.
const maxSeries = 2000

// Observe counts a request that has ended; give it to [webserve.Options.Observe].
func (m *Metrics) Observe(e *webserve.Event) {
	m.mu.Lock()
	defer m.mu.Unlock()
	count(&m.requests, requestLabels{e.Zone, methodLabel(e.Request), e.Status}, 1)
	count(&m.bytes, e.Zone, uint64(max(e.Bytes, 0)))
	if e.HungUp {
		count(&m.hangups, e.Zone, 1)
	}
	if e.Refused != "" {
		count(&m.denied, [2]string{e.Zone, e.Refused}, 1)
	}
	if e.Err != nil {
		count(&m.failures, e.Zone, 1)
	}
}

func count[K comparable](to *map[K]uint64, k K, n uint64) {
	if *to == nil {
		*to = make(map[K]uint64)
	}
	if _, known := (*to)[k]; known || len(*to) < maxSeries {
		(*to)[k] += n
	}
}

// methodLabel keeps the methods that a client can make up out of the labels.
func methodLabel(r *http.Request) string {
	if r == nil {
		return "other"
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		return r.Method
	}
	return "other"
}

func (m *Metrics) accept()              { m.accepted.Add(1) }
func (m *Metrics) acceptError()         { m.acceptErrs.Add(1) }
func (m *Metrics) refuse(reason int)    { m.refused[reason].Add(1) }
func (m *Metrics) cutOff(why cutReason) { m.cut[why].Add(1) }

// reloaded counts a reload of policy and certificate.
func (m *Metrics) reloaded(ok bool) {
	m.lastReloadBad.Store(!ok)
	if !ok {
		m.reloads[0].Add(1)
		return
	}
	m.reloads[1].Add(1)
	m.policyLoaded.Store(time.Now().UnixNano())
}

// certificate counts a certificate that was read, or could not be.
func (m *Metrics) certificate(ok bool, expiry time.Time) {
	if !ok {
		m.certReloads[0].Add(1)
		return
	}
	m.certReloads[1].Add(1)
	m.certExpiry.Store(expiry.Unix())
}

// loaded notes when the first policy is in force.
func (m *Metrics) loaded() { m.policyLoaded.Store(time.Now().UnixNano()) }

// attach shows the figures of a server.
func (m *Metrics) attach(c *census, log *AccessLog) {
	m.census = c
	if log != nil {
		m.lost = log.Lost
	}
}

// requestTables are copies of what Observe counts.
type requestTables struct {
	requests                 map[requestLabels]uint64
	bytes, hangups, failures map[string]uint64
	denied                   map[[2]string]uint64
}

func (m *Metrics) tables() requestTables {
	m.mu.Lock()
	defer m.mu.Unlock()
	return requestTables{maps.Clone(m.requests), maps.Clone(m.bytes), maps.Clone(m.hangups), maps.Clone(m.failures), maps.Clone(m.denied)}
}
