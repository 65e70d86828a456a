package daemon_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

var (
	promName   = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	promSample = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? ([-+0-9.eE]+|NaN|[+-]Inf)$`)
)

// lint reads the text format by its rules: every family has one HELP and one TYPE before its samples and is in one
// piece, no sample comes twice, counters end in _total, the text ends in a newline. It gives the samples.
func lint(t *testing.T, text string) map[string]float64 {
	t.Helper()
	require.True(t, strings.HasSuffix(text, "\n"))
	out := make(map[string]float64)
	seen := make(map[string]bool)
	family, kind := "", ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			require.Regexp(t, promName, name)
			require.NotEmpty(t, help)
			require.False(t, seen[name], "%s comes twice", name)
			seen[name], family, kind = true, name, ""
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, k, _ := strings.Cut(rest, " ")
			require.Equal(t, family, name)
			require.Empty(t, kind)
			require.Contains(t, []string{"counter", "gauge"}, k)
			require.Equal(t, k == "counter", strings.HasSuffix(name, "_total"), name)
			kind = k
			continue
		}
		m := promSample.FindStringSubmatch(line)
		require.NotNil(t, m, "%q", line)
		require.Equal(t, family, m[1])
		require.NotEmpty(t, kind)
		v, err := strconv.ParseFloat(m[3], 64)
		require.NoError(t, err)
		if kind == "counter" {
			require.GreaterOrEqual(t, v, 0.0)
		}
		key := line[:strings.LastIndex(line, " ")]
		require.NotContains(t, out, key)
		out[key] = v
	}
	return out
}

func TestMetrics(t *testing.T) {
	m := new(daemon.Metrics)
	m.Gauge("tplkit_repo_published_timestamp_seconds", "When repo.metadata was written.", func() (float64, bool) { return 1.5e9, true })
	m.Gauge("tplkit_unknown", "Is not known.", func() (float64, bool) { return 0, false })
	for range 3 {
		m.Observe(event(nil))
	}
	m.Observe(event(func(e *webserve.Event) { e.HungUp = true }))
	m.Observe(event(func(e *webserve.Event) { e.Zone, e.Refused, e.Status = "kubevirt", "not in the allow-list", 403 }))
	m.Observe(event(func(e *webserve.Event) { e.Request.Method = "BREW\n\"" }))
	m.Observe(event(func(e *webserve.Event) { e.Request = nil }))
	m.Observe(event(func(e *webserve.Event) { e.Zone = "a\"b\\c\nd"; e.Err = errors.New("x") }))
	pair := newPair(t, "x")
	s := start(t, whoAsks, daemon.Options{Metrics: m, CertFile: pair.certFile, KeyFile: pair.keyFile, Admin: "127.0.0.1:0"})
	got := lint(t, get(t, s.AdminAddr()+"/metrics"))
	for sample, want := range map[string]float64{
		`tplkit_http_requests_total{zone="repo",code="206",method="GET"}`:          4,
		`tplkit_http_requests_total{zone="repo",code="206",method="other"}`:        2,
		`tplkit_http_requests_total{zone="kubevirt",code="403",method="GET"}`:      1,
		`tplkit_http_denied_total{zone="kubevirt",reason="not in the allow-list"}`: 1,
		`tplkit_http_hangups_total{zone="repo"}`:                                   1,
		`tplkit_http_response_bytes_total{zone="repo"}`:                            600,
		`tplkit_http_failures_total{zone="a\"b\\c\nd"}`:                            1,
		`tplkit_http_requests_in_flight`:                                           0,
		`tplkit_connections_refused_total{reason="total"}`:                         0,
		`tplkit_connections_cut_total{reason="rate"}`:                              0,
		`tplkit_certificate_reads_total{outcome="done"}`:                           1,
		`tplkit_repo_published_timestamp_seconds`:                                  1.5e9,
		`go_info{version="` + runtime.Version() + `"}`:                             1,
	} {
		require.Contains(t, got, sample)
		require.InDelta(t, want, got[sample], 0, sample)
	}
	require.NotContains(t, got, "tplkit_unknown")
	require.InDelta(t, float64(time.Now().Unix()), got["tplkit_policy_loaded_timestamp_seconds"], 60)
	require.Greater(t, got["tplkit_certificate_expiry_timestamp_seconds"], float64(time.Now().Unix()))
	require.Positive(t, got["go_goroutines"])
	if runtime.GOOS == "linux" {
		require.Greater(t, got["process_open_fds"], 3.0)
		require.Greater(t, got["process_max_fds"], got["process_open_fds"])
		require.Greater(t, got["process_resident_memory_bytes"], 1e6)
	}
}

// Whatever comes, the number of series stays bounded.
func TestMetricsAreBounded(t *testing.T) {
	m := new(daemon.Metrics)
	for i := range 10_000 {
		m.Observe(event(func(e *webserve.Event) {
			e.Request = &http.Request{Method: fmt.Sprint("M", i)}
			e.Zone = fmt.Sprint("zone", i)
		}))
	}
	var b bytes.Buffer
	_, err := m.WriteTo(&b)
	require.NoError(t, err)
	require.Less(t, len(lint(t, b.String())), 4100)
}
