package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/lagorepo/imagespec"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

type buildCmd struct {
	Specs          []string      `short:"s" sep:"none" default:"image-specs" placeholder:"SPEC" complete:"file" help:"Image-specs: files, or directories of them (${default}). May be repeated."`
	Output         string        `short:"o" name:"repo-dir" aliases:"output" default:"image-repo" placeholder:"DIR" complete:"dir" help:"The repository's directory (${default}); it is made where it is missing."`
	RepoName       string        `placeholder:"N" help:"The repository's name in repo.metadata; by default what is there, else test."`
	BaseURL        string        `name:"base-url" placeholder:"U" help:"The URL of the repository in repo.metadata; by default what is there, else http://127.0.0.1:8181."`
	RepoFormat     string        `short:"f" enum:"all,lago,virt-builder" default:"all" help:"For which clients the repository is: ${enum}."`
	CreateRepoOnly bool          `xor:"what" help:"Build nothing; write the indexes of what is there."`
	Force          bool          `xor:"what" help:"Build what is unchanged, too, and replace images that were not built from a spec."`
	KeepGoing      bool          `short:"k" help:"Build what does not stand on what failed."`
	KeepTemp       bool          `help:"Leave the staging directory in DIR, with each image's log."`
	Layered        bool          `help:"Publish the layers of images that stand on another spec's, too, in DIR/layers."`
	Level          string        `enum:"fast,balanced,best" default:"best" help:"How much work goes into small packed images: ${enum}."`
	Timeout        time.Duration `default:"2h" placeholder:"TIME" help:"The longest that one tool may run (${default})."`
	Space          byteSize      `default:"6GiB" placeholder:"SIZE" help:"What has to be free for each image that is being built (${default})."`
	dryRun
}

func (buildCmd) Help() string {
	return `Builds disk images from image-specs with virt-builder, virt-customize, virt-sysprep, virt-sparsify and qemu-img, and makes a repository for lago and virt-builder of them. Only what has changed is built again: a spec's text, its base, the versions of the tools. Images are built beside each other, as -j and the free space allow, each after its base.

Examples:

    tplkit build --repo-name myrepo --base-url http://myrepo/                # image-specs becomes image-repo
    tplkit build -n                                                          # what would be built, in which order, and why
    tplkit build -s el8-base -s more-specs -o /srv/templates/repo --keep-going
    tplkit build --create-repo-only -f lago`
}

// Validate checks the name and the URL before hours of building.
func (c *buildCmd) Validate() error {
	if c.Timeout <= 0 {
		return fmt.Errorf("--timeout=%v: must be more than 0, as 30m or 2h", c.Timeout)
	}
	if c.Space <= 0 {
		return errors.New("--space: must be more than 0, as 6GiB")
	}
	return checkRepository(c.RepoName, c.BaseURL)
}

// Run plans and builds.
func (c *buildCmd) Run(ctx context.Context, s *session) error {
	level, err := xzpack.ParseLevel(c.Level)
	if err != nil {
		return usagef("--level: %v", err)
	}
	plan, err := c.plan(ctx)
	if err != nil {
		return s.finish(nil, err)
	}
	opt := imagespec.BuildOptions{
		Format: lagorepo.IndexFormat(c.RepoFormat), RepoName: c.RepoName, BaseURL: c.BaseURL,
		Jobs: s.Jobs, Force: c.Force, KeepGoing: c.KeepGoing, KeepTemp: c.KeepTemp, Layered: c.Layered, CreateRepoOnly: c.CreateRepoOnly,
		StepTimeout: c.Timeout, SpacePerImage: int64(c.Space), Level: level, Version: programVersion(),
	}
	if c.DryRun {
		return c.show(ctx, s, plan, opt)
	}
	m := s.newMeter()
	opt.Progress = s.buildProgress(m)
	rep, err := c.build(ctx, plan, opt)
	m.Close()
	return s.finish(rep, err)
}

func (c *buildCmd) plan(ctx context.Context) (*imagespec.Plan, error) {
	if c.CreateRepoOnly {
		return &imagespec.Plan{}, nil
	}
	specs, err := imagespec.Load(ctx, c.Specs)
	if err != nil {
		return nil, err
	}
	return imagespec.NewPlan(specs, imagespec.PlanOptions{Format: lagorepo.IndexFormat(c.RepoFormat)})
}

func (c *buildCmd) build(ctx context.Context, plan *imagespec.Plan, opt imagespec.BuildOptions) (rep *templates.Report, err error) {
	dst, err := publish.Open(ctx, c.Output, publish.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	rep, err = plan.Build(ctx, dst, opt)
	if rep != nil {
		c.locate(rep)
	}
	return rep, err
}

// locate makes the names in the repository's directory paths.
func (c *buildCmd) locate(rep *templates.Report) {
	for i := range rep.Items {
		if it := &rep.Items[i]; it.Destination != "" {
			it.Destination = filepath.Join(c.Output, filepath.FromSlash(it.Destination))
		}
	}
}

// show prints the plan. Its JSON form says of each item, too, what it stands on.
func (c *buildCmd) show(ctx context.Context, s *session, plan *imagespec.Plan, opt imagespec.BuildOptions) error {
	if c.CreateRepoOnly {
		return usagef("-n with --create-repo-only: use tplkit index -n %s", c.Output)
	}
	rep, err := plan.DryRun(ctx, c.Output, opt)
	if rep != nil {
		c.locate(rep)
	}
	if !s.JSON || err != nil {
		return s.finish(rep, err)
	}
	doc := buildPlanDocument{Items: []buildPlanItem{}, Conflicts: []templates.Conflict{}, Summary: rep.Summary}
	for i, it := range rep.Items {
		st := plan.Steps[i]
		after := st.After
		if after == nil {
			after = []string{}
		}
		doc.Items = append(doc.Items, buildPlanItem{it, st.Spec.ID, st.Base.String(), after})
	}
	if doc.Summary == nil {
		doc.Summary = map[templates.State]int{}
	}
	if err := s.document(doc); err != nil {
		return err
	}
	return reportOutcome(rep)
}

// buildPlanDocument is the JSON document of build -n: that of every command that
// works on images, with more in each item.
type buildPlanDocument struct {
	Items     []buildPlanItem         `json:"items"`
	Conflicts []templates.Conflict    `json:"conflicts"`
	Summary   map[templates.State]int `json:"summary"`
}

type buildPlanItem struct {
	templates.Item
	ID    string   `json:"id"`
	Base  string   `json:"base"`
	After []string `json:"after"` // the specs it stands on, nearest first
}

// buildProgress shows bars for what can be counted. Tools do not tell how far
// they are: where no bars are drawn, a line says which one has begun.
func (s *session) buildProgress(m meter) func(imagespec.Progress) {
	_, asLines := m.(*lines)
	return func(p imagespec.Progress) {
		item := p.Step
		if p.ID != "" {
			item = p.ID + ": " + p.Step
		}
		switch begun := p.Done == 0 && p.Total == 0; {
		case begun && asLines:
			fmt.Fprintf(s.stderr, "%s: %s\n", quote(p.ID), p.Step)
		case begun:
			m.Update(item, 0, 1) // what its end will say
		default:
			m.Update(item, p.Done, p.Total)
		}
	}
}

// programVersion is what the records of built images say of this program.
func programVersion() string {
	return versionOf(debug.ReadBuildInfo()).Version
}
