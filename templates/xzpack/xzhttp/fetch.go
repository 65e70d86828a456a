package xzhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// fetch reads p at off, in as many attempts as it takes and may. Each goes on where the one before it broke off. accept
// looks at an answer before its body is read, and tells how much of what was asked for is in it.
func (s *Source) fetch(p []byte, off int64, accept acceptFunc) (int, error) {
	n := 0
	for attempt := 0; ; attempt++ {
		m, err := s.attempt(p[n:], off+int64(n), accept)
		n += m
		if err == nil {
			return n, nil
		}
		if s.ctx.Err() != nil {
			return n, context.Cause(s.ctx)
		}
		err = fmt.Errorf("GET %s at byte %d: %w", s.name, off+int64(n), err)
		var t *transientError
		if !errors.As(err, &t) {
			return n, err
		}
		if attempt >= s.opt.Retries {
			return n, fmt.Errorf("%w (attempt %d, the last)", err, attempt+1)
		}
		if t.wait > s.opt.MaxWait {
			return n, fmt.Errorf("%w: the server asks to wait for %v, %v is the longest allowed", err, t.wait, s.opt.MaxWait)
		}
		select {
		case <-s.ctx.Done():
			return n, context.Cause(s.ctx)
		case <-time.After(max(t.wait, s.opt.pause(attempt))):
		}
	}
}

// errStalled ends an attempt that makes no progress.
var errStalled = errors.New("the server sends nothing")

// attempt makes one request.
func (s *Source) attempt(p []byte, off int64, accept acceptFunc) (int, error) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	watch := time.AfterFunc(s.opt.Stall, func() { cancel(errStalled) })
	defer watch.Stop()

	resp, err := s.request(ctx, off, len(p))
	if err != nil {
		return 0, broken(ctx, err)
	}
	defer resp.Body.Close()
	want, err := accept(resp, off, len(p))
	if err != nil {
		return 0, err
	}
	n := 0
	for n < want {
		m, err := resp.Body.Read(p[n:want])
		n += m
		watch.Reset(s.opt.Stall)
		if err != nil && n < want {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return n, broken(ctx, err)
		}
	}
	if resp.ContentLength >= 0 { // the end of the body is here: seeing it lets the connection be used again
		resp.Body.Read(make([]byte, 1)) //nolint:errcheck // there is nothing more to read
	}
	return n, nil
}

func (s *Source) request(ctx context.Context, off int64, n int) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, err
	}
	for k, v := range s.opt.Header {
		req.Header[k] = v
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", off, off+int64(n)-1))
	req.Header.Set("Accept-Encoding", "identity") // offsets are those of the file
	if mark := s.mark(); mark != "" {
		req.Header.Set("If-Range", mark)
	}
	return s.opt.Client.Do(req)
}

// mark is what tells the server which version of the file is meant. A weak ETag cannot: it stands for several.
func (s *Source) mark() string {
	if s.tag != "" && !strings.HasPrefix(s.tag, "W/") {
		return s.tag
	}
	return s.date
}

// broken is the error of a connection that could not be made or that broke.
func broken(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return &transientError{err: errStalled}
	}
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err // the rest repeats the URL
	}
	if hopeless(err) {
		return err
	}
	return &transientError{err: err}
}
