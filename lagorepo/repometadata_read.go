package lagorepo

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/tplkit/tplkit/templates"
)

// repoReader reads the parts of a repo.metadata, whose syntax has been checked,
// and keeps the first fault in what they say.
type repoReader struct {
	m   *RepoMetadata
	err error
}

func (r *repoReader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = &JSONError{Reason: fmt.Sprintf(format, args...)}
	}
}

func (r *repoReader) name(err error) {
	if err != nil {
		r.fail("%v", err)
	}
}

func (r *repoReader) object(raw json.RawMessage, what string) []member {
	if raw[0] != '{' {
		r.fail("%s: must be an object, found %s", what, kindOf(raw[0]))
		return nil
	}
	members, err := strictObject(raw, nil)
	r.name(err)
	return members
}

func (r *repoReader) text(raw json.RawMessage, what string) (s string) {
	if raw[0] != '"' {
		r.fail("%s: must be a string, found %s", what, kindOf(raw[0]))
		return ""
	}
	r.name(json.Unmarshal(raw, &s))
	return s
}

func (r *repoReader) source(raw json.RawMessage, what string) RepoSource {
	var s RepoSource
	var kind string
	var args []member
	for _, mem := range r.object(raw, what) {
		switch mem.key {
		case keyType:
			kind = r.text(mem.raw, what+": type")
		case keyArgs:
			args = r.object(mem.raw, what+": args")
		default:
			s.extra = append(s.extra, mem)
		}
	}
	var want string
	switch kind {
	case "http":
		want = keyBaseURL
	case "file":
		want = keyRoot
	default:
		r.fail("%s: type: must be \"http\" or \"file\", found %s", what, templates.Quote(kind))
		return s
	}
	// lago hands args to a constructor, which takes this one and no other.
	if len(args) != 1 || args[0].key != want {
		r.fail("%s: args: must hold %q and nothing else", what, want)
		return s
	}
	value := r.text(args[0].raw, what+": "+want)
	if kind == "file" {
		s.Root = value
		if value == "" {
			r.fail("%s: root: must name a directory, is empty", what)
		}
		return s
	}
	s.BaseURL = value
	if err := CheckBaseURL(value); err != nil {
		r.fail("%s: %v", what, err)
	}
	return s
}

func (r *repoReader) template(raw json.RawMessage, what string) RepoTemplate {
	t := RepoTemplate{Versions: map[string]RepoVersion{}}
	for _, mem := range r.object(raw, what) {
		if mem.key != keyVersions {
			t.extra = append(t.extra, mem)
			continue
		}
		for _, v := range r.object(mem.raw, what+": versions") {
			if err := templates.CheckVersion(v.key); err != nil {
				r.fail("%s: %v", what, err)
			}
			t.Versions[v.key] = r.version(v.raw, what+": version "+templates.Quote(v.key))
		}
	}
	if len(t.Versions) == 0 {
		r.fail("%s: must have a version, and lago fails on one that has none", what)
	}
	return t
}

func (r *repoReader) version(raw json.RawMessage, what string) RepoVersion {
	var v RepoVersion
	for _, mem := range r.object(raw, what) {
		switch mem.key {
		case keySource:
			v.Source = r.text(mem.raw, what+": source")
		case keyHandle:
			v.Handle = r.text(mem.raw, what+": handle")
		case KeyTimestamp:
			v.Timestamp = r.timestamp(mem.raw, what)
		default:
			v.extra = append(v.extra, mem)
		}
	}
	if err := checkRepoHandle(v.Handle); err != nil {
		r.fail("%s: %v", what, err)
	}
	if v.Timestamp == "" {
		r.fail("%s: timestamp: missing", what)
	}
	return v
}

func (r *repoReader) timestamp(raw json.RawMessage, what string) json.Number {
	text := string(raw)
	switch {
	case raw[0] == '"':
		r.fail("%s: timestamp: must be a number, found the string %s: lago compares timestamps, and a string with a number makes it fail; take the quotes away",
			what, templates.Quote(text))
	case !isUsableTimestamp(text):
		r.fail("%s: timestamp: must be a number of seconds since 1970, found %s", what, templates.Quote(text))
	}
	return json.Number(text)
}

// references makes sure that every version's source is there. It goes through
// them in order, so that the same file always gives the same error.
func (r *repoReader) references() {
	for _, name := range slices.Sorted(maps.Keys(r.m.Templates)) {
		for _, version := range slices.Sorted(maps.Keys(r.m.Templates[name].Versions)) {
			source := r.m.Templates[name].Versions[version].Source
			if _, ok := r.m.Sources[source]; !ok {
				r.fail("template %s: version %s: source %s is not among the sources",
					templates.Quote(name), templates.Quote(version), templates.Quote(source))
			}
		}
	}
}
