package imagespec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/transfer"
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
	best := int64(0)
	err := d.opt.Policy.Do(ctx, func(ctx context.Context, alive func()) (gotOn bool, err error) {
		err = d.attempt(ctx, alive)
		if err != nil {
			err = fmt.Errorf("GET %s at byte %d: %w", d.name, d.done, err)
		}
		if gotOn = d.done >= best+enoughProgress; gotOn {
			best = d.done
		}
		return gotOn, err
	})
	if err != nil {
		return err
	}
	return d.file.finish()
}

// restart forgets what was fetched.
func (d *download) restart() error {
	d.hash, d.done, d.size, d.mark = d.newHash(), 0, -1, ""
	return d.file.restart()
}

// attempt makes one request and takes what comes.
func (d *download) attempt(ctx context.Context, alive func()) error {
	resp, err := d.request(ctx)
	if err != nil {
		return transfer.Broken(ctx, err)
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
		alive()
		if err := d.take(buf[:n]); err != nil {
			return err
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return transfer.Broken(ctx, err)
		case d.size >= 0 && d.done != d.size:
			return &transfer.Transient{Err: fmt.Errorf("%w: %d of %d bytes came", io.ErrUnexpectedEOF, d.done, d.size)}
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
		d.size, d.mark = resp.ContentLength, transfer.VersionMark(resp.Header)
		return nil
	case resp.StatusCode == http.StatusPartialContent && d.done > 0:
		return d.acceptRest(resp)
	case resp.StatusCode == http.StatusRequestedRangeNotSatisfiable && d.done > 0:
		return d.startOver(errors.New("there is nothing behind what came: the file was changed on the server"))
	}
	return transfer.Refused(resp, fmt.Errorf("expected status 200, found %.100s: check the URL in the base of the spec", resp.Status))
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
	if m := transfer.VersionMark(resp.Header); m != "" && m != d.mark {
		return d.startOver(fmt.Errorf("the file was changed on the server: expected %.100q, found %.100q", d.mark, m))
	}
	d.size = size
	return nil
}

// startOver is the error for an answer that does not fit what is there: the next
// attempt begins at the beginning.
func (d *download) startOver(err error) error {
	return errors.Join(&transfer.Transient{Err: err}, d.restart())
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

func tooLarge(found, limit int64) error {
	return fmt.Errorf("%d bytes or more, and %d are the limit: raise it if the source is trusted", found, limit)
}
