package audit

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/tplkit/tplkit/templates"
)

// maxMetadata is what readers of repo.metadata take.
const maxMetadata = 1 << 20

// repoMetadata looks whether the files are there that lago asks for by what
// repo.metadata says. It reads no more of it than that needs; whether lago
// reads all of it is for "tplkit index" to say.
func (a *auditor) repoMetadata() {
	name := path.Join(templates.RepoDir, templates.RepoMetadataName)
	data, ok := a.readAll(name, maxMetadata)
	if !ok {
		return
	}
	var repo struct {
		Sources   map[string]struct{ Type string }
		Templates map[string]struct {
			Versions map[string]struct{ Source, Handle string }
		}
	}
	if err := json.Unmarshal(data, &repo); err != nil {
		a.add(Fault, KindMetadata, name, "is not the JSON that lago reads: "+err.Error(), "write it again")
		return
	}
	for _, template := range slices.Sorted(maps.Keys(repo.Templates)) {
		versions := repo.Templates[template].Versions
		for _, version := range slices.Sorted(maps.Keys(versions)) {
			if a.ended() != nil {
				return
			}
			v := versions[version]
			if repo.Sources[v.Source].Type != "http" {
				continue // its files lie elsewhere
			}
			a.template(name, fmt.Sprintf("template %s, version %s", templates.Quote(template), templates.Quote(version)), v.Handle)
		}
	}
}

// template looks for the three files of a handle, as lago does: the disk with
// .xz or without.
func (a *auditor) template(name, what, handle string) {
	if !fs.ValidPath(handle) || handle == "." {
		a.add(Fault, KindMetadata, name, fmt.Sprintf("%s has the handle %s, which names no file", what, templates.Quote(handle)), "write it again")
		return
	}
	files := templates.FilesOf(handle)
	for _, either := range [][]string{{files.Disk, handle}, {files.Hash}, {files.Metadata}} {
		if !slices.ContainsFunc(either, a.inRepo) {
			a.add(Fault, KindMetadata, name, fmt.Sprintf("%s: %s is not there", what, quoted(either)), "publish the file, or write repo.metadata again: lago gives up on this template")
		}
	}
}

func (a *auditor) inRepo(name string) bool {
	fi, err := a.dir.Stat(path.Join(templates.RepoDir, name))
	return err == nil && fi.Mode().IsRegular()
}
