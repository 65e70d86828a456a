package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

const (
	repoName = "phx_repo"
	baseURL  = "http://templates.example/repo"
)

// recoverLago goes through the three steps one by one: what a scan finds, what a
// plan makes of it, and what was done.
func (s *session) recoverLago(ctx context.Context) (err error) {
	src, err := templates.OpenDir(s.store) // opens regular files below it, nothing else
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	entries, err := lagorepo.ScanStore(ctx, src)
	if err != nil {
		return err
	}
	s.printf("   The scan says:\n")
	for _, e := range entries {
		s.printf("     %-32s %-12s %s\n", e.Name, e.State, e.Reason)
	}
	plan, err := lagorepo.NewPlan(entries, lagorepo.PlanOptions{})
	if err != nil {
		return err
	}
	s.printf("   The plan:\n")
	s.printReport(plan.Report())

	return s.publish(ctx, func(dst *publish.Dir) (*templates.Report, error) {
		return plan.Recover(ctx, src, dst, lagorepo.RecoverOptions{})
	})
}

func (s *session) recoverKubeVirt(ctx context.Context) (err error) {
	src, err := templates.OpenDir(s.cache)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	entries, err := kubevirtimg.ScanCache(ctx, src)
	if err != nil {
		return err
	}
	// KubeVirt's scripts have asked for windows2016 under two names. The name is
	// not guessed: it has to be given.
	plan, err := kubevirtimg.NewPlan(entries, kubevirtimg.PlanOptions{
		Names: []kubevirtimg.Name{{Dir: "windows2016", Image: "win_16.img"}},
	})
	if err != nil {
		return err
	}
	return s.publish(ctx, func(dst *publish.Dir) (*templates.Report, error) {
		return plan.Recover(ctx, src, dst, kubevirtimg.RecoverOptions{})
	})
}

func (s *session) writeIndexes(ctx context.Context) error {
	return s.publish(ctx, func(dst *publish.Dir) (*templates.Report, error) {
		return lagorepo.WriteIndex(ctx, dst, templates.RepoDir, lagorepo.IndexOptions{RepoName: repoName, BaseURL: baseURL})
	})
}

// publish opens the tree for publishing, which one process at a time can do, and
// prints what was done.
func (s *session) publish(ctx context.Context, do func(*publish.Dir) (*templates.Report, error)) (err error) {
	dst, err := publish.Open(ctx, s.tree, publish.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	report, err := do(dst)
	if err != nil {
		return err
	}
	s.printf("   Done:\n")
	s.printReport(report)
	if report.Failed() {
		return errors.New("an item failed; see above")
	}
	return nil
}

func (s *session) printReport(r *templates.Report) {
	for _, it := range r.Items {
		what := it.Source
		if it.Destination != "" {
			what = fmt.Sprintf("%s → %s", it.Source, it.Destination)
			if it.Source == "" {
				what = it.Destination
			}
		}
		s.printf("     %-9s %s\n", it.State, what)
		if it.Sizes != nil && it.Sizes.Packed > 0 {
			s.printf("               %d bytes, packed into %d\n", it.Sizes.Apparent, it.Sizes.Packed)
		}
		for _, note := range []string{it.Reason, it.Error} {
			if note != "" {
				s.printf("               %s\n", note)
			}
		}
	}
}

func (s *session) verify(ctx context.Context) error {
	report, err := templates.VerifyHashes(ctx, []string{s.tree}, templates.VerifyOptions{})
	if err != nil {
		return err
	}
	for _, f := range report.Files {
		name, err := filepath.Rel(s.tree, f.Path)
		if err != nil {
			return err
		}
		s.printf("     %-9s %s\n", f.Status, filepath.ToSlash(name))
		if f.Reason != "" {
			s.printf("               %s\n", f.Reason)
		}
	}
	if !report.OK() {
		return fmt.Errorf("the tree is not as it should be: %v", report.Summary)
	}
	s.printf("   %d of %d files are as their digests say\n", report.Summary[hashutil.StatusOK], len(report.Files))
	return nil
}
