package virtindex

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// UpdateOptions are the options of [Update]. The zero value drops nothing.
type UpdateOptions struct {
	// Present tells whether a file that an entry names, relative to the index,
	// is there. An index must never name a file that is not, so an entry whose
	// file is gone is dropped. Nil means that every file is there.
	Present func(file string) bool
}

// Action is what [Update] did with an entry or a template.
type Action string

const (
	Added     Action = "added"     // a new entry, at the end
	Updated   Action = "updated"   // an entry for a template, some fields changed
	Unchanged Action = "unchanged" // an entry for a template, right already
	Kept      Action = "kept"      // an entry for a file that no template speaks of
	Dropped   Action = "dropped"   // an entry whose file is gone
	Skipped   Action = "skipped"   // a template that is not listed, for want of an architecture
)

// Change is what [Update] did with one entry of the index, or with a template
// that has none.
type Change struct {
	Action   Action `json:"action"`
	ID       string `json:"id"`
	Arch     string `json:"arch,omitempty"`
	File     string `json:"file"`
	Handle   string `json:"handle,omitempty"` // of the template; empty when there is none
	Revision string `json:"revision,omitempty"`
	Reason   string `json:"reason,omitempty"` // a sentence, for dropped and skipped
}

// Update regenerates an index from what is known of the images. The old index
// may be nil; it is not changed. The changes come in the order of the old index,
// then the new entries, then the templates that were skipped.
//
// A template belongs to the entry that names its file, whatever the ID of the
// section: indexes of older generators have [lago-ID], users have the ID in their
// scripts and clients in their caches, so it stays. Where several entries name
// the file, the one with the template's architecture is the template's, and all
// of them get what follows from the bytes. A template whose file no entry names
// takes over the entry with its ID ([SectionID], with or without "lago-" before
// it) and architecture, if the file of that one is gone; else it gets a new entry
// at the end, those sorted by ID and architecture.
//
// Of the template's entry, file, checksum, size, compressed_size and format are
// made what they have to be. The revision rises by one when the checksum changes
// (or was missing, so that nobody can tell), and only then; a new entry has
// revision 1, or the one after its last if the entry was dropped once: that is
// kept in a comment "# gone: …" at the end. arch, name, osinfo, expand and lvexpand are made what the template
// says, if it says something.
//
// Everything else stays: notes, aliases, hidden, fields unknown here, the order of
// fields and entries, comments, and entries for files that no template speaks of.
// A comment that touches an entry goes with it; one that an empty line divides
// from it stays.
//
// Sections that would have to stand for several files are a [*ConflictError]; a
// template or an old revision that cannot be used is an [*InvalidError]. What is
// wrong with an entry that stays is for [Index.Check] to find, and
// [Index.Format] does not write it.
func Update(old *Index, templates []Template, opt UpdateOptions) (*Index, []Change, error) {
	if old == nil {
		old = &Index{}
	}
	u := updater{opt: opt, byFile: map[string]*Template{}, claimed: map[*Template]bool{}, tombs: readTombs(old)}
	for i := range old.Entries {
		u.entries = append(u.entries, &item{Entry: old.Entries[i].clone()})
	}
	if err := u.register(templates); err != nil {
		return nil, nil, err
	}
	u.match()
	u.takeOver()
	u.add()
	if err := u.conflicts(); err != nil {
		return nil, nil, err
	}
	if err := u.write(); err != nil {
		return nil, nil, err
	}
	x, changes := u.result(old)
	return x, changes, nil
}

// item is an entry on its way into the new index.
type item struct {
	Entry
	t       *Template // the template whose file the entry names, or nil
	primary bool      // the entry is that template's own
	action  Action
}

type updater struct {
	opt       UpdateOptions
	templates []*Template // sorted by section and architecture
	byFile    map[string]*Template
	claimed   map[*Template]bool // has an entry
	tombs     tombs
	entries   []*item
	skipped   []*Template
}

// register checks the templates and puts them in order.
func (u *updater) register(templates []Template) error {
	for i := range templates {
		t := templates[i]
		if err := t.Validate(); err != nil {
			return fmt.Errorf("template %s: %w", quote(t.Handle), err)
		}
		if first := u.byFile[t.file()]; first != nil {
			return &ConflictError{Conflicts: []Conflict{{ID: SectionID(t.Handle), Arch: t.Arch,
				Claims: []Claim{{Handle: first.Handle, File: t.file()}, {Handle: t.Handle, File: t.file()}}}}}
		}
		u.byFile[t.file()] = &t
		u.templates = append(u.templates, &t)
	}
	slices.SortFunc(u.templates, func(a, b *Template) int {
		return cmp.Or(cmp.Compare(SectionID(a.Handle), SectionID(b.Handle)), cmp.Compare(a.Arch, b.Arch), cmp.Compare(a.file(), b.file()))
	})
	return nil
}

