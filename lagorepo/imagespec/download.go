package imagespec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/tplkit/tplkit/hashutil"
)

const (
	// enoughProgress is how far an attempt has to get for the count of attempts
	// to begin anew, in bytes: a server that lets go after every byte ends.
	enoughProgress = 1 << 20

	downloadBuffer = 256 << 10
)

// download fetches a file from a web server in as many attempts as it takes and
// may.
type download struct {
	url     string
	name    string // url for errors, without what may be secret in it
	opt     FetchOptions
	file    *sparseFile
	newHash func() *hashutil.Hasher

	hash *hashutil.Hasher // of what is in file
	done int64            // bytes that came
	size int64            // of the whole; -1: the server does not say
	mark string           // ETag or Last-Modified of the version that is fetched; "": it cannot be continued
}

// run fetches all of it.
func (d *download) run(ctx context.Context) error {
	if err := d.restart(); err != nil {
		return err
	}
	failed, best := 0, int64(0)
	for {
		err := d.attempt(ctx)
		if err == nil {
			return d.file.finish()
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err = fmt.Errorf("GET %s at byte %d: %w", d.name, d.done, err)
		var t *transientError
		if !errors.As(err, &t) {
			return err
		}
		if d.done >= best+enoughProgress {
			failed, best = 0, d.done
		}
		if failed++; failed > d.opt.Retries {
			return fmt.Errorf("%w (attempt %d without getting on, the last)", err, failed)
		}
		if t.wait > maxRetryAfter {
			return fmt.Errorf("%w: the server asks to wait for %v, %v is the longest: try later", err, t.wait, maxRetryAfter)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(max(t.wait, d.opt.pause(failed-1))):
		}
	}
}

// restart forgets what was fetched.
func (d *download) restart() error {
	d.hash, d.done, d.size, d.mark = d.newHash(), 0, -1, ""
	return d.file.restart()
}

// errStalled ends an attempt that makes no progress.
var errStalled = errors.New("the server sends nothing")

// attempt makes one request and takes what comes.
func (d *download) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(d.opt.Stall, func() { cancel(errStalled) })
	defer watch.Stop()

	resp, err := d.request(ctx)
	if err != nil {
		return broken(ctx, err)
	}
	defer resp.Body.Close()
	if err := d.accept(resp); err != nil {
		return err
	}
	if d.size > d.opt.Limit {
		return tooLarge(d.size, d.opt.Limit)
	}
	if d.size >= 0 {
		if err := checkSpace(filepath.Dir(d.file.f.Name()), d.size-d.done); err != nil {
			return err
		}
	}
	d.opt.Progress(d.done, d.size)
	buf := make([]byte, downloadBuffer)
	for {
		n, err := resp.Body.Read(buf)
		watch.Reset(d.opt.Stall)
		if err := d.take(buf[:n]); err != nil {
			return err
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return broken(ctx, err)
		case d.size >= 0 && d.done != d.size:
			return &transientError{err: fmt.Errorf("%w: %d of %d bytes came", io.ErrUnexpectedEOF, d.done, d.size)}
		default:
			return nil
		}
	}
}

// request asks for what is missing.
func (d *download) request(ctx context.Context) (*http.Response, error) {
	if d.done > 0 && d.mark == "" {
		if err := d.restart(); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // offsets and checksum are those of the file
	if d.done > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", d.done))
		req.Header.Set("If-Range", d.mark)
	}
	return d.opt.Client.Do(req)
}

// accept looks at an answer before its body is read: it is the whole file, or
// the rest of what is there, or an error.
func (d *download) accept(resp *http.Response) error {
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return fmt.Errorf("expected the file as it is, found Content-Encoding %.100q", e)
	}
	switch {
	case resp.StatusCode == http.StatusOK:
		// The first answer, or the file is another one now, or there are no parts.
		if err := d.restart(); err != nil {
			return err
		}
		d.size, d.mark = resp.ContentLength, versionMark(resp)
		return nil
	case resp.StatusCode == http.StatusPartialContent && d.done > 0:
		return d.acceptRest(resp)
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && d.done > 0:
		return d.startOver(errors.New("there is nothing behind what came: the file was changed on the server"))
	case maySucceedLater(resp.StatusCode):
		return &transientError{
			err:  fmt.Errorf("expected status 200, found %.100s", resp.Status),
			wait: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
		}
	}
	return fmt.Errorf("expected status 200, found %.100s: check the URL in the base of the spec", resp.Status)
}

// acceptRest holds the answer to a request for the rest against what is there.
func (d *download) acceptRest(resp *http.Response) error {
	v := resp.Header.Get("Content-Range")
	var from, to, size int64
	n, err := fmt.Sscanf(v, "bytes %d-%d/%d", &from, &to, &size)
	switch {
	case err != nil || n != 3:
		return d.startOver(fmt.Errorf("expected a Content-Range with both ends and the length, found %.100q", v))
	case from != d.done || to != size-1 || size <= from:
		return d.startOver(fmt.Errorf("expected the bytes from %d on, found Content-Range %.100q", d.done, v))
	case d.size >= 0 && size != d.size:
		return d.startOver(fmt.Errorf("the file was changed on the server: expected a length of %d, found %d", d.size, size))
	}
	if m := versionMark(resp); m != "" && m != d.mark {
		return d.startOver(fmt.Errorf("the file was changed on the server: expected %.100q, found %.100q", d.mark, m))
	}
	d.size = size
	return nil
}

// startOver is the error for an answer that does not fit what is there: the next
// attempt begins at the beginning.
func (d *download) startOver(err error) error {
	return errors.Join(&transientError{err: err}, d.restart())
}

// take keeps what came.
func (d *download) take(p []byte) error {
	if d.done+int64(len(p)) > d.opt.Limit {
		return tooLarge(d.done+int64(len(p)), d.opt.Limit)
	}
	if _, err := d.file.Write(p); err != nil {
		return err
	}
	if _, err := d.hash.Write(p); err != nil {
		return err
	}
	d.done += int64(len(p))
	d.opt.Progress(d.done, d.size)
	return nil
}

// versionMark is what stands for one version of a file, to be asked for with
// If-Range (RFC 9110, section 13.1.5). A weak ETag cannot: it stands for several.
func versionMark(resp *http.Response) string {
	if tag := resp.Header.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return resp.Header.Get("Last-Modified")
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

func tooLarge(found, limit int64) error {
	return fmt.Errorf("%d bytes or more, and %d are the limit: raise it if the source is trusted", found, limit)
}
