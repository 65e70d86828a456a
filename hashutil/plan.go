package hashutil

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// target is one file to read, with everything that speaks of it.
type target struct {
	path   string
	mode   fs.FileMode
	checks []check
}

// check is one digest that a target is compared with.
type check struct {
	sidecar string
	mode    fs.FileMode // of the sidecar
	alg     Algorithm
	hash    bool   // the sidecar is an H.hash: lago's rules hold
	exact   bool   // KubeVirt's rules hold
	missing bool   // there is no sidecar; this one should be
	entry   *Entry // from a sums file; nil: the sidecar is still to be read
	second  bool   // the sidecar is H.hash, the target is H and there is an H.xz
	kind    Kind
}

// plan turns a tree into targets, and into results where there is nothing to
// read.
type plan struct {
	tree     *tree
	opt      VerifyOptions
	names    map[string]bool // nil: all
	targets  map[string]*target
	results  []FileResult
	answered map[string]bool // names about which there is, or will be, a result
}

func newPlan(t *tree, opt VerifyOptions) *plan {
	p := &plan{tree: t, opt: opt, targets: map[string]*target{}, answered: map[string]bool{}}
	if opt.Names != nil {
		p.names = map[string]bool{}
		for _, name := range opt.Names {
			p.names[name] = true
		}
	}
	return p
}

// make reads the sums files and finds a target, or a result, for everything
// that was asked for.
func (p *plan) make(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(p.tree.types)) {
		if !p.tree.file(name) {
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if images, alg, ok := ImageFor(name); ok {
			p.sidecar(name, images, alg)
		} else if alg, ok := SumsFile(name); ok {
			p.sums(name, alg)
		}
	}
	for name := range p.tree.types {
		if p.tree.file(name) && p.asked(name) && p.targets[name] == nil &&
			(needsSidecar(name) || (p.names[name] && !p.answered[name])) {
			p.missing(name)
		}
	}
	for name, err := range p.tree.bad {
		p.result(FileResult{Path: name, Status: StatusUnreadable, Reason: reason(err)})
	}
	for name := range p.names {
		if _, err := p.tree.lookup(name); errors.Is(err, fs.ErrNotExist) && !p.answered[name] {
			p.result(FileResult{Path: name, Status: StatusUnreadable, Reason: "there is no such file"})
		}
	}
	return nil
}

// ordered gives the targets in the order of their names.
func (p *plan) ordered() []*target {
	var targets []*target
	for _, name := range slices.Sorted(maps.Keys(p.targets)) {
		targets = append(targets, p.targets[name])
	}
	return targets
}

func (p *plan) result(r FileResult) {
	p.results = append(p.results, r)
	p.answered[r.Path], p.answered[r.Sidecar] = true, true
}

// asked reports whether a file is among those to verify.
func (p *plan) asked(name string) bool {
	if p.names == nil || p.names["."] {
		return true
	}
	for {
		if p.names[name] {
			return true
		}
		i := strings.LastIndexByte(name, '/')
		if i < 0 {
			return false
		}
		name = name[:i]
	}
}

// sidecar makes the checks of one sidecar.
func (p *plan) sidecar(name string, images []string, alg Algorithm) {
	there := slices.DeleteFunc(slices.Clone(images), func(image string) bool { return !p.tree.file(image) })
	if len(there) == 0 {
		if p.asked(name) || slices.ContainsFunc(images, func(image string) bool { return p.names[image] }) {
			p.result(FileResult{
				Path: name, Sidecar: name, Algorithm: alg, Status: StatusOrphan,
				Reason: "there is no " + strings.Join(quoteBases(images), " and no "),
			})
			for _, image := range images {
				p.answered[image] = true
			}
		}
		return
	}
	for i, image := range there {
		if !p.asked(name) && !p.asked(image) {
			continue
		}
		c := check{sidecar: name, mode: p.tree.types[name], alg: alg, hash: path.Ext(name) == hashSuffix}
		c.exact = path.Ext(name) == "."+string(SHA1) && p.place(image).kubevirt
		c.second = i > 0
		p.add(image, c)
	}
}

// missing makes the check of an image that no sidecar speaks of.
func (p *plan) missing(name string) {
	at := p.place(name)
	c := check{missing: true, alg: SHA1, sidecar: SidecarFor(name, SHA1), kind: KubeVirtSHA1}
	packed := strings.HasSuffix(name, xzSuffix) && !strings.HasSuffix(name, ".tar"+xzSuffix)
	switch {
	case at.kubevirt:
		c.exact = true
	case at.bundles:
		c.alg, c.sidecar, c.kind = MD5, SidecarFor(name, MD5), GNU
	case packed || at.repo:
		c.hash, c.sidecar, c.kind = true, HashFor(name), LagoHash
		c.second = !strings.HasSuffix(name, xzSuffix) && p.tree.file(name+xzSuffix)
	}
	p.add(name, c)
}

// add gives a file one more check.
func (p *plan) add(name string, c check) {
	t := p.targets[name]
	if t == nil {
		mode, _ := p.tree.lookup(name) // what is gone by now fails when opened
		t = &target{path: name, mode: mode}
		p.targets[name] = t
	}
	t.checks = append(t.checks, c)
	p.answered[name], p.answered[c.sidecar] = true, true
}
