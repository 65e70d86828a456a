package imagespec

import (
	"context"
	"errors"
	"io/fs"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// Report lists the plan's steps in order, without a look at what is built
// already: see [Plan.DryRun].
func (p *Plan) Report() *templates.Report {
	r := new(templates.Report)
	for i := range p.Steps {
		st := &p.Steps[i]
		it := st.item("")
		if it.State == "" {
			it.State, it.Reason = templates.Planned, "would be built on "+st.Base.String()
			it.Destination = templates.FilesOf(st.Spec.ID).Disk
		}
		r.Add(it)
	}
	return r
}

// DryRun tells what [Plan.Build] would build into dir and why, in the order of
// the plan, and what it would leave as it is. Nothing is written, and dir need
// not be there; sources are asked whether they have changed. Missing tools are
// no error, but a part of the reason.
func (p *Plan) DryRun(ctx context.Context, dir string, opt BuildOptions) (report *templates.Report, err error) {
	if opt, err = opt.withDefaults(); err != nil {
		return nil, err
	}
	report = new(templates.Report)
	tools, missing := p.findTools(ctx, opt.Runner)
	if ctx.Err() != nil {
		return report, context.Cause(ctx)
	}
	var tree fs.FS = noFiles{}
	switch d, openErr := templates.OpenDir(dir); {
	case openErr == nil:
		defer func() { err = errors.Join(err, d.Close()) }()
		tree = d
	case !errors.Is(openErr, fs.ErrNotExist):
		return report, openErr
	}
	ask := &baseAsker{opt: opt, builder: tools["virt-builder"], known: map[string]baseFacts{}}
	decisions, err := p.decide(ctx, tree, tools, ask)
	if err != nil {
		return report, err
	}
	for i := range decisions {
		d := &decisions[i]
		it := p.Steps[i].item(opt.Format)
		it.Destination = templates.FilesOf(it.Handle).Disk
		switch {
		case d.err != nil:
			it.State, it.Error = templates.Failed, d.err.Error()
		case d.build:
			it.State, it.Reason = templates.Planned, d.sentence()
			if missing != nil {
				it.AddReason("cannot be built here: " + strings.ReplaceAll(missing.Error(), "\n", "; "))
			}
		default:
			it.State, it.Reason = templates.Unchanged, d.sentence()
		}
		report.Add(it)
	}
	return report, nil
}

// noFiles is a directory that is not there.
type noFiles struct{}

func (noFiles) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}
