package main

import (
	"context"
	"errors"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// Options say how [RecoverTree] works.
type Options struct {
	RepoName string
	BaseURL  string                   // of the repository, as clients see it
	Newest   bool                     // settle conflicts in favour of the newest entry; by default they are an error
	Progress func(templates.Progress) // may be nil
}

// RecoverTree makes the repository in tree out of a store of lago: scan, plan,
// carry out, index. It can be stopped at any moment and called again.
//
// The report tells what became of every entry; where the error is not nil it is
// nil, or tells what was finished before.
// The error is a [*templates.ConflictError] if two entries want one name (then
// nothing was written), wraps [publish.ErrLocked] if somebody else is at work in
// the tree, or is the cause of the context. An item that failed is no error:
// the others were done, and Report.Failed tells.
func RecoverTree(ctx context.Context, store, tree string, opt Options) (_ *templates.Report, err error) {
	src, err := templates.OpenDir(store)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	entries, err := lagorepo.ScanStore(ctx, src)
	if err != nil {
		return nil, err
	}
	choice := lagorepo.PlanOptions{}
	if opt.Newest {
		choice.Prefer = lagorepo.PreferNewest
	}
	plan, err := lagorepo.NewPlan(entries, choice)
	if err != nil {
		return nil, err
	}

	dst, err := publish.Open(ctx, tree, publish.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()

	report, err := plan.Recover(ctx, src, dst, lagorepo.RecoverOptions{Progress: opt.Progress})
	if err != nil {
		return report, err
	}
	// The indexes name what is in the tree now, be it from this run or not. They
	// are written even if an item failed: the others are good.
	index, err := lagorepo.WriteIndex(ctx, dst, templates.RepoDir, lagorepo.IndexOptions{RepoName: opt.RepoName, BaseURL: opt.BaseURL})
	report.Merge(index)
	return report, err
}
