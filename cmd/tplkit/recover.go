package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

type recoverCmd struct {
	selection
	Tree     string `required:"" placeholder:"ROOT" complete:"dir" help:"The web root; templates go to ROOT/repo, KubeVirt images to ROOT/kubevirt."`
	RepoName string `placeholder:"N" help:"The repository's name in repo.metadata; by default what is there, else the store's own repository."`
	BaseURL  string `name:"base-url" placeholder:"U" help:"The URL of ROOT/repo in repo.metadata; by default what is there, else http://127.0.0.1:8181."`
	dryRun
}

func (recoverCmd) Help() string {
	return `Scans all caches, plans for all of them, and only then writes: packs lago's templates into ROOT/repo with .hash, .metadata, repo.metadata and virt-builder's index, copies KubeVirt's images into ROOT/kubevirt with .sha1. The caches are not changed. It can be killed at any moment and run again: what is finished is not done again.

Examples:

    tplkit recover -n /var/lib/lago/store --tree /srv/templates              # the plan
    tplkit recover /var/lib/lago/store --tree /srv/templates --base-url http://templates.example/repo/
    tplkit recover node1/store node2/store --tree /srv/templates --repo phx_repo --prefer newest
    tplkit recover /var/lib/stdci/shared/kubevirt-images --tree /srv/templates --name windows2016=win_16.img
    tplkit recover kubevirt-images --tree /srv/templates --names-from automation/test.sh`
}

// Validate checks what goes into repo.metadata before an hour of packing.
func (c *recoverCmd) Validate() error {
	return errors.Join(c.selection.Validate(), checkRepository(c.RepoName, c.BaseURL))
}

// checkRepository checks the name and URL of a repository where they are given.
func checkRepository(name, baseURL string) error {
	var errs []error
	if name != "" {
		errs = append(errs, lagorepo.CheckRepoName(name))
	}
	if baseURL != "" {
		errs = append(errs, lagorepo.CheckBaseURL(baseURL))
	}
	return errors.Join(errs...)
}

// Run scans and plans for all caches, carries the plans out, and writes the
// indexes last.
func (c *recoverCmd) Run(ctx context.Context, s *session) (err error) {
	srcs, err := openSources(c.Src, c.Kind)
	if err != nil {
		return s.finish(nil, err)
	}
	defer func() { err = errors.Join(err, srcs.Close()) }()
	if err := srcs.apartFrom(c.Tree); err != nil {
		return s.finish(nil, err)
	}
	p, err := c.plan(ctx, srcs)
	if err != nil || c.DryRun {
		rep := p.report(false)
		if err == nil && p.lago != nil {
			rep.Add(plannedIndex(templates.RepoMetadataName), plannedIndex(templates.IndexName))
		}
		return s.finish(rep, err)
	}
	m := s.newMeter()
	rep, err := c.carryOut(ctx, s, p, m)
	m.Close()
	return s.finish(rep, err)
}

func plannedIndex(name string) templates.Item {
	return templates.Item{
		Destination: path.Join(templates.RepoDir, name), State: templates.Planned,
		Reason: "would be made from all templates that are there then",
	}
}

func (c *recoverCmd) carryOut(ctx context.Context, s *session, p *plan, m meter) (rep *templates.Report, err error) {
	dst, err := publish.Open(ctx, c.Tree, publish.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	rep, err = p.carryOut(
		func(src *source, lp *lagorepo.Plan) (*templates.Report, error) {
			return lp.Recover(ctx, src.dir, dst, lagorepo.RecoverOptions{Jobs: s.Jobs, Progress: meterFunc(m)})
		},
		func(src *source, kp *kubevirtimg.Plan) (*templates.Report, error) {
			return kp.Recover(ctx, src.dir, dst, kubevirtimg.RecoverOptions{Progress: meterFunc(m)})
		})
	if err != nil || p.lago == nil {
		return rep, err
	}
	opt := lagorepo.IndexOptions{RepoName: c.RepoName, BaseURL: c.BaseURL, Jobs: s.Jobs, Progress: meterFunc(m)}
	if !c.indexed() {
		if opt.RepoName == "" {
			opt.RepoName = onlyRepo(p.lago)
		}
		if opt.BaseURL == "" {
			s.note("no --base-url, so repo.metadata says %s; set it with: tplkit index %s --base-url URL",
				lagorepo.DefaultBaseURL, filepath.Join(c.Tree, templates.RepoDir))
		}
	}
	index, err := lagorepo.WriteIndex(ctx, dst, templates.RepoDir, opt)
	rep.Merge(index)
	return rep, err
}

// indexed says whether there is a repo.metadata already, whose name and URL are
// kept.
func (c *recoverCmd) indexed() bool {
	_, err := os.Lstat(filepath.Join(c.Tree, templates.RepoDir, templates.RepoMetadataName))
	return !errors.Is(err, fs.ErrNotExist)
}

// onlyRepo is the repository that all recovered entries came from: lago called
// it by the name in its repo.metadata. It is "" where there are several, or
// where the name could not be written again.
func onlyRepo(p *lagorepo.Plan) string {
	var name string
	for _, a := range p.Actions {
		if a.State != templates.Planned {
			continue
		}
		if name != "" && a.Repo != name {
			return ""
		}
		name = a.Repo
	}
	if lagorepo.CheckRepoName(name) != nil {
		return ""
	}
	return name
}