// match gives the templates the entries that name their files.
func (u *updater) match() {
	named := map[*Template][]*item{}
	for _, it := range u.entries {
		if relativePath(it.File()) != "" {
			continue
		}
		if t := u.byFile[path.Clean(it.File())]; t != nil {
			it.t = t
			named[t] = append(named[t], it)
		}
	}
	for t, items := range named {
		slices.MinFunc(items, func(a, b *item) int { return t.distance(a) - t.distance(b) }).primary = true
		u.claimed[t] = true
	}
}

// distance says how far an entry that names the template's file is from being
// the template's own.
func (t *Template) distance(it *item) int {
	d := 0
	if t.Arch != "" && it.Arch() != t.Arch {
		d += 2
	}
	if !t.ownID(it.ID) {
		d++
	}
	return d
}

// ownID tells whether a section of that ID is called after the template, by this
// generator or by the historical one.
func (t *Template) ownID(id string) bool {
	return strings.TrimPrefix(id, "lago-") == SectionID(t.Handle) || id == SectionID(t.Handle)
}

// takeOver gives the templates whose file no entry names the entries that were
// theirs under another file name.
func (u *updater) takeOver() {
	for _, id := range []func(*Template, string) bool{
		func(t *Template, id string) bool { return id == SectionID(t.Handle) },
		(*Template).ownID,
	} {
		for _, t := range u.templates {
			if u.claimed[t] || t.Arch == "" {
				continue
			}
			i := slices.IndexFunc(u.entries, func(it *item) bool {
				return it.t == nil && id(t, it.ID) && it.Arch() == t.Arch && u.gone(&it.Entry)
			})
			if i >= 0 {
				u.entries[i].t, u.entries[i].primary = t, true
				u.claimed[t] = true
			}
		}
	}
}

// gone tells whether the entry names a file that is known to be absent.
func (u *updater) gone(e *Entry) bool {
	return u.opt.Present != nil && relativePath(e.File()) == "" && !u.opt.Present(path.Clean(e.File()))
}

// add makes entries for the templates that have none, and drops the entries
// whose files are gone.
func (u *updater) add() {
	for _, it := range u.entries {
		switch {
		case it.t != nil:
			it.action = Unchanged
		case u.gone(&it.Entry):
			it.action = Dropped
		default:
			it.action = Kept
		}
	}
	for _, t := range u.templates {
		switch {
		case u.claimed[t]:
		case t.Arch == "":
			u.skipped = append(u.skipped, t)
		default:
			u.entries = append(u.entries, &item{Entry: u.tombs.revive(t.newEntry()), t: t, primary: true, action: Added})
		}
	}
}

// arch returns the architecture that the entry will have.
func (it *item) arch() string {
	if it.primary && it.t.Arch != "" {
		return it.t.Arch
	}
	return it.Arch()
}

// conflicts finds the sections that a template would have to share.
func (u *updater) conflicts() error {
	type section struct{ id, arch string }
	claims := map[section][]Claim{}
	generated := map[section]bool{}
	var order []section
	for _, it := range u.entries {
		if it.action == Dropped {
			continue
		}
		s := section{it.ID, it.arch()}
		c := Claim{File: it.File(), Line: it.Line}
		if it.primary {
			c.Handle, c.File = it.t.Handle, it.t.file()
			generated[s] = true
		}
		if len(claims[s]) == 0 {
			order = append(order, s)
		}
		claims[s] = append(claims[s], c)
	}
	var found []Conflict
	for _, s := range order {
		if generated[s] && len(claims[s]) > 1 {
			found = append(found, Conflict{ID: s.id, Arch: s.arch, Claims: claims[s]})
		}
	}
	if len(found) > 0 {
		return &ConflictError{Conflicts: found}
	}
	return nil
}

// write brings the entries of the templates up to date.
func (u *updater) write() error {
	for _, it := range u.entries {
		if it.action != Unchanged {
			continue
		}
		before := it.clone()
		if err := it.t.refresh(&it.Entry); err != nil {
			return err
		}
		if it.primary {
			it.t.describe(&it.Entry)
		}
		if !sameFields(before.Fields, it.Fields) {
			it.action = Updated
		}
	}
	return nil
}

func sameFields(a, b []Field) bool {
	return slices.EqualFunc(a, b, func(a, b Field) bool {
		return a.Key == b.Key && a.Sub == b.Sub && a.Value == b.Value
	})
}
