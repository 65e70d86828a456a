package imagespec

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

const (
	// maxLog is how much of what tools print is kept in a log file, in bytes: a
	// build says some 100 KiB, a script that runs in circles fills the disk.
	maxLog = 64 << 20

	tailLines = 20
	tailBytes = 4 << 10
)

// imageLog is the log file of one image: what tools print goes there, and the
// last lines are kept for errors. Its methods may be called by several goroutines
// at once.
type imageLog struct {
	path string

	mu   sync.Mutex
	file *os.File
	size int64 // bytes in the file
	full bool  // the file is at its limit; only the tail goes on
	last tail
}

// openLog makes the file, or empties it.
func openLog(path string) (*imageLog, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log of the tools: %w", err)
	}
	return &imageLog{path: path, file: f}, nil
}

// Write adds to the log. What goes beyond 64 MiB is in the tail only, which the
// file says at its end.
func (l *imageLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = l.last.Write(p) // never fails
	if l.full {
		return len(p), nil
	}
	keep := p[:min(int64(len(p)), maxLog-l.size)]
	n, err := l.file.Write(keep)
	l.size += int64(n)
	if err != nil {
		return n, err
	}
	if len(keep) < len(p) {
		l.full = true
		if _, err := fmt.Fprintf(l.file, "\n[the log ends here, at its limit of %d bytes]\n", int64(maxLog)); err != nil {
			return n, err
		}
	}
	return len(p), nil
}

// Tail is the last 20 lines at most, in 4 KiB at most, without control
// characters and without a newline at the end.
func (l *imageLog) Tail() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last.text()
}

// Close closes the file. Tail can still be called.
func (l *imageLog) Close() error { return l.file.Close() }

// tail holds the end of what is written to it.
type tail struct {
	buf []byte
	cut bool // something before buf was dropped
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	// One byte more than is shown tells whether the first line is whole.
	const keep = tailBytes + 1
	if len(p) > keep {
		p, t.buf, t.cut = p[len(p)-keep:], t.buf[:0], true
	}
	t.buf = append(t.buf, p...)
	if len(t.buf) > 4*keep { // seldom, so that single bytes are not moved about each time
		t.drop(len(t.buf) - keep)
	}
	return n, nil
}

func (t *tail) drop(n int) {
	t.buf = append(t.buf[:0], t.buf[n:]...)
	t.cut = true
}

// text is the last lines, made harmless. Of a line that a progress bar wrote
// again and again the last state is shown, and empty lines are not.
func (t *tail) text() string {
	var lines []string
	room := tailBytes
	rest := bytes.TrimRight(t.buf, "\r\n")
	for len(rest) > 0 && len(lines) < tailLines && room > 0 {
		at := bytes.LastIndexByte(rest, '\n')
		line := bytes.TrimRight(rest[at+1:], " \t\r")
		whole := at >= 0 || !t.cut
		rest = bytes.TrimRight(rest[:max(at, 0)], "\r\n")
		if cr := bytes.LastIndexByte(line, '\r'); cr >= 0 {
			line, whole = line[cr+1:], true
		}
		text := harmless(string(line))
		if text == "" {
			continue
		}
		if !whole || len(text) > room {
			if len(lines) > 0 { // half a line says little
				break
			}
			text = "…" + lastBytes(text, room-len("…"))
		}
		lines = append(lines, text)
		room -= len(text) + 1
	}
	for i, j := 0, len(lines)-1; i < j; i, j = i+1, j-1 {
		lines[i], lines[j] = lines[j], lines[i]
	}
	return strings.Join(lines, "\n")
}

// lastBytes is the end of s in n bytes at most, without a part of a character.
func lastBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[len(s)-n:]
	for s != "" && !utf8.RuneStart(s[0]) {
		s = s[1:]
	}
	return s
}

// harmless makes what a tool printed fit for a terminal: control characters,
// those that turn the direction of writing, and bytes that are no UTF-8 become
// "?", tabs blanks.
func harmless(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '?'
		}
		return r
	}, s)
}
