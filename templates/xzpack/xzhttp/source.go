package xzhttp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"github.com/tplkit/tplkit/templates/transfer"
)

// ErrNoRanges is wrapped by the error of Open about a server that gives a file as a whole only.
var ErrNoRanges = errors.New("the server does not give parts of the file")

// Options say how to read from a server. The zero value is good for most.
type Options struct {
	Client *http.Client    // nil = one with http.DefaultTransport's settings that keeps as many connections as are read from at once
	Header http.Header     // sent with every request, for example Authorization; nil = nothing
	Policy transfer.Policy // how often and for how long a read is tried
}

func (o Options) withDefaults() Options {
	if o.Client == nil {
		o.Client = defaultClient()
	}
	return o
}

// defaultClient keeps the connections of parallel reads, of which net/http throws away all but two.
var defaultClient = sync.OnceValue(func() *http.Client {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultClient // the program has put something else in its place
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = 64
	return &http.Client{Transport: t}
})

// Source is a file on a web server. It is an io.ReaderAt, safe for concurrent use; each ReadAt is one request, but small
// ones are put together: they are served from pages, of which the last used are kept (1 MiB in all).
type Source struct {
	ctx   context.Context
	url   string
	name  string // url for errors, without what may be secret in it
	opt   Options
	size  int64
	tag   string // the file's ETag, and
	date  string // its Last-Modified, as they were when it was opened; empty where the server does not say
	mark  string // what tells the server that this version is meant
	pages pages
}

// Open asks the server for the beginning of a file and learns from the answer how long it is, whether it can be read in
// parts, and what marks this version of it. When ctx is done, now or later, Open and ReadAt return its cause.
//
// The marks of a version are its ETag, its Last-Modified and its length. A server that tells only the last cannot say that
// a file was replaced by another as long; the checks within .xz files find that then.
//
// An error that says that the file is not there, or anything else that trying again does not help, comes at once.
func Open(ctx context.Context, address string, opt Options) (*Source, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("open a URL: it cannot be parsed") // net/url's error repeats all of it
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("open %s: expected a URL with http or https and a host", transfer.BareURL(u))
	}
	s := &Source{ctx: ctx, url: address, name: transfer.BareURL(u), opt: opt.withDefaults()}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Source) open() error {
	first := make([]byte, pageSize)
	n, err := s.fetch(first, 0, s.learn)
	if err != nil {
		return err
	}
	s.pages.fetch = func(p []byte, off int64) error {
		_, err := s.fetch(p, off, s.check)
		return err
	}
	s.pages.size = s.size
	s.pages.keep(0, first[:n])
	return nil
}

// Size is the length of the file in bytes.
func (s *Source) Size() int64 { return s.size }

// ReadAt reads from the file, as io.ReaderAt has it. Where the file on the server is no longer the one that was opened,
// the error wraps [xzpack.ErrChanged].
func (s *Source) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("read %s at %d: negative offset", s.name, off)
	}
	if off >= s.size {
		return 0, io.EOF
	}
	var end error
	if int64(len(p)) > s.size-off {
		p, end = p[:s.size-off], io.EOF
	}
	read := s.pages.readAt
	if len(p) >= pageSize {
		read = func(p []byte, off int64) (int, error) { return s.fetch(p, off, s.check) }
	}
	n, err := read(p, off)
	if err == nil {
		err = end
	}
	return n, err
}
