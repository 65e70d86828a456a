package audit

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// inode tells a file from all others on the machine.
type inode struct{ dev, number uint64 }

// names are those of one file.
type names struct {
	paths, zones []string
	links        uint64 // how many names it has anywhere
}

// count keeps the names of a file that has more than one.
func (a *auditor) count(name, zone string, fi fs.FileInfo) {
	id, ok := identify(fi)
	if !ok || id.links < 2 {
		return
	}
	key := inode{id.dev, id.inode}
	n := a.links[key]
	if n == nil {
		n = new(names)
		a.links[key] = n
	}
	n.links = id.links
	n.paths = append(n.paths, name)
	if !slices.Contains(n.zones, zone) {
		n.zones = append(n.zones, zone)
	}
}

// hardLinks tells of the files that have several names. No check of a path can
// see such: each name is the file itself.
func (a *auditor) hardLinks() {
	all := slices.SortedFunc(maps.Values(a.links), func(x, y *names) int { return strings.Compare(x.paths[0], y.paths[0]) })
	for _, n := range all {
		others := "no other of them in the zones"
		if len(n.paths) > 1 {
			others = "also " + quoted(n.paths[1:])
		}
		if len(n.zones) > 1 {
			a.add(Fault, KindHardLink, n.paths[0], fmt.Sprintf("the same file lies in zones %s (%s): whoever may read one of them reads it",
				strings.Join(n.zones, " and "), others), "put a copy into each zone")
			continue
		}
		a.add(Warning, KindHardLink, n.paths[0], fmt.Sprintf("has %d names, %s: whoever writes to one of them changes what is served", n.links, others),
			"nothing, if the other names are known; else put a copy there")
	}
}

// quoted quotes the first names of a list.
func quoted(paths []string) string {
	const most = 3
	var all []string
	for _, p := range paths[:min(len(paths), most)] {
		all = append(all, templates.Quote(p))
	}
	s := strings.Join(all, ", ")
	if more := len(paths) - most; more > 0 {
		s += fmt.Sprintf(" and %d more", more)
	}
	return s
}
