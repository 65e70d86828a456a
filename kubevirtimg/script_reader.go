package kubevirtimg

import (
	"fmt"
	"maps"
	"slices"
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

// pair is every value that X_image_url and X_image are given in a reading.
type pair struct{ urls, disks []bash.Value }

func newReader(c *collector, target string) *reader {
	return &reader{collector: c, target: target, pairs: make(map[string]*pair)}
}

const (
	serverVariable = "TEMPLATES_SERVER"
	diskSuffix     = "image"
	urlSuffix      = "_url"
)

// Assign notes the server, and the variables X_image_url and X_image.
func (r *reader) Assign(name string, v bash.Value, _ int) {
	if name == serverVariable {
		r.server = v
		return
	}
	base, isURL := strings.CutSuffix(strings.ToLower(name), urlSuffix)
	if !strings.HasSuffix(base, diskSuffix) {
		return
	}
	p := r.pairs[base]
	if p == nil {
		p = &pair{}
		r.pairs[base] = p
	}
	switch {
	case isURL && strings.Contains(v.Tail, "/"):
		p.urls = addValue(p.urls, v)
	case !isURL && (!v.Known || isDisk(v)): // and not "" or the name of a file, which say nothing about where it is kept
		p.disks = addValue(p.disks, v)
	}
}

func addValue(list []bash.Value, v bash.Value) []bash.Value {
	if slices.ContainsFunc(list, func(o bash.Value) bool { return o.Text == v.Text }) {
		return list
	}
	return append(list, v)
}

// finish ends the reading: it gives the URLs away with the one place that goes with them. Several URLs for one place are names to
// choose from; which of several places a URL goes to, nothing tells.
func (r *reader) finish() {
	for _, base := range slices.Sorted(maps.Keys(r.pairs)) {
		p := r.pairs[base]
		dest := bash.Value{Text: diskName, Tail: diskName, Known: true} // in no directory
		switch len(p.disks) {
		case 0:
		case 1:
			dest = p.disks[0]
		default:
			dest = bash.Value{Text: "${" + base + "}", Why: base + " has more than one value"}
		}
		for _, url := range p.urls {
			if r.foreign(url) == "" {
				r.loose = append(r.loose, looseURL{url: url, dest: dest, target: r.target})
			}
		}
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
