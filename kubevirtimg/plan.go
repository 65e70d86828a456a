package kubevirtimg

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// PlanOptions say what the images are called on the server. The zero value goes by the names that are [Known].
type PlanOptions struct {
	// Names are the operator's: they decide before anything else. A directory that is named twice is published under both names.
	Names []Name
	// SHA1 names images by their SHA-1, in hex, as in the .sha1 files of an old copy of the server. See [Identify] for disks
	// without a sidecar.
	SHA1 map[string]string
	// Script is what [NamesFromScript] found. A directory that it names goes by it alone.
	Script []ScriptName
	// PreferNewest settles two entries that want one name: the disk with the later modification time has it. By default that is
	// a conflict, and nothing is written.
	PreferNewest bool
}

// Action is what is to be done with one entry: plain data, to be printed, compared or changed before it is carried out.
type Action struct {
	Cache string // the entry's
	Dir   string // the entry's
	Image string // the name on the server

	Source  string    // the file to read, in the cache
	Size    int64     // of Source when it was scanned
	ModTime time.Time // of Source when it was scanned
	SHA1    string    // what the sidecar says, or ""; an image with another SHA-1 is not published
	Sidecar string    // what is wrong with the sidecar's form, or ""
	Older   bool      // the sidecar is older than the disk

	State  templates.State // Planned, Skipped or Failed
	Reason string
	Error  string // for Failed

	// Candidates are the names to choose from where that is why the action has failed.
	Candidates []Candidate
}

// Path is the entry's directory, or its disk where that is to be read, with the cache in front where one is set.
func (a *Action) Path() string { return path.Join(a.Cache, cmp.Or(a.Source, a.Dir)) }

// Plan is the list of actions for one or several caches, in order of cache, directory and image, with the conflicts that stand in
// its way.
type Plan struct {
	Actions   []Action
	Conflicts []templates.Conflict
}

// NewPlan says what to do with the entries of a scan: a disk gets the action [templates.Planned] for every name that it is to
// have; one whose name is not known, or not certain, has failed, with what to do as its error and the Candidates; what holds no
// disk is skipped.
//
// Where two entries want one name and opt does not settle it, the error is a [*templates.ConflictError] with all conflicts; the
// plan is returned all the same, to be shown. Any other error is about the options.
func NewPlan(entries []Entry, opt PlanOptions) (*Plan, error) {
	c, err := newChooser(opt)
	if err != nil {
		return nil, err
	}
	p := &Plan{}
	for i := range entries {
		p.Actions = append(p.Actions, newActions(&entries[i], c)...)
	}
	for _, dir := range slices.Sorted(maps.Keys(c.names)) {
		if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Dir == dir }) {
			p.Actions = append(p.Actions, Action{Dir: dir, State: templates.Failed,
				Error: fmt.Sprintf("%s: there is no such directory, but --name gives its image a name", templates.Quote(dir))})
		}
	}
	slices.SortStableFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(strings.Compare(a.Cache, b.Cache), strings.Compare(a.Dir, b.Dir), strings.Compare(a.Image, b.Image))
	})
	p.settle(opt.PreferNewest)
	if len(p.Conflicts) > 0 {
		return p, &templates.ConflictError{Conflicts: p.Conflicts}
	}
	return p, nil
}

func newActions(e *Entry, c *chooser) []Action {
	a := Action{
		Cache: e.Cache, Dir: e.Dir, Size: e.Size, ModTime: e.ModTime,
		SHA1: e.SHA1, Sidecar: e.Sidecar, Older: e.Older,
		State: templates.Planned, Reason: e.Reason,
	}
	fail := func(err error) []Action {
		a.State, a.Reason, a.Error = templates.Failed, "", err.Error()
		return []Action{a}
	}
	switch {
	case e.Err != nil:
		return fail(e.Err)
	case e.State != Complete && e.State != NoSidecar:
		a.State = templates.Skipped
		return []Action{a}
	}
	names, err := c.choose(e)
	if err != nil {
		var several *ambiguousError
		if errors.As(err, &several) {
			a.Candidates = several.candidates
		}
		return fail(err)
	}
	a.Source = e.disk()
	var out []Action
	for _, n := range names {
		b := a
		b.Image = n.image
		b.addReason(n.why)
		out = append(out, b)
	}
	return out
}

