package transfer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Transient is a failure that may pass.
type Transient struct {
	Err  error
	Wait time.Duration // what the server asks for; 0 = nothing
}

func (t *Transient) Error() string { return t.Err.Error() }
func (t *Transient) Unwrap() error { return t.Err }

// Broken is the error of a connection that could not be made or that broke, in an attempt with ctx: a [Transient] unless
// trying again cannot help, as where the server's certificate is wrong or there is no such host. It does not have the URL,
// in which there may be a password.
func Broken(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), ErrStalled) {
		return &Transient{Err: ErrStalled}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var cert *tls.CertificateVerificationError
	var dns *net.DNSError
	if errors.As(err, &cert) || errors.As(err, &dns) && dns.IsNotFound {
		return err
	}
	return &Transient{Err: err}
}

// Refused makes err, about an answer that brings nothing, a [Transient] where the answer's status says that it may pass.
func Refused(resp *http.Response, err error) error {
	if !maySucceedLater(resp.StatusCode) {
		return err
	}
	return &Transient{Err: err, Wait: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
}

func maySucceedLater(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= http.StatusInternalServerError && status != http.StatusNotImplemented && status != http.StatusHTTPVersionNotSupported
}

// retryAfter reads the header of that name: seconds, or a date (RFC 9110, section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(value, 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// VersionMark is what stands for one version of a file, to be sent with If-Range (RFC 9110, section 13.1.5): its ETag, else
// its Last-Modified, else "". A weak ETag cannot: it stands for several.
func VersionMark(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}

// BareURL is u for messages, without user, password, query and fragment.
func BareURL(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}
