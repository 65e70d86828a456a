package imagespec

import (
	"cmp"
	"fmt"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/virtindex"
	"github.com/tplkit/tplkit/templates"
)

// unnamedVersion is what repo.metadata calls the version of a template that does
// not say its own.
const unnamedVersion = "latest"

// sameNames finds the specs whose images clients could not tell apart in an
// index: for lago by template name and version, for virt-builder by section and
// architecture. The specs are in order of their IDs.
func sameNames(specs []*Spec, format lagorepo.IndexFormat) []templates.Conflict {
	var out []templates.Conflict
	if isFor(format, lagorepo.IndexLago) {
		out = append(out, sameBy(specs, "both specs say this name and version: correct one of them", func(s *Spec) string {
			e := s.conflictEntry()
			if e.Template == "" {
				return "" // Check has said so
			}
			return e.Template + ":" + cmp.Or(e.Version, unnamedVersion)
		})...)
	}
	if isFor(format, lagorepo.IndexVirtBuilder) {
		out = append(out, sameBy(specs, "they want one section of virt-builder's index, where + is written -: rename one of the files", func(s *Spec) string {
			arch, _ := s.Get(KeyArch)
			return fmt.Sprintf("[%s] %s", virtindex.SectionID(s.ID), arch.Value)
		})...)
	}
	return out
}

// sameBy finds the specs for which name gives the same; "" is no name. The
// conflicts come in the order of the first spec of each.
func sameBy(specs []*Spec, reason string, name func(*Spec) string) []templates.Conflict {
	var names []string
	entries := make(map[string][]templates.ConflictEntry)
	for _, s := range specs {
		n := name(s)
		if n == "" {
			continue
		}
		if entries[n] == nil {
			names = append(names, n)
		}
		entries[n] = append(entries[n], s.conflictEntry())
	}
	var out []templates.Conflict
	for _, n := range names {
		if len(entries[n]) > 1 {
			out = append(out, templates.Conflict{Name: n, Reason: reason, Entries: entries[n]})
		}
	}
	return out
}

// sameIDs finds the specs that would be published under one name. The specs are
// in order of their IDs.
func sameIDs(specs []*Spec) []templates.Conflict {
	return sameBy(specs, "the image is called like the file of its spec: rename one of the files", func(s *Spec) string { return s.ID })
}

// conflictEntry describes the spec in a conflict.
func (s *Spec) conflictEntry() templates.ConflictEntry {
	name, _ := s.Get(KeyName)
	version, _ := s.Get(KeyVersion)
	return templates.ConflictEntry{Source: s.Path, Template: name.Value, Version: version.Value}
}