func (a *Action) addReason(s string) {
	if a.Reason != "" && s != "" {
		a.Reason += "; "
	}
	a.Reason += s
}

// settle finds the actions that want one name and leaves one of them, or a conflict.
func (p *Plan) settle(newest bool) {
	wanting := make(map[string][]*Action)
	for i := range p.Actions {
		if a := &p.Actions[i]; a.State == templates.Planned {
			wanting[a.Image] = append(wanting[a.Image], a)
		}
	}
	for _, image := range slices.Sorted(maps.Keys(wanting)) {
		rivals := wanting[image]
		if len(rivals) == 1 {
			continue
		}
		if newest {
			if winner := newestOf(rivals); winner != nil {
				skipOthers(winner, rivals)
				continue
			}
		}
		p.Conflicts = append(p.Conflicts, newConflict(image, newest, rivals))
	}
}

// newestOf gives the action with the latest disk, nil where two are of one age.
func newestOf(rivals []*Action) *Action {
	sorted := slices.SortedStableFunc(slices.Values(rivals), func(a, b *Action) int { return b.ModTime.Compare(a.ModTime) })
	if sorted[0].ModTime.Equal(sorted[1].ModTime) {
		return nil
	}
	return sorted[0]
}

func skipOthers(winner *Action, rivals []*Action) {
	for _, a := range rivals {
		if a != winner {
			a.State = templates.Skipped
			a.Reason = fmt.Sprintf("%s is newer and takes the name %s", templates.Quote(winner.Path()), templates.Quote(winner.Image))
		}
	}
}

func newConflict(image string, newest bool, rivals []*Action) templates.Conflict {
	why := "give one another name with --name, prefer the newest, or take all but one away"
	if newest {
		why = "the newest of them are of one age; give one another name with --name, or take all but one away"
	}
	c := templates.Conflict{Name: image, Reason: fmt.Sprintf("%d entries want the name: %s", len(rivals), why)}
	if sum := rivals[0].SHA1; sum != "" && !slices.ContainsFunc(rivals, func(a *Action) bool { return a.SHA1 != sum }) {
		c.Reason += "; their sidecars agree, so that any of them should do"
	}
	for _, a := range rivals {
		c.Entries = append(c.Entries, templates.ConflictEntry{Source: a.Path(), Template: a.Dir, Timestamp: a.ModTime.UTC()})
	}
	return c
}

// ForCache gives the part of the plan that concerns one cache: what [Plan.Recover] is to be called with where a plan spans several.
func (p *Plan) ForCache(cache string) *Plan {
	sub := &Plan{Conflicts: p.Conflicts}
	for _, a := range p.Actions {
		if a.Cache == cache {
			sub.Actions = append(sub.Actions, a)
		}
	}
	return sub
}

// Report tells the plan as what [Plan.Recover] would report: the dry run.
func (p *Plan) Report() *templates.Report {
	return p.report(func(a *Action) string { return path.Join(templates.KubeVirtDir, a.Image) })
}

// NormalizeReport tells the plan as what [Plan.Normalize] would report.
func (p *Plan) NormalizeReport() *templates.Report {
	return p.report(func(a *Action) string { return a.Image })
}

// MarshalJSON encodes the plan's [Plan.Report].
func (p *Plan) MarshalJSON() ([]byte, error) { return json.Marshal(p.Report()) }

func (p *Plan) report(destination func(*Action) string) *templates.Report {
	r := new(templates.Report)
	for i := range p.Actions {
		a := &p.Actions[i]
		it := a.item()
		if a.State == templates.Planned {
			it.Destination = destination(a)
			it.Sizes = &templates.Sizes{Apparent: a.Size}
		}
		r.Add(it)
	}
	r.Conflicts = slices.Clone(p.Conflicts)
	return r
}

func (a *Action) item() templates.Item {
	return templates.Item{
		Source: a.Path(), Template: a.Dir, Handle: a.Image,
		State: a.State, Reason: a.Reason, Error: a.Error,
	}
}

// check refuses an action that was changed into something no plan would say.
func (a *Action) check() error {
	if a.Source != path.Join(a.Dir, diskName) {
		return errors.New(templates.Quote(a.Source) + ": is not the disk of " + templates.Quote(a.Dir))
	}
	return Name{Dir: a.Dir, Image: a.Image}.Check()
}
