package webserve

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// writer counts what is sent and has the last word on some headers. It lets the
// kernel copy from the file to the socket: a ResponseWriter that hides ReadFrom
// costs every download a detour through this process.
type writer struct {
	http.ResponseWriter
	cork   *cork
	cache  []string // Cache-Control of everything but errors; nil leaves it alone
	head   bool
	status int   // 0 until the header is written
	sent   int64 // of the body
	length int64 // of the body that was promised; -1 is unknown
	err    error // the first one of sending
}

// WriteHeader sends the header. An answer that is an error says nothing of the
// file it would have been about: no validator, no lifetime.
func (w *writer) WriteHeader(status int) {
	if status < 200 || w.status != 0 {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	h := w.Header()
	switch {
	case status >= http.StatusBadRequest:
		for _, name := range []string{"Etag", "Last-Modified", "Cache-Control", headerReprDigest, "Accept-Ranges"} {
			delete(h, name)
		}
		if status == http.StatusPreconditionFailed {
			delete(h, "Content-Type") // the file's; there is no body
			h["Content-Length"] = []string{"0"}
		}
	case w.cache != nil:
		h["Cache-Control"] = w.cache
	}
	w.status, w.length = status, -1
	if w.head || status == http.StatusNotModified || status == http.StatusNoContent {
		w.length = 0
	} else if s := h["Content-Length"]; len(s) == 1 {
		if n, err := strconv.ParseInt(s[0], 10, 64); err == nil {
			w.length = n
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends a part of the body.
func (w *writer) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	n, err := w.ResponseWriter.Write(p)
	w.count(int64(n), err)
	return n, err
}

// ReadFrom sends what src holds, by sendfile if src and the connection are fit
// for it.
func (w *writer) ReadFrom(src io.Reader) (int64, error) {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	flusher, canFlush := w.ResponseWriter.(http.Flusher)
	if lr, ok := src.(*io.LimitedReader); ok {
		switch {
		case lr.N <= heldBody && canFlush && w.cork.holds():
			return w.copyHeld(lr, flusher)
		case lr.N <= smallBody:
			return w.copySmall(lr)
		}
	}
	rf, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		// Write counts.
		return io.Copy(struct{ io.Writer }{w}, src)
	}
	// While the header is not out, net/http reads the first bytes to guess their
	// type, which is known.
	if canFlush {
		w.cork.push()
		flusher.Flush()
	}
	n, err := rf.ReadFrom(src)
	if canFlush {
		err = errors.Join(err, w.cork.pull())
	}
	w.count(n, err)
	return n, err
}

const (
	// smallBody is the size in bytes of a body that net/http sends in one packet
	// with the header, which is cheaper than having the kernel copy so little.
	smallBody = 3 << 10

	// heldBody is the same for a connection that holds back what is written.
	heldBody = 32 << 10
)

var bodies = sync.Pool{New: func() any { return new([heldBody]byte) }}

// copySmall sends a body of at most heldBody bytes. A file that has become
// shorter is no fault of reading, as it is none for sendfile.
func (w *writer) copySmall(src *io.LimitedReader) (int64, error) {
	buf := bodies.Get().(*[heldBody]byte)
	defer bodies.Put(buf)
	n, readErr := io.ReadFull(src, buf[:src.N])
	if errors.Is(readErr, io.EOF) || errors.Is(readErr, io.ErrUnexpectedEOF) {
		readErr = nil
	}
	n, err := w.Write(buf[:n])
	if err == nil {
		err = readErr
		w.count(0, err)
	}
	return int64(n), err
}

// copyHeld sends header and body by one call.
func (w *writer) copyHeld(src *io.LimitedReader, flusher http.Flusher) (int64, error) {
	w.cork.push()
	n, err := w.copySmall(src)
	flusher.Flush()
	if pullErr := w.cork.pull(); pullErr != nil {
		w.count(-n, pullErr) // nobody knows how much of it went
		return 0, pullErr
	}
	return n, err
}

// Unwrap is for [http.ResponseController].
func (w *writer) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *writer) count(n int64, err error) {
	if !w.head {
		w.sent += n
	}
	if w.err == nil {
		w.err = err
	}
}

// short says whether less of the body was sent than was promised.
func (w *writer) short() bool {
	return w.err != nil || w.length >= 0 && w.sent < w.length
}
