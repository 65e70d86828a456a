package main

import (
	"context"
	"errors"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

type normalizeCmd struct {
	selection
	Output string `short:"o" placeholder:"DIR" complete:"dir" help:"Where the canonical names go. Without it they go into SRC itself, which --mode link or move must ask for."`
	Mode   string `enum:"copy,link,move" default:"copy" help:"How a file comes to its name: ${enum}. Only move changes the source."`
	dryRun
}

func (normalizeCmd) Help() string {
	return `Gives the files of a cache the names they have on the server and packs nothing: phx_repo:el8.2-base:v1 becomes el8.2-base, with .hash and .metadata; rhel8/disk.img becomes rhel8.qcow2, with .sha1.

Examples:

    tplkit normalize -n /var/lib/lago/store                      # which name each would get
    tplkit normalize /var/lib/lago/store -o /srv/images
    tplkit normalize --mode link /var/lib/stdci/shared/kubevirt-images -o /srv/images
    tplkit normalize --mode move /var/lib/lago/store             # renamed where they are`
}

// Validate refuses to fill a cache with copies of itself unasked.
func (c *normalizeCmd) Validate() error {
	if err := c.selection.Validate(); err != nil {
		return err
	}
	if c.Output == "" && c.Mode == string(templates.ModeCopy) && !c.DryRun {
		return errors.New("--mode=copy needs a destination: name one with -o DIR, or rename the files where they are with --mode=move")
	}
	return nil
}

// Run scans and plans for all caches, then carries the plans out.
func (c *normalizeCmd) Run(ctx context.Context, s *session) (err error) {
	srcs, err := openSources(c.Src, c.Kind)
	if err != nil {
		return s.finish(nil, err)
	}
	defer func() { err = errors.Join(err, srcs.Close()) }()
	if err := srcs.apartFrom(c.Output); err != nil {
		return s.finish(nil, err)
	}
	p, err := c.plan(ctx, srcs)
	if err == nil && c.Output != "" {
		err = p.crossConflicts()
	}
	if err != nil || c.DryRun {
		return s.finish(p.report(true), err)
	}
	m := s.newMeter()
	rep, err := p.carryOut(
		func(src *source, lp *lagorepo.Plan) (*templates.Report, error) {
			return c.into(ctx, src, func(dst *publish.Dir) (*templates.Report, error) {
				return lp.Normalize(ctx, src.dir, dst, lagorepo.NormalizeOptions{Mode: templates.Mode(c.Mode), Progress: meterFunc(m)})
			})
		},
		func(src *source, kp *kubevirtimg.Plan) (*templates.Report, error) {
			return c.into(ctx, src, func(dst *publish.Dir) (*templates.Report, error) {
				return kp.Normalize(ctx, src.dir, dst, kubevirtimg.NormalizeOptions{Mode: templates.Mode(c.Mode), Progress: meterFunc(m)})
			})
		})
	m.Close()
	return s.finish(rep, err)
}

// into opens the destination for one source.
func (c *normalizeCmd) into(ctx context.Context, src *source, do func(*publish.Dir) (*templates.Report, error)) (rep *templates.Report, err error) {
	path := c.Output
	if path == "" {
		path = src.path
	}
	dst, err := publish.Open(ctx, path, publish.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	return do(dst)
}

// crossConflicts finds names that a template and a KubeVirt image both want in
// one directory; the two plans know nothing of each other.
func (p *plan) crossConflicts() error {
	if p.lago == nil || p.kube == nil {
		return nil
	}
	wanted := make(map[string]lagorepo.Action)
	for _, a := range p.lago.Actions {
		if a.State != templates.Planned {
			continue
		}
		f := templates.FilesOf(a.Handle)
		for _, name := range []string{a.Handle, f.Disk, f.Hash, f.Metadata} {
			wanted[name] = a
		}
	}
	var clash templates.ConflictError
	for _, k := range p.kube.Actions {
		if k.State != templates.Planned {
			continue
		}
		a, ok := wanted[k.Image]
		if !ok {
			continue
		}
		clash.Conflicts = append(clash.Conflicts, templates.Conflict{
			Name:   k.Image,
			Reason: "a template and a KubeVirt image want the name: give them directories of their own",
			Entries: []templates.ConflictEntry{
				{Source: a.Path(), Template: a.Template, Version: a.Version, Timestamp: a.ModTime.UTC()},
				{Source: k.Path(), Template: k.Dir, Timestamp: k.ModTime.UTC()},
			},
		})
	}
	if len(clash.Conflicts) > 0 {
		return &clash
	}
	return nil
}
