package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8/cwriter"
)

// meter shows how far the images are that are being worked on. Update may be
// called from several goroutines; done and total count bytes, total is 0 where
// it is not known.
type meter interface {
	Update(item string, done, total int64)
	Close() // removes what is drawn; Update must not be called any more
}

// lineInterval is the time between two looks at an image where standard error
// is no terminal, as in the log of a CI job.
const lineInterval = 10 * time.Second

// newMeter chooses by what standard error is: bars on a terminal, lines
// elsewhere, nothing with --quiet.
func (s *session) newMeter() meter {
	switch {
	case s.Quiet:
		return silent{}
	case isTerminal(s.stderr):
		return newBars(s.stderr)
	}
	return &lines{w: s.stderr, every: lineInterval, now: time.Now}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && cwriter.IsTerminal(int(f.Fd()))
}

type silent struct{}

func (silent) Update(string, int64, int64) {}
func (silent) Close()                      {}

// track is one image in work.
type track struct {
	item        string
	done, total int64
	start       time.Time
}

// rate is in bytes a second and left is the time to the end at that rate; ok is
// false where they cannot be told yet.
func (t *track) rate(now time.Time) (bytes float64, left time.Duration, ok bool) {
	took := now.Sub(t.start)
	if took <= 0 || t.done <= 0 {
		return 0, 0, false
	}
	bytes = float64(t.done) / took.Seconds()
	if t.total > t.done {
		left = time.Duration(float64(t.total-t.done) / bytes * float64(time.Second))
	}
	return bytes, left.Round(time.Second), true
}

// lines prints a line for each image in work, at most once every interval.
type lines struct {
	w     io.Writer
	every time.Duration
	now   func() time.Time

	mu     sync.Mutex
	last   time.Time
	tracks []*track // in the order they were started
}

func (l *lines) Update(item string, done, total int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if l.last.IsZero() {
		l.last = now
	}
	i := l.find(item)
	if total > 0 && done >= total {
		if i >= 0 {
			l.tracks = append(l.tracks[:i], l.tracks[i+1:]...)
		}
		return
	}
	if i < 0 {
		i = len(l.tracks)
		l.tracks = append(l.tracks, &track{item: item, start: now})
	}
	l.tracks[i].done, l.tracks[i].total = done, total
	if now.Sub(l.last) < l.every {
		return
	}
	l.last = now
	for _, t := range l.tracks {
		_, _ = io.WriteString(l.w, progressLine(t, now))
	}
}

func (l *lines) Close() {}

func (l *lines) find(item string) int {
	for i, t := range l.tracks {
		if t.item == item {
			return i
		}
	}
	return -1
}

// progressLine is `"el8": 35% of 6.0 GiB, 85.1 MiB/s, 1m20s left`.
func progressLine(t *track, now time.Time) string {
	line := quote(t.item) + ": "
	if t.total > 0 {
		line += percent(t.done, t.total) + " of " + bytesText(t.total)
	} else {
		line += bytesText(t.done)
	}
	if rate, left, ok := t.rate(now); ok {
		line += ", " + bytesText(int64(rate)) + "/s"
		if t.total > 0 {
			line += ", " + left.String() + " left"
		}
	}
	return line + "\n"
}
