package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// selection are the flags that say which entries of which caches are wanted,
// and under which names.
type selection struct {
	Src       []string `arg:"" complete:"dir" help:"Caches: lago stores, directories of KubeVirt images."`
	Kind      string   `enum:"auto,lago,kubevirt" default:"auto" help:"What SRC are: ${enum}; auto looks at their content."`
	Repo      string   `placeholder:"NAME" help:"Only the entries NAME:TEMPLATE:VERSION of a lago store."`
	Prefer    string   `enum:"error,newest" default:"error" help:"Where two entries want one name: ${enum}. With error nothing is written and all conflicts are listed."`
	Name      []string `sep:"none" placeholder:"DIR=IMAGE" help:"The image in DIR of a KubeVirt cache is called IMAGE on the server. May be repeated."`
	NamesFrom string   `placeholder:"SCRIPT" complete:"file" help:"Read the names of KubeVirt images out of automation/test.sh of kubevirt or common-templates."`

	names []kubevirtimg.Name
}

// Validate reads the names, which are wrong use if they are wrong.
func (f *selection) Validate() error {
	f.names = nil
	for _, text := range f.Name {
		n, err := kubevirtimg.ParseName(text)
		if err != nil {
			return fmt.Errorf("--name: %w", err)
		}
		f.names = append(f.names, n)
	}
	return nil
}

// plan is what is to be done with the entries of all caches.
type plan struct {
	srcs sources
	lago *lagorepo.Plan    // nil without a lago store
	kube *kubevirtimg.Plan // nil without a KubeVirt cache
}

// plan scans all caches and plans for them together, so that every conflict is
// found before anything is written. The plan is there to be shown even where
// the error is a [*templates.ConflictError].
func (f *selection) plan(ctx context.Context, srcs sources) (*plan, error) {
	p := &plan{srcs: srcs}
	lago, kube, err := scan(ctx, srcs)
	if err != nil {
		return p, err
	}
	kopt := kubevirtimg.PlanOptions{Names: f.names, PreferNewest: f.Prefer == string(lagorepo.PreferNewest)}
	if f.NamesFrom != "" {
		if kopt.Script, err = readNames(f.NamesFrom); err != nil {
			return p, err
		}
	}
	var clash templates.ConflictError
	if lago != nil {
		p.lago, err = lagorepo.NewPlan(lago, lagorepo.PlanOptions{Repo: f.Repo, Prefer: lagorepo.Prefer(f.Prefer)})
		if err := collect(&clash, err); err != nil {
			return p, err
		}
	}
	if kube != nil {
		p.kube, err = kubevirtimg.NewPlan(kube, kopt)
		if err := collect(&clash, err); err != nil {
			return p, err
		}
	}
	if len(clash.Conflicts) > 0 {
		return p, &clash
	}
	return p, nil
}

// scan lists the entries of all caches; a nil list means that there is no cache
// of that kind.
func scan(ctx context.Context, srcs sources) (lago []lagorepo.Entry, kube []kubevirtimg.Entry, err error) {
	for _, src := range srcs {
		switch src.kind {
		case kindLago:
			found, err := lagorepo.ScanStore(ctx, src.dir)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", quote(src.path), err)
			}
			for i := range found {
				found[i].Store = src.path
			}
			lago = append(lago, found...)
			if lago == nil {
				lago = []lagorepo.Entry{}
			}
		case kindKubeVirt:
			found, err := kubevirtimg.ScanCache(ctx, src.dir)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", quote(src.path), err)
			}
			for i := range found {
				found[i].Cache = src.path
			}
			kube = append(kube, found...)
			if kube == nil {
				kube = []kubevirtimg.Entry{}
			}
		}
	}
	return lago, kube, nil
}

// readNames reads a script of KubeVirt. The file is the operator's, and is
// read, never run.
func readNames(path string) ([]kubevirtimg.ScriptName, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	found, err := kubevirtimg.NamesFromScript(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", quote(path), err)
	}
	if len(found.Names) == 0 {
		return nil, fmt.Errorf("%s: asks for no image; is it automation/test.sh of kubevirt or common-templates?", quote(path))
	}
	return found.Names, nil
}

// collect takes the conflicts out of err.
func collect(into *templates.ConflictError, err error) error {
	var clash *templates.ConflictError
	if errors.As(err, &clash) {
		into.Conflicts = append(into.Conflicts, clash.Conflicts...)
		return nil
	}
	return err
}

// report tells the plan; normalized says whether for normalize or for recover.
func (p *plan) report(normalized bool) *templates.Report {
	rep := &templates.Report{}
	if p.lago != nil {
		if normalized {
			rep.Merge(p.lago.NormalizeReport())
		} else {
			rep.Merge(p.lago.Report())
		}
	}
	if p.kube != nil {
		if normalized {
			rep.Merge(p.kube.NormalizeReport())
		} else {
			rep.Merge(p.kube.Report())
		}
	}
	return rep
}

// carryOut does, cache by cache, what the plan says, and ends with the first
// error; what was done before it is in the report.
func (p *plan) carryOut(lago func(*source, *lagorepo.Plan) (*templates.Report, error), kube func(*source, *kubevirtimg.Plan) (*templates.Report, error)) (*templates.Report, error) {
	rep := &templates.Report{}
	for i := range p.srcs {
		src := &p.srcs[i]
		var r *templates.Report
		var err error
		switch src.kind {
		case kindLago:
			r, err = lago(src, p.lago.ForStore(src.path))
		case kindKubeVirt:
			r, err = kube(src, p.kube.ForCache(src.path))
		}
		rep.Merge(r)
		if err != nil {
			return rep, err
		}
	}
	if p.kube != nil {
		// What belongs to no cache: names that were given for directories
		// that are not there.
		rep.Merge(p.kube.ForCache("").Report())
	}
	return rep, nil
}
