package lagorepo

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// RepoMetadata is a repository's repo.metadata file, which lago reads first
// (templates.py, TemplateRepository):
//
//	{"name": "phx_repo",
//	 "sources": {"phx_repo": {"type": "http", "args": {"baseurl": "http://host/repo"}}},
//	 "templates": {"el8.2-base": {"versions": {
//	     "v1": {"source": "phx_repo", "handle": "el8.2-base", "timestamp": 1583020800}}}}}
//
// Historical generators filled templates in two ways, and both are the same
// format: a template named like its file with the one version "latest" and the
// file's time, or name, version and timestamp out of each template's metadata.
//
// Keys that lago does not know survive a rewrite, after the known ones.
type RepoMetadata struct {
	Name      string                  // of the repository: what lago puts in front of a template in its store
	Sources   map[string]RepoSource   // where handles are found, by the name that versions use
	Templates map[string]RepoTemplate // by the name users ask for

	extra []member
}

// RepoSource is a place that holds templates.
type RepoSource struct {
	BaseURL string // of type "http": handles are fetched from BaseURL + "/" + handle
	Root    string // of type "file": a directory; lago does not decompress what it finds there

	extra []member
}

// RepoTemplate is one template with its versions, at least one.
type RepoTemplate struct {
	Versions map[string]RepoVersion

	extra []member
}

// RepoVersion is one version of a template.
type RepoVersion struct {
	Source    string      // a key of [RepoMetadata.Sources]
	Handle    string      // of the files, below the source
	Timestamp json.Number // seconds since 1970, fractions allowed; the largest is what a user gets who names no version

	extra []member
}

// Keys of a repo.metadata.
const (
	keySources   = "sources"
	keyTemplates = "templates"
	keyVersions  = "versions"
	keySource    = "source"
	keyHandle    = "handle"
	keyType      = "type"
	keyArgs      = "args"
	keyBaseURL   = "baseurl"
	keyRoot      = "root"
)

// repoKeys names the known keys of each object in a repo.metadata.
func repoKeys(path []string) []string {
	switch {
	case len(path) == 0:
		return []string{KeyName, keySources, keyTemplates}
	case path[0] == keySources && len(path) == 2:
		return []string{keyType, keyArgs}
	case path[0] == keySources && len(path) == 3 && path[2] == keyArgs:
		return []string{keyBaseURL, keyRoot}
	case path[0] == keyTemplates && len(path) == 2:
		return []string{keyVersions}
	case path[0] == keyTemplates && len(path) == 4 && path[2] == keyVersions:
		return []string{keySource, keyHandle, KeyTimestamp}
	}
	return nil
}

// ParseRepoMetadata reads a repo.metadata as strictly as [ParseMetadata] reads a
// template's, and refuses what would make lago fail or fetch something else than
// it says: a timestamp that is a string (lago compares it with numbers), a
// version without a source or a template without a version, a source that is
// neither http nor file, and names that are not safe in a shell's double quotes
// (see [templates.CheckTemplate]) or in a URL. The error is a [*JSONError] and
// does not name the file.
func ParseRepoMetadata(data []byte) (*RepoMetadata, error) {
	members, err := strictObject(data, repoKeys)
	if err != nil {
		return nil, err
	}
	m := &RepoMetadata{Sources: map[string]RepoSource{}, Templates: map[string]RepoTemplate{}}
	r := repoReader{m: m}
	for _, mem := range members {
		switch mem.key {
		case KeyName:
			m.Name = r.text(mem.raw, "name")
		case keySources:
			for _, s := range r.object(mem.raw, "sources") {
				m.Sources[s.key] = r.source(s.raw, "source "+templates.Quote(s.key))
			}
		case keyTemplates:
			for _, t := range r.object(mem.raw, "templates") {
				r.name(templates.CheckTemplate(t.key))
				m.Templates[t.key] = r.template(t.raw, "template "+templates.Quote(t.key))
			}
		default:
			m.extra = append(m.extra, mem)
		}
	}
	r.name(CheckRepoName(m.Name))
	r.references()
	if r.err != nil {
		return nil, r.err
	}
	return m, nil
}

// CheckRepoName says whether s can be a repository's name: the characters of a
// handle. lago makes it a part of file names and divides it from the template
// with a colon.
func CheckRepoName(s string) error {
	if templates.CheckVersion(s) != nil {
		return fmt.Errorf("repository name %s: must consist of A-Z a-z 0-9 . _ + -, begin with a letter or digit and be at most 128 long", templates.Quote(s))
	}
	return nil
}

// CheckBaseURL says whether s can be the base URL of an http source, to which
// clients append "/" and a handle.
func CheckBaseURL(s string) error {
	u, err := url.Parse(s)
	bad := func(want string) error { return fmt.Errorf("base URL %s: %s", templates.Quote(s), want) }
	switch {
	case err != nil:
		return bad("must be a URL as http://host/repo")
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("must begin with http:// or https://")
	case u.Hostname() == "":
		return bad("must name a host")
	case u.RawQuery != "" || u.Fragment != "" || strings.ContainsAny(s, "?#"):
		return bad("must end with a path, since the handle is appended to it")
	case strings.ContainsAny(s, " \t\"$`\\'<>"):
		return bad("must not contain blanks or quotes")
	}
	return nil
}

// checkRepoHandle is [templates.CheckHandle] for a handle in somebody's
// repo.metadata: it may lie in a directory below the source, and end in .xz.
func checkRepoHandle(s string) error {
	for _, element := range strings.Split(s, "/") {
		if templates.CheckVersion(element) != nil {
			return fmt.Errorf("handle %s: must consist of A-Z a-z 0-9 . _ + - and slashes, without \"..\"", templates.Quote(s))
		}
	}
	return nil
}
