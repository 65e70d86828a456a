package transfer_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/transfer"
)

var errPassing = &transfer.Transient{Err: errors.New("busy")}

// atOnce waits for nothing.
var atOnce = transfer.Policy{Pause: func(int) time.Duration { return 0 }}

func TestAttempts(t *testing.T) {
	for name, c := range map[string]struct {
		retries int
		gotOn   bool
		until   int // attempt that succeeds
		want    int // attempts
		err     string
	}{
		"at once":                {until: 1, want: 1},
		"by default five":        {until: 5, want: 5},
		"six are too many":       {until: 6, want: 5, err: "busy (attempt 5, the last)"},
		"none":                   {retries: -1, until: 2, want: 1, err: "busy (attempt 1, the last)"},
		"anew after getting on":  {retries: 1, gotOn: true, until: 20, want: 20},
		"one is not two retries": {retries: 1, until: 3, want: 2, err: "busy (attempt 2, the last)"},
	} {
		t.Run(name, func(t *testing.T) {
			p, n := atOnce, 0
			p.Retries = c.retries
			err := p.Do(t.Context(), func(context.Context, func()) (bool, error) {
				if n++; n == c.until {
					return false, nil
				}
				return c.gotOn, fmt.Errorf("GET x: %w", errPassing)
			})
			require.Equal(t, c.want, n)
			if c.err == "" {
				require.NoError(t, err)
				return
			}
			require.EqualError(t, err, "GET x: "+c.err)
		})
	}
}

func TestOtherFailuresAreFinal(t *testing.T) {
	n := 0
	err := atOnce.Do(t.Context(), func(context.Context, func()) (bool, error) { n++; return false, io.ErrClosedPipe })
	require.ErrorIs(t, err, io.ErrClosedPipe)
	require.Equal(t, 1, n)
}

func TestServerMayAskToWait(t *testing.T) {
	p, n := atOnce, 0
	start := time.Now()
	require.NoError(t, p.Do(t.Context(), func(context.Context, func()) (bool, error) {
		if n++; n == 2 {
			return false, nil
		}
		return false, &transfer.Transient{Err: errPassing, Wait: 50 * time.Millisecond}
	}))
	require.GreaterOrEqual(t, time.Since(start), 50*time.Millisecond)
	p.MaxWait = time.Second
	err := p.Do(t.Context(), func(context.Context, func()) (bool, error) {
		return false, &transfer.Transient{Err: errPassing, Wait: time.Hour}
	})
	require.EqualError(t, err, "busy: the server asks to wait for 1h0m0s, 1s is the longest allowed: try later")
}

func TestSilentServers(t *testing.T) {
	p, n := atOnce, 0
	p.Stall, p.Retries = 20*time.Millisecond, 1
	err := p.Do(t.Context(), func(ctx context.Context, _ func()) (bool, error) {
		n++
		<-ctx.Done()
		return false, transfer.Broken(ctx, ctx.Err())
	})
	require.ErrorIs(t, err, transfer.ErrStalled)
	require.Equal(t, 2, n)

	p.Stall = 200 * time.Millisecond
	require.NoError(t, p.Do(t.Context(), func(ctx context.Context, alive func()) (bool, error) {
		for range 10 { // longer than Stall in all
			time.Sleep(30 * time.Millisecond)
			alive()
		}
		return false, ctx.Err()
	}), "slow, but steady")
}

func TestCancelling(t *testing.T) {
	cause := errors.New("the operator pressed Ctrl-C")
	for name, try := range map[string]transfer.Attempt{
		"while it tries": func(ctx context.Context, _ func()) (bool, error) { <-ctx.Done(); return false, ctx.Err() },
		"while it waits": func(context.Context, func()) (bool, error) { return false, errPassing },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
			p := transfer.Policy{Pause: func(int) time.Duration { return time.Hour }}
			require.ErrorIs(t, p.Do(ctx, try), cause)
		})
	}
}

func TestBroken(t *testing.T) {
	for name, c := range map[string]struct {
		err       error
		transient bool
	}{
		"reset":           {&url.Error{URL: "http://user:password@host", Err: io.ErrUnexpectedEOF}, true},
		"bad certificate": {&url.Error{Err: &tls.CertificateVerificationError{Err: io.EOF}}, false},
		"no such host":    {&url.Error{Err: &net.DNSError{Err: "no such host", IsNotFound: true}}, false},
		"DNS is down":     {&url.Error{Err: &net.DNSError{Err: "timeout", IsTimeout: true}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			err := transfer.Broken(t.Context(), c.err)
			var passing *transfer.Transient
			require.Equal(t, c.transient, errors.As(err, &passing))
			require.NotContains(t, err.Error(), "password")
			require.ErrorIs(t, err, errors.Unwrap(c.err))
		})
	}
}

func TestRefused(t *testing.T) {
	resp := &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"3"}}}
	var passing *transfer.Transient
	require.ErrorAs(t, transfer.Refused(resp, io.EOF), &passing)
	require.Equal(t, 3*time.Second, passing.Wait)
	resp.StatusCode = 404
	require.Equal(t, io.EOF, transfer.Refused(resp, io.EOF))
}

func TestVersionMark(t *testing.T) {
	for want, h := range map[string]http.Header{
		`"1"`: {"Etag": {`"1"`}, "Last-Modified": {"yesterday"}}, "yesterday": {"Etag": {`W/"1"`}, "Last-Modified": {"yesterday"}}, "": {},
	} {
		require.Equal(t, want, transfer.VersionMark(h))
	}
}
