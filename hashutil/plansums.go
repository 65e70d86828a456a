package hashutil

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// sums makes the checks of one sums file.
func (p *plan) sums(name string, want Algorithm) {
	data, err := readSmall(p.tree.fsys, name, p.tree.types[name], MaxSums)
	if err != nil {
		p.sumsFault(name, want, StatusUnreadable, reason(err))
		return
	}
	entries, errs := parseSums(data, want)
	for _, err := range errs {
		p.sumsFault(name, want, StatusMalformed, reason(err))
	}
	type digest struct {
		image string
		alg   Algorithm
		hex   string
	}
	seen := map[digest]bool{}
	for _, e := range entries {
		rel := strings.TrimPrefix(e.Name, "./")
		if !fs.ValidPath(rel) || rel == "." {
			p.sumsFault(name, e.Algorithm, StatusMalformed, fmt.Sprintf(
				"line %d: expected a file below the directory, found the name %s", e.Line, quote(e.Name)))
			continue
		}
		image := path.Join(path.Dir(name), rel)
		d := digest{image, e.Algorithm, e.Hex}
		if !seen[d] && (p.asked(name) || p.asked(image)) {
			p.listed(name, image, e)
		}
		seen[d] = true
	}
}

// sumsFault reports what is wrong with a sums file itself, to whoever asked for
// it; whoever asked for one image gets that image's own results.
func (p *plan) sumsFault(name string, alg Algorithm, status Status, why string) {
	if p.asked(name) {
		p.result(FileResult{Path: name, Sidecar: name, Algorithm: alg, Status: status, Reason: why})
	}
}

// listed makes the check of one file by one line of a sums file.
func (p *plan) listed(sums, image string, e Entry) {
	mode, err := p.lookupBelow(path.Dir(sums), image)
	r := FileResult{Path: image, Sidecar: sums, Algorithm: e.Algorithm, Want: e.Hex}
	switch {
	case errors.Is(err, fs.ErrNotExist) || (err == nil && mode.IsDir()):
		r.Status, r.Reason = StatusOrphan, fmt.Sprintf("line %d lists it, but there is no such file", e.Line)
		p.result(r)
	case err != nil:
		r.Status, r.Reason = StatusUnreadable, reason(err)
		p.result(r)
	default:
		p.add(image, check{sidecar: sums, alg: e.Algorithm, entry: &e})
	}
}

// lookupBelow is lookup for a name that came out of a file: no directory on the
// way from base to it may be a link that leads elsewhere.
func (p *plan) lookupBelow(base, name string) (fs.FileMode, error) {
	for dir := path.Dir(name); dir != base; dir = path.Dir(dir) {
		mode, err := p.tree.lookup(dir)
		if err != nil {
			return 0, err
		}
		if !mode.IsDir() {
			return 0, fmt.Errorf("%s: expected a directory, found %s", quote(dir), typeName(mode))
		}
	}
	return p.tree.lookup(name)
}
