package daemon

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// WriteTo writes all figures in Prometheus' text format, version 0.0.4, in a fixed order.
func (m *Metrics) WriteTo(w io.Writer) (int64, error) {
	var t promText
	m.writeRequests(&t)
	m.writeConnections(&t)
	m.writeReloads(&t)
	for _, g := range m.gauges {
		if v, ok := g.value(); ok {
			t.one("gauge", g.name, g.help, v)
		}
	}
	writeProcess(&t)
	return t.buf.WriteTo(w)
}

func (m *Metrics) writeRequests(t *promText) {
	d := m.tables()
	t.family("counter", "tplkit_http_requests_total", "Requests that have ended, by the status that was sent.")
	for _, k := range slices.SortedFunc(maps.Keys(d.requests), func(a, b requestLabels) int {
		return cmp.Or(cmp.Compare(a.zone, b.zone), cmp.Compare(a.code, b.code), cmp.Compare(a.method, b.method))
	}) {
		t.sample(float64(d.requests[k]), "zone", k.zone, "code", strconv.Itoa(k.code), "method", k.method)
	}
	byZone := func(name, help string, of map[string]uint64) {
		t.family("counter", name, help)
		for _, zone := range slices.Sorted(maps.Keys(of)) {
			t.sample(float64(of[zone]), "zone", zone)
		}
	}
	byZone("tplkit_http_response_bytes_total", "Bytes of bodies that were sent.", d.bytes)
	byZone("tplkit_http_hangups_total", "Requests whose client went away or was cut before the end.", d.hangups)
	byZone("tplkit_http_failures_total", "Requests that failed on the server's side.", d.failures)
	t.family("counter", "tplkit_http_denied_total", "Requests that were refused.")
	for _, k := range slices.SortedFunc(maps.Keys(d.denied), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	}) {
		t.sample(float64(d.denied[k]), "zone", k[0], "reason", k[1])
	}
	t.one("counter", "tplkit_http_repeated_total", "Requests for small files that were answered from memory, as the same bytes had been before.", float64(m.repeated.Load()))
	t.one("gauge", "tplkit_http_requests_in_flight", "Requests that are being answered.", float64(m.inFlight.Load()))
}

func (m *Metrics) writeConnections(t *promText) {
	if m.census != nil {
		t.one("gauge", "tplkit_connections_open", "Connections that are open.", float64(m.census.open()))
	}
	t.one("counter", "tplkit_connections_accepted_total", "Connections that were accepted.", float64(m.accepted.Load()))
	t.family("counter", "tplkit_connections_refused_total", "Connections that were closed at once: too many, too many of one client, no good PROXY header.")
	for i, reason := range refusals {
		t.sample(float64(m.refused[i].Load()), "reason", reason)
	}
	t.family("counter", "tplkit_connections_cut_total", "Connections whose client took nothing, or too little.")
	for r := cutIdle; r <= cutRate; r++ {
		t.sample(float64(m.cut[r].Load()), "reason", r.String())
	}
	t.one("counter", "tplkit_accept_errors_total", "Failures to accept a connection, as without free descriptors.", float64(m.acceptErrs.Load()))
}

func (m *Metrics) writeReloads(t *promText) {
	outcomes := func(name, help string, of func(i int) uint64) {
		t.family("counter", name, help)
		for i, outcome := range []string{"failed", "done"} {
			t.sample(float64(of(i)), "outcome", outcome)
		}
	}
	outcomes("tplkit_reloads_total", "Reloads of policy and certificate.", func(i int) uint64 { return m.reloads[i].Load() })
	bad := 0.0
	if m.lastReloadBad.Load() {
		bad = 1
	}
	t.one("gauge", "tplkit_last_reload_failed", "1 where what is in force is not what the files say.", bad)
	if at := m.policyLoaded.Load(); at != 0 {
		t.one("gauge", "tplkit_policy_loaded_timestamp_seconds", "When the policy in force was read.", float64(at)/1e9)
	}
	outcomes("tplkit_certificate_reads_total", "Certificates that were read, at the start and when their files changed.",
		func(i int) uint64 { return m.certReloads[i].Load() })
	if at := m.certExpiry.Load(); at != 0 {
		t.one("gauge", "tplkit_certificate_expiry_timestamp_seconds", "When the certificate in force ends.", float64(at))
	}
	if m.lost != nil {
		t.one("counter", "tplkit_access_log_lost_total", "Lines that the access log could not write.", float64(m.lost()))
	}
}

// promText collects samples in the text format.
type promText struct {
	buf  bytes.Buffer
	name string
}

func (t *promText) family(kind, name, help string) {
	t.name = name
	fmt.Fprintf(&t.buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// labelEscapes are all that the format knows; labels here have no other control characters.
var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample adds a value with labels, given as name and value in turn.
func (t *promText) sample(v float64, labels ...string) {
	t.buf.WriteString(t.name)
	for i := 0; i < len(labels); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&t.buf, "%s%s=\"%s\"", sep, labels[i], labelEscapes.Replace(labels[i+1]))
	}
	if len(labels) > 0 {
		t.buf.WriteByte('}')
	}
	fmt.Fprintf(&t.buf, " %s\n", strconv.FormatFloat(v, 'f', -1, 64))
}

func (t *promText) one(kind, name, help string, v float64) {
	t.family(kind, name, help)
	t.sample(v)
}
