package lagorepo

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tplkit/tplkit/templates"
)

// settle finds the actions that want one handle and leaves one of them, or a
// conflict.
func (p *Plan) settle(prefer Prefer) {
	wanting := make(map[string][]*Action)
	for i := range p.Actions {
		if a := &p.Actions[i]; a.State == templates.Planned {
			wanting[a.Handle] = append(wanting[a.Handle], a)
		}
	}
	for _, handle := range slices.Sorted(maps.Keys(wanting)) {
		rivals := wanting[handle]
		if len(rivals) == 1 {
			continue
		}
		why := "choose one repository, prefer the newest, or take all but one away"
		if prefer == PreferNewest {
			newest, only := newestOf(rivals)
			if only {
				skipOthers(newest, rivals)
				continue
			}
			why = "the newest of them are of one age; take all but one away"
		}
		p.Conflicts = append(p.Conflicts, newConflict(handle, why, rivals))
	}
}

// newestOf gives the newest action, and whether it is the only one of that age.
// The metadata's timestamps decide, then the modification times. Unless all
// have a timestamp the modification times decide alone: the two clocks tell
// different things, when a template was made and when it was fetched, and
// mixing them could make every entry older than another.
func newestOf(rivals []*Action) (newest *Action, only bool) {
	byTimestamp := !slices.ContainsFunc(rivals, func(a *Action) bool {
		_, ok := a.timestamp()
		return !ok
	})
	compare := func(a, b *Action) int {
		if byTimestamp {
			ta, _ := a.timestamp()
			tb, _ := b.timestamp()
			if c := ta.Compare(tb); c != 0 {
				return c
			}
		}
		return a.ModTime.Compare(b.ModTime)
	}
	newest, only = rivals[0], true
	for _, a := range rivals[1:] {
		switch c := compare(a, newest); {
		case c > 0:
			newest, only = a, true
		case c == 0:
			only = false
		}
	}
	return newest, only
}

func skipOthers(winner *Action, rivals []*Action) {
	for _, a := range rivals {
		if a == winner {
			continue
		}
		a.State, a.Source = templates.Skipped, ""
		a.Reason = fmt.Sprintf("%s is newer and takes the name %s", templates.Quote(winner.Path()), templates.Quote(winner.Handle))
	}
}

func newConflict(handle, why string, rivals []*Action) templates.Conflict {
	c := templates.Conflict{Name: handle, Reason: fmt.Sprintf("%d entries want the name: %s", len(rivals), why)}
	for _, a := range rivals {
		ts, ok := a.timestamp()
		if !ok {
			ts = a.ModTime.UTC()
		}
		c.Entries = append(c.Entries, templates.ConflictEntry{
			Source: a.Path(), Template: a.Template, Version: a.Version, Timestamp: ts,
		})
	}
	return c
}
