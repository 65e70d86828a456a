package lagorepo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// planLago plans repo.metadata.
func (p *IndexPlan) planLago(s *repoScan, opt IndexOptions) error {
	const name = templates.RepoMetadataName
	text, err := templates.ReadSmall(s.fsys, name, maxJSONSize)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w; mend it or take it away", err)
	}
	old := new(RepoMetadata)
	if err == nil {
		if old, err = ParseRepoMetadata(text); err != nil {
			return fmt.Errorf("%s: %w; mend it or take it away", s.path(name), err)
		}
	}
	m := lagoMerge{scan: s, old: old}
	if err := m.identify(opt); err != nil {
		return fmt.Errorf("%s: %w", s.path(name), err)
	}
	m.list()
	m.keep()
	p.Items = append(p.Items, m.items...)
	p.Conflicts = append(p.Conflicts, m.conflicts...)
	if len(m.conflicts) > 0 {
		return nil
	}
	content, err := m.new.Marshal()
	if err != nil {
		return fmt.Errorf("%s: %w", s.path(name), err)
	}
	versions := 0
	for _, t := range m.new.Templates {
		versions += len(t.Versions)
	}
	p.Files = append(p.Files, IndexFile{
		Name: name, Content: content, Same: text != nil && bytes.Equal(text, content),
		Summary: fmt.Sprintf("lists %s of %s as repository %s at %s",
			plural(versions, "version"), plural(len(m.new.Templates), "template"), m.new.Name, m.new.Sources[m.own].BaseURL),
	})
	return nil
}

// lagoMerge puts what is there into an old repo.metadata.
type lagoMerge struct {
	scan      *repoScan
	old, new  *RepoMetadata
	own       string // the name of this repository's source
	items     []templates.Item
	conflicts []templates.Conflict
}

// identify settles the repository's name and URL, and its source.
func (m *lagoMerge) identify(opt IndexOptions) error {
	name := cmp.Or(opt.RepoName, m.old.Name, DefaultRepoName)
	m.own = name
	baseURL := cmp.Or(opt.BaseURL, m.old.Sources[name].BaseURL, m.old.Sources[m.old.Name].BaseURL, DefaultBaseURL)
	if root := m.old.Sources[name].Root; root != "" {
		return fmt.Errorf("source %s is the directory %s, and the files here are to be the source of that name: give one of them another name",
			templates.Quote(name), templates.Quote(root))
	}
	m.new = &RepoMetadata{Name: name, Sources: map[string]RepoSource{}, Templates: map[string]RepoTemplate{}, extra: m.old.extra}
	extra := m.old.Sources[name].extra
	if extra == nil {
		extra = m.old.Sources[m.old.Name].extra
	}
	m.new.Sources[name] = RepoSource{BaseURL: baseURL, extra: extra}
	return nil
}

// isOwn says whether a source of the old file is this repository: by its name,
// which generators took from the repository, or by its URL.
func (m *lagoMerge) isOwn(name string) bool {
	s := m.old.Sources[name]
	return s.Root == "" && (name == m.own || name == m.old.Name ||
		strings.TrimRight(s.BaseURL, "/") == strings.TrimRight(m.new.Sources[m.own].BaseURL, "/"))
}

// list lists the templates that are there.
func (m *lagoMerge) list() {
	type name struct{ template, version string }
	first := map[name]*repoSet{}
	conflicts := map[name]*templates.Conflict{}
	for _, t := range m.scan.templates {
		n := name{t.template, t.version}
		conflict := func(with templates.ConflictEntry, reason string) {
			if conflicts[n] == nil {
				conflicts[n] = &templates.Conflict{Name: n.template + ":" + n.version, Reason: reason, Entries: []templates.ConflictEntry{with}}
			}
			conflicts[n].Entries = append(conflicts[n].Entries, t.conflictEntry(m.scan))
		}
		if f := first[n]; f != nil {
			conflict(f.conflictEntry(m.scan), "both metadata say this name and version: correct one of them")
			continue
		}
		first[n] = t
		old, listed := m.old.Templates[n.template].Versions[n.version]
		if listed && !m.isOwn(old.Source) {
			conflict(templates.ConflictEntry{Source: old.Source + ":" + old.Handle, Template: n.template, Version: n.version, Timestamp: timeOf(old.Timestamp)},
				"this name and version are listed from another source: correct the template's metadata, or take it out of repo.metadata")
			continue
		}
		m.put(n.template, n.version, RepoVersion{Source: m.own, Handle: t.handle, Timestamp: t.timestamp, extra: old.extra})
	}
	for _, c := range conflicts {
		m.conflicts = append(m.conflicts, *c)
	}
	slices.SortFunc(m.conflicts, func(a, b templates.Conflict) int { return strings.Compare(a.Name, b.Name) })
}

// keep takes over what still holds of the rest: other sources with all that is in
// them, and versions of this one whose files are there.
func (m *lagoMerge) keep() {
	for name, s := range m.old.Sources {
		if !m.isOwn(name) {
			m.new.Sources[name] = s
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m.old.Templates)) {
		versions := m.old.Templates[name].Versions
		for _, version := range slices.Sorted(maps.Keys(versions)) {
			v := versions[version]
			_, listed := m.new.Templates[name].Versions[version]
			switch {
			case listed:
			case !m.isOwn(v.Source):
				m.put(name, version, v)
			case m.scan.complete(v.Handle):
				v.Source = m.own
				m.put(name, version, v)
			default:
				m.items = append(m.items, templates.Item{
					Template: name, Version: version, Handle: v.Handle, Destination: m.scan.path(templates.RepoMetadataName), State: templates.Skipped,
					Reason: fmt.Sprintf("was listed for lago and is no longer: not all files of %s are there", templates.Quote(v.Handle)),
				})
			}
		}
	}
}

func (m *lagoMerge) put(name, version string, v RepoVersion) {
	t, ok := m.new.Templates[name]
	if !ok {
		t = RepoTemplate{Versions: map[string]RepoVersion{}, extra: m.old.Templates[name].extra}
		m.new.Templates[name] = t
	}
	t.Versions[version] = v
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
