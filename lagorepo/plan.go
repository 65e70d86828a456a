package lagorepo

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// Prefer says what becomes of two entries that want one published name.
type Prefer string

// The preferences. The zero value means PreferError.
const (
	PreferError  Prefer = "error"  // a conflict: nothing is written
	PreferNewest Prefer = "newest" // the newest wins, by metadata timestamp, then by modification time
)

// ParsePrefer reads "error", "newest" or "" (error).
func ParsePrefer(s string) (Prefer, error) {
	switch p := Prefer(s); p {
	case "":
		return PreferError, nil
	case PreferError, PreferNewest:
		return p, nil
	}
	return "", fmt.Errorf("preference %s: must be error or newest", templates.Quote(s))
}

// PlanOptions say which entries are recovered. The zero value takes all and
// accepts no conflict.
type PlanOptions struct {
	Repo   string // only this repository's entries; "" takes all
	Prefer Prefer // "": PreferError
}

// Action is what is to be done with one entry: plain data, to be printed,
// compared or changed before it is carried out.
type Action struct {
	Store    string // the entry's
	Name     string // the entry's
	Repo     string
	Template string
	Version  string
	Handle   string // the published name, without suffix

	Source     string    // the file to read: the disk or the intact original
	Packed     bool      // Source is an .xz and the disk is inside
	Size       int64     // of Source when it was scanned
	ModTime    time.Time // of Source when it was scanned
	StoredHash string    // the store's .hash, or ""
	Proven     bool      // the scan found the content of Source to match StoredHash; a recovery insists on it
	Metadata   *Metadata // nil where the store has none

	State  templates.State // Planned, Skipped or Failed
	Reason string
	Error  string // for Failed
}

// Path is the entry's name with the store in front where one is set.
func (a *Action) Path() string { return path.Join(a.Store, a.Name) }

// timestamp is what "newest" goes by.
func (a *Action) timestamp() (time.Time, bool) {
	if a.Metadata == nil {
		return time.Time{}, false
	}
	ts, ok := a.Metadata.Timestamp()
	if !ok {
		return time.Time{}, false
	}
	return timeOf(ts), true
}

// Plan is the list of actions for one or several stores, in order of store and
// name, with the conflicts that stand in its way.
type Plan struct {
	Actions   []Action
	Conflicts []templates.Conflict
}

// NewPlan says what to do with the entries of a scan: those that can be
// recovered get the action [templates.Planned] and a handle, made of the
// template's name by [templates.Handle]; repository and version are dropped.
// The others are skipped or failed, with the reason.
//
// Where two entries want one handle and opt does not settle it, the error is a
// [*templates.ConflictError] with all conflicts and all their entries; the plan
// is returned all the same, to be shown. A repository that no entry belongs to
// is an error.
func NewPlan(entries []Entry, opt PlanOptions) (*Plan, error) {
	prefer, err := ParsePrefer(string(opt.Prefer))
	if err != nil {
		return nil, err
	}
	if err := checkRepo(entries, opt.Repo); err != nil {
		return nil, err
	}
	p := &Plan{Actions: make([]Action, 0, len(entries))}
	for i := range entries {
		p.Actions = append(p.Actions, newAction(&entries[i], opt.Repo))
	}
	slices.SortStableFunc(p.Actions, func(a, b Action) int {
		return cmp.Or(strings.Compare(a.Store, b.Store), strings.Compare(a.Name, b.Name))
	})
	p.settle(prefer)
	if len(p.Conflicts) > 0 {
		return p, &templates.ConflictError{Conflicts: p.Conflicts}
	}
	return p, nil
}

func checkRepo(entries []Entry, repo string) error {
	if repo == "" {
		return nil
	}
	var repos []string
	for i := range entries {
		switch r := entries[i].ID.Repo; r {
		case repo:
			return nil
		case "":
		default:
			repos = append(repos, templates.Quote(r))
		}
	}
	if len(repos) == 0 {
		return fmt.Errorf("repository %s: the store holds no template", templates.Quote(repo))
	}
	slices.Sort(repos)
	return fmt.Errorf("repository %s: the store holds nothing of it, only of %s",
		templates.Quote(repo), strings.Join(slices.Compact(repos), ", "))
}

func newAction(e *Entry, repo string) Action {
	a := Action{
		Store: e.Store, Name: e.Name, Repo: e.ID.Repo, Template: e.ID.Template, Version: e.ID.Version,
		Source: e.Source(), Packed: e.OriginalPacked, Size: e.Size, ModTime: e.ModTime,
		StoredHash: e.StoredHash, Proven: e.State == Interrupted, Metadata: e.Metadata,
		State: templates.Planned, Reason: e.Reason,
	}
	fail := func(err error) Action {
		a.State, a.Source, a.Reason, a.Error = templates.Failed, "", "", err.Error()
		return a
	}
	switch {
	case repo != "" && e.ID.Repo != "" && e.ID.Repo != repo:
		a.State, a.Source = templates.Skipped, ""
		a.Reason = "belongs to the repository " + templates.Quote(e.ID.Repo) + ", not to " + templates.Quote(repo)
		return a
	case e.Err != nil:
		return fail(e.Err)
	case a.Source == "":
		a.State = templates.Skipped
		a.noteLock(e.Locked)
		return a
	}
	var err error
	if a.Handle, err = templates.Handle(a.Template); err != nil {
		return fail(fmt.Errorf("%s: %w", templates.Quote(e.Name), err))
	}
	if err := templates.CheckVersion(a.Version); err != nil {
		return fail(fmt.Errorf("%s: %w", templates.Quote(e.Name), err))
	}
	a.noteLock(e.Locked && e.State != Complete)
	return a
}

// noteLock adds that lago may still be at work, where the entry is not what it
// would be then.
func (a *Action) noteLock(locked bool) {
	if locked {
		a.Reason += "; its .lock is there: lago may be at work on it"
	}
}

// ForStore gives the part of the plan that concerns one store: what
// [Plan.Recover] is to be called with where a plan spans several.
func (p *Plan) ForStore(store string) *Plan {
	sub := &Plan{Conflicts: p.Conflicts}
	for _, a := range p.Actions {
		if a.Store == store {
			sub.Actions = append(sub.Actions, a)
		}
	}
	return sub
}

// Report tells the plan as what [Plan.Recover] would report: the dry run.
func (p *Plan) Report() *templates.Report {
	return p.report(func(a *Action) string { return repoFile(templates.FilesOf(a.Handle).Disk) })
}

// NormalizeReport tells the plan as what [Plan.Normalize] would report.
func (p *Plan) NormalizeReport() *templates.Report {
	return p.report((*Action).diskName)
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
		Source: a.Path(), Template: a.Template, Version: a.Version, Handle: a.Handle,
		State: a.State, Reason: a.Reason, Error: a.Error,
	}
}

// repoFile is the name in the tree of a file of the repository.
func repoFile(name string) string { return path.Join(templates.RepoDir, name) }
