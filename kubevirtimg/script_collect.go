package kubevirtimg

import (
	"cmp"
	"slices"

	"github.com/tplkit/tplkit/kubevirtimg/internal/bash"
)

// collector brings together what the readings of a script, one for each target, found.
type collector struct {
	names   map[nameKey]*ScriptName
	fetched map[string]bool // URLs that a download ties to something, or fails to
	loose   []looseURL      // URLs that only an assignment names
	unread  map[int]Unread  // by the line of the command
	named   map[int]bool    // lines of commands and assignments that gave a name for some target
}

type nameKey struct {
	dir, image, url string
	line            int
}

// looseURL is the value of an X_image_url, with that of X_image; it counts where no command downloads it.
type looseURL struct {
	url, dest bash.Value
	target    string
}

func newCollector() *collector {
	return &collector{
		names:   make(map[nameKey]*ScriptName),
		fetched: make(map[string]bool),
		unread:  make(map[int]Unread),
		named:   make(map[int]bool),
	}
}

// result gives what was found; always is what was found for no target in particular.
func (c *collector) result(always *collector) *ScriptNames {
	c.tieLoose()
	always.tieLoose()
	out := &ScriptNames{}
	for key, n := range c.names {
		if always.names[key] != nil || len(n.Targets) == 0 {
			n.Targets = nil
		}
		out.Names = append(out.Names, *n)
	}
	slices.SortFunc(out.Names, func(a, b ScriptName) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Dir, b.Dir), cmp.Compare(a.Image, b.Image), cmp.Compare(a.URL, b.URL))
	})
	for line, u := range c.unread {
		if !c.named[line] {
			out.Unread = append(out.Unread, u)
		}
	}
	slices.SortFunc(out.Unread, func(a, b Unread) int { return cmp.Compare(a.Line, b.Line) })
	return out
}

// tieLoose gives names to the URLs that no download in any reading had to do with.
func (c *collector) tieLoose() {
	for _, l := range c.loose {
		if !c.fetched[l.url.Text] {
			c.tie(l.url, l.dest, l.target, l.url.Line, l.url.Text)
		}
	}
}

// tie notes that url is kept at dest for a target: a name, or why there is none.
func (c *collector) tie(url, dest bash.Value, target string, line int, text string) {
	miss := func(reason string) {
		if _, ok := c.unread[line]; !ok {
			c.unread[line] = Unread{Line: line, Text: text, Reason: reason}
		}
	}
	image, reason := imageOf(url)
	if reason != "" {
		miss(reason)
		return
	}
	dir, reason := dirOf(dest)
	byTarget := false
	if dir == "" && reason == "" {
		if dir, byTarget = target, true; target == "" {
			reason = "the script names no directory for it"
		}
	}
	if reason != "" {
		miss(reason)
		return
	}
	if err := (Name{Dir: dir, Image: image}).Check(); err != nil {
		miss(err.Error())
		return
	}
	c.named[line] = true
	key := nameKey{dir, image, url.Text, url.Line}
	n := c.names[key]
	if n == nil {
		n = &ScriptName{Dir: dir, Image: image, URL: url.Text, ByTarget: byTarget, Line: url.Line}
		c.names[key] = n
	}
	if target != "" && !slices.Contains(n.Targets, target) {
		n.Targets = append(n.Targets, target)
	}
}
