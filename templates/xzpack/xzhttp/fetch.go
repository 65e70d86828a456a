package xzhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/tplkit/tplkit/templates/transfer"
)

// fetch reads p at off, in as many attempts as it takes and may. Each goes on where the one before it broke off. accept
// looks at an answer before its body is read, and tells how much of what was asked for is in it.
func (s *Source) fetch(p []byte, off int64, accept acceptFunc) (int, error) {
	n := 0
	err := s.opt.Policy.Do(s.ctx, func(ctx context.Context, alive func()) (gotOn bool, err error) {
		m, err := s.attempt(ctx, alive, p[n:], off+int64(n), accept)
		n += m
		if err != nil {
			err = fmt.Errorf("GET %s at byte %d: %w", s.name, off+int64(n), err)
		}
		return false, err
	})
	return n, err
}

// attempt makes one request.
func (s *Source) attempt(ctx context.Context, alive func(), p []byte, off int64, accept acceptFunc) (int, error) {
	resp, err := s.request(ctx, off, len(p))
	if err != nil {
		return 0, transfer.Broken(ctx, err)
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
		alive()
		if err != nil && n < want {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return n, transfer.Broken(ctx, err)
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
	if s.mark != "" {
		req.Header.Set("If-Range", s.mark)
	}
	return s.opt.Client.Do(req)
}
