package xzhttp

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/tplkit/tplkit/templates/transfer"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// acceptFunc looks at the answer to a request for n bytes at off and tells how many of them it brings.
type acceptFunc func(resp *http.Response, off int64, n int) (int, error)

// learn takes from the first answer what there is to know about the file. The one asked for may be shorter than n bytes.
func (s *Source) learn(resp *http.Response, off int64, n int) (int, error) {
	if s.size > 0 { // another attempt: the one before it broke off
		return s.check(resp, off, int(min(int64(n), s.size-off)))
	}
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK:
		if resp.ContentLength == 0 {
			return 0, nil // there is no part of an empty file
		}
		return 0, fmt.Errorf("%w: expected status 206, found %s", ErrNoRanges, resp.Status)
	case http.StatusRequestedRangeNotSatisfiable:
		if resp.Header.Get("Content-Range") == "bytes */0" {
			return 0, nil
		}
		fallthrough
	default:
		return 0, refused(resp)
	}
	from, to, size, err := contentRange(resp)
	if err != nil {
		return 0, err
	}
	end := min(off+int64(n), size)
	if from != off || to != end-1 {
		return 0, wrongRange(resp, off, end)
	}
	s.size, s.tag, s.date, s.mark = size, resp.Header.Get("ETag"), resp.Header.Get("Last-Modified"), transfer.VersionMark(resp.Header)
	return int(end - off), nil
}

// check holds an answer against what was asked for and what was learned.
func (s *Source) check(resp *http.Response, off int64, n int) (int, error) {
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK, http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return 0, fmt.Errorf("the file %w: expected the bytes %d-%d of the version opened, found status %s: open it again",
			xzpack.ErrChanged, off, off+int64(n)-1, resp.Status)
	default:
		return 0, refused(resp)
	}
	from, to, size, err := contentRange(resp)
	if err != nil {
		return 0, err
	}
	changed := func(what string, want, found any) error {
		return fmt.Errorf("the file %w: expected %s %v, found %v: open it again", xzpack.ErrChanged, what, want, found)
	}
	tag, date := resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	switch {
	case size != s.size:
		return 0, changed("a length of", s.size, size)
	case tag != "" && s.tag != "" && tag != s.tag:
		return 0, changed("the ETag", s.tag, tag)
	case date != "" && s.date != "" && date != s.date:
		return 0, changed("the modification of", s.date, date)
	case from != off || to != off+int64(n)-1:
		return 0, wrongRange(resp, off, off+int64(n))
	}
	return n, nil
}

func wrongRange(resp *http.Response, off, end int64) error {
	return fmt.Errorf("expected the bytes %d-%d, found Content-Range %.100q", off, end-1, resp.Header.Get("Content-Range"))
}

// refused is the error for an answer that brings nothing.
func refused(resp *http.Response) error {
	return transfer.Refused(resp, fmt.Errorf("expected status 206, found %.100s", resp.Status))
}

// contentRange reads the header of that name.
func contentRange(resp *http.Response) (from, to, size int64, err error) {
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return 0, 0, 0, fmt.Errorf("expected the file as it is, found Content-Encoding %.100q", e)
	}
	v := resp.Header.Get("Content-Range")
	if v == "" {
		return 0, 0, 0, errors.New("expected a header Content-Range, found none")
	}
	n, err := fmt.Sscanf(v, "bytes %d-%d/%d", &from, &to, &size)
	if err != nil || n != 3 || from < 0 || to < from || size <= to {
		return 0, 0, 0, fmt.Errorf("expected a Content-Range with both ends and the length, found %.100q", v)
	}
	if resp.ContentLength >= 0 && resp.ContentLength != to-from+1 {
		return 0, 0, 0, fmt.Errorf("expected %d bytes as Content-Range says, found Content-Length %d", to-from+1, resp.ContentLength)
	}
	return from, to, size, nil
}
