package transfer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPausesGrow(t *testing.T) {
	for attempt, least := range []time.Duration{500, 1000, 2000, 4000, 8000, 16000, 16000, 16000} {
		least *= time.Millisecond
		d := pause(attempt)
		require.GreaterOrEqual(t, d, least)
		require.Less(t, d, least+least/2)
	}
	require.Positive(t, pause(1000))
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "x": 0, "99999999999": 0,
		"Fri, 02 Jan 2026 03:04:35 GMT": 30 * time.Second, "Thu, 01 Jan 2026 03:04:35 GMT": 0,
	} {
		require.Equal(t, want, retryAfter(value, now), value)
	}
}

func TestStatusesThatPass(t *testing.T) {
	for status, want := range map[int]bool{
		400: false, 403: false, 404: false, 408: true, 410: false, 425: true, 429: true, 500: true, 501: false, 502: true,
		503: true, 504: true, 505: false, 507: true,
	} {
		require.Equal(t, want, maySucceedLater(status), status)
	}
}
