package imagespec

import (
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// maxRetryAfter is the longest that a server's Retry-After is heeded.
const maxRetryAfter = time.Minute

// transientError is a failure that may pass.
type transientError struct {
	err  error
	wait time.Duration // what the server asks for
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

// hopeless tells of a failure to connect that trying again does not help.
func hopeless(err error) bool {
	var cert *tls.CertificateVerificationError
	var dns *net.DNSError
	return errors.As(err, &cert) || errors.As(err, &dns) && dns.IsNotFound
}

// maySucceedLater tells of an answer that trying again may help.
func maySucceedLater(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(value, 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// pause is how long to wait before another attempt: half a second, doubled each
// time up to 16, and up to half as much more, so that many do not come back all
// at once.
func pause(attempt int) time.Duration {
	d := 500 * time.Millisecond << min(attempt, 5)
	return d + rand.N(d/2)
}
