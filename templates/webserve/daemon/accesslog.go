package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve"
)

// LogOptions say how an access log is written. The zero value is the combined format, flushed each second.
type LogOptions struct {
	// Format is one of the Log constants; "" means [LogCombined].
	Format string
	// Flush is how long a line may wait. 0 means a second.
	Flush time.Duration
}

const (
	// maxWaiting bounds what waits for a disk or a pipe that takes nothing; what comes then is counted as lost.
	maxWaiting = 4 << 20
	// wakeAt is how much waits before it is written ahead of time.
	wakeAt = 256 << 10
)

// An AccessLog writes a line for each request. Requests never wait for the disk: one goroutine writes.
type AccessLog struct {
	line func(b []byte, e *webserve.Event) []byte
	lost atomic.Int64

	mu      sync.Mutex
	waiting []byte
	lines   int64 // in waiting
	spare   []byte

	writing sync.Mutex // held while w is used or changed
	path    string     // "" where w is the caller's
	w       io.Writer
	file    *os.File // w, where it is ours

	wake chan struct{}
	stop chan struct{}
	done chan struct{}
	end  sync.Once
}

// OpenAccessLog appends to the file at path, which is made with mode 0640 where it is missing.
func OpenAccessLog(path string, opt LogOptions) (*AccessLog, error) {
	f, err := openLog(path)
	if err != nil {
		return nil, err
	}
	l, err := newAccessLog(f, path, opt)
	if err != nil {
		f.Close()
		return nil, err
	}
	l.file = f
	return l, nil
}

// NewAccessLog writes to w, from one goroutine.
func NewAccessLog(w io.Writer, opt LogOptions) (*AccessLog, error) { return newAccessLog(w, "", opt) }

func newAccessLog(w io.Writer, path string, opt LogOptions) (*AccessLog, error) {
	l := &AccessLog{w: w, path: path, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	switch opt.Format {
	case "", LogCombined:
		l.line = appendCombined
	case LogJSON:
		l.line = appendJSON
	default:
		return nil, fmt.Errorf("log format %s: expected %s or %s", templates.Quote(opt.Format), LogCombined, LogJSON)
	}
	if opt.Flush <= 0 {
		opt.Flush = time.Second
	}
	go l.run(opt.Flush)
	return l, nil
}

func openLog(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
}

// Observe adds a line; give it to [webserve.Options.Observe].
func (l *AccessLog) Observe(e *webserve.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) > maxWaiting {
		l.lost.Add(1)
		return
	}
	l.waiting = l.line(l.waiting, e)
	l.lines++
	if len(l.waiting) > wakeAt {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Lost is how many lines could not be written: the disk was full, or too slow.
func (l *AccessLog) Lost() int64 { return l.lost.Load() }

func (l *AccessLog) run(every time.Duration) {
	defer close(l.done)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-l.wake:
		case <-l.stop:
			return
		}
		_ = l.Flush() // counted as lost; the server goes on
	}
}

// Flush writes what waits. Lines that the disk does not take are lost.
func (l *AccessLog) Flush() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	return l.flush()
}

func (l *AccessLog) flush() error {
	l.mu.Lock()
	out, lines := l.waiting, l.lines
	l.waiting, l.spare, l.lines = l.spare[:0], nil, 0
	l.mu.Unlock()
	var err error
	if len(out) > 0 {
		if _, err = l.w.Write(out); err != nil {
			l.lost.Add(lines)
		}
	}
	l.mu.Lock()
	l.spare = out
	l.mu.Unlock()
	return err
}

// Reopen closes the file and opens its path again, for log rotation: move the file away, then call Reopen. On an
// error the old file stays. A log that was not opened by [OpenAccessLog] is only flushed.
func (l *AccessLog) Reopen() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	err := l.flush()
	if l.file == nil {
		return err
	}
	f, oerr := openLog(l.path)
	if oerr != nil {
		return fmt.Errorf("access log: %w; the old file stays in use", oerr)
	}
	err = errors.Join(err, l.file.Close())
	l.file, l.w = f, f
	return err
}

// Close writes what waits and closes the file, if it is ours. Lines that are added later are not written.
func (l *AccessLog) Close() error {
	l.end.Do(func() { close(l.stop) })
	<-l.done
	l.writing.Lock()
	defer l.writing.Unlock()
	err := l.flush()
	if l.file != nil {
		err = errors.Join(err, l.file.Close())
		l.file, l.w = nil, io.Discard
	}
	return err
}
