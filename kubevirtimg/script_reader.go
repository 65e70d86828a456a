package kubevirtimg

import (
	"fmt"
	"strings"

	"github.com/tplkit/tplkit/kubevirtimg/internal/bash"
)

// reader listens to one reading of a script, for one target.
type reader struct {
	*collector
	target string
	server bash.Value // TEMPLATES_SERVER
	pairs  map[string]*pair
}

// pair is X_image_url and X_image as they are now.
type pair struct {
	url, disk bash.Value
	pending   bool // the URL has not been given to the collector yet
	used      bool // the disk has been, with a URL
}

func newReader(c *collector, target string) *reader {
	return &reader{collector: c, target: target, pairs: make(map[string]*pair)}
}

const (
	serverVariable = "TEMPLATES_SERVER"
	diskSuffix     = "image"
	urlSuffix      = "_url"
)

// Assign notes the server, and the variables X_image_url and X_image. They come in either order, so that a pair is given away
// only when one of the two is set anew, or the reading ends.
func (r *reader) Assign(name string, v bash.Value, _ int) {
	if name == serverVariable {
		r.server = v
		return
	}
	lower := strings.ToLower(name)
	base, isURL := strings.CutSuffix(lower, urlSuffix)
	if !strings.HasSuffix(base, diskSuffix) {
		return
	}
	p := r.pairs[base]
	if p == nil {
		p = &pair{}
		r.pairs[base] = p
	}
	if isURL {
		r.settle(p)
		p.url, p.pending = v, strings.Contains(v.Tail, "/")
		return
	}
	if isDisk(p.disk) && !p.used {
		r.settle(p)
	}
	p.disk, p.used = v, false
}

func (r *reader) settle(p *pair) {
	if !p.pending {
		return
	}
	p.pending = false
	l := looseURL{url: p.url, dir: p.disk, target: r.target}
	if p.used || !isDisk(p.disk) { // nothing is said about where it is kept
		l.dir = bash.Value{Text: diskName, Tail: diskName, Known: true}
	}
	p.used = true
	if r.foreign(p.url) == "" {
		r.loose = append(r.loose, l)
	}
}

// finish ends the reading.
func (r *reader) finish() {
	for _, p := range r.pairs {
		r.settle(p)
	}
}

// Command notes a download.
func (r *reader) Command(c bash.Command) bool {
	d, ok := downloadOf(c)
	if !ok {
		return false
	}
	r.fetched[d.url.Text] = true
	if reason := r.foreign(d.url); reason != "" {
		if _, ok := r.unread[c.Line]; !ok {
			r.unread[c.Line] = Unread{Line: c.Line, Text: c.Shown(), Reason: reason}
		}
		return true
	}
	r.tie(d.url, d.dest, r.target, c.Line, c.Shown())
	return true
}

// foreign says why a URL is none of the template server's: that is in a directory kubevirt, or is the one that the script calls
// TEMPLATES_SERVER.
func (r *reader) foreign(url bash.Value) string {
	if !url.Known {
		return ""
	}
	dir := strings.TrimRight(url.Text[:strings.LastIndexByte(url.Text, '/')+1], "/")
	switch {
	case dir == "", dir == "kubevirt", strings.HasSuffix(dir, "/kubevirt"):
		return ""
	case r.server.Known && strings.TrimRight(r.server.Text, "/") == dir:
		return ""
	}
	return fmt.Sprintf("it comes from %q, which is not the server of the templates", dir)
}
