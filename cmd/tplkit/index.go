package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

type indexCmd struct {
	Dir        string `arg:"" complete:"dir" help:"The directory with the templates, as /srv/templates/repo."`
	RepoName   string `placeholder:"N" help:"The repository's name in repo.metadata; may be left away where there is one already."`
	BaseURL    string `name:"base-url" placeholder:"U" help:"The URL of DIR in repo.metadata; may be left away where there is one already."`
	RepoFormat string `enum:"all,lago,virt-builder" default:"all" help:"Which indexes to write: ${enum}. lago reads repo.metadata, virt-builder reads index."`
	Versions   string `enum:"metadata,latest" default:"metadata" help:"Names and versions in repo.metadata: ${enum}. With latest each file is one template of the version latest."`
	dryRun
}

func (indexCmd) Help() string {
	return `Writes repo.metadata and virt-builder's index from the files that are there. Revisions rise where a template's bytes have changed; what was written into the indexes by hand survives.

Examples:

    tplkit index /srv/templates/repo --repo-name phx --base-url http://templates.example/repo/
    tplkit index /srv/templates/repo                             # again, with the same name and URL
    tplkit index -n --repo-format virt-builder /srv/templates/repo`
}

// Validate checks the name and the URL.
func (c *indexCmd) Validate() error { return checkRepository(c.RepoName, c.BaseURL) }

// Run writes the indexes.
func (c *indexCmd) Run(ctx context.Context, s *session) (err error) {
	dir, err := templates.OpenDir(c.Dir)
	if err != nil {
		return s.finish(nil, err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	if err := c.check(); err != nil {
		return err
	}
	m := s.newMeter()
	opt := lagorepo.IndexOptions{
		RepoName: c.RepoName, BaseURL: c.BaseURL, Jobs: s.Jobs, Progress: meterFunc(m),
		Format: lagorepo.IndexFormat(c.RepoFormat), Versions: lagorepo.Versions(c.Versions),
	}
	var rep *templates.Report
	if c.DryRun {
		var p *lagorepo.IndexPlan
		p, err = lagorepo.PlanIndex(ctx, dir, ".", opt)
		rep = p.Report()
	} else {
		rep, err = c.write(ctx, opt)
	}
	m.Close()
	return s.finish(rep, err)
}

// check refuses what would write an index that no client could use.
func (c *indexCmd) check() error {
	if st, err := os.Stat(filepath.Join(c.Dir, templates.RepoDir)); err == nil && st.IsDir() {
		return usagef("%s holds a directory %s: name that one", quote(c.Dir), quote(templates.RepoDir))
	}
	if c.RepoFormat == string(lagorepo.IndexVirtBuilder) || c.RepoName != "" && c.BaseURL != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(c.Dir, templates.RepoMetadataName)); err != nil {
		return usagef("there is no %s in %s yet, so it needs both --repo-name and --base-url", templates.RepoMetadataName, quote(c.Dir))
	}
	return nil
}

func (c *indexCmd) write(ctx context.Context, opt lagorepo.IndexOptions) (rep *templates.Report, err error) {
	dst, err := publish.Open(ctx, c.Dir, publish.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	return lagorepo.WriteIndex(ctx, dst, ".", opt)
}
