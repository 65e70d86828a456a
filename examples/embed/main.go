// Command embed recovers a tree of templates the way a CI tool would that has
// tplkit in it: one function with a context, options and a progress callback,
// no output of its own, and errors that the caller can tell apart. The program
// around it is what such a tool has anyway: a log, signals, a time limit.
//
//	go run ./examples/embed -repo-name phx -base-url http://templates.example/repo STORE TREE
//
// Its exit status is 0 when all is done, 1 when an item failed, 75 (EX_TEMPFAIL)
// when it should be tried again later, and 130 when it was stopped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

const (
	exitFailed  = 1
	exitUsage   = 2
	exitTryNext = 75
	exitStopped = 130
)

var errTimeLimit = errors.New("the time limit of this job is over")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stderr))
}

func run(ctx context.Context, args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("embed", flag.ContinueOnError)
	flags.SetOutput(stderr)
	var opt Options
	flags.StringVar(&opt.RepoName, "repo-name", "", "name of the repository")
	flags.StringVar(&opt.BaseURL, "base-url", "", "where clients find it")
	flags.BoolVar(&opt.Newest, "newest", false, "of several versions of a template take the newest")
	limit := flags.Duration("limit", time.Hour, "stop after this time; what is finished stays")
	if err := flags.Parse(args); err != nil || flags.NArg() != 2 {
		fmt.Fprintln(stderr, "usage: embed [flags] STORE TREE")
		return exitUsage
	}
	// The cause is what the library returns, so that the log tells a time limit
	// from a signal.
	ctx, cancel := context.WithTimeoutCause(ctx, *limit, errTimeLimit)
	defer cancel()

	log := slog.New(slog.NewTextHandler(stderr, nil))
	opt.Progress = eachTenth(func(item string, percent int64) {
		log.Info("working", "item", item, "percent", percent)
	})
	report, err := RecoverTree(ctx, flags.Arg(0), flags.Arg(1), opt)
	if report != nil {
		for _, it := range report.Items {
			log.Info("item", "state", it.State, "source", it.Source, "destination", it.Destination, "reason", it.Reason, "error", it.Error)
		}
	}
	return status(log, report, err)
}

// status tells apart what a CI tool has to: what is worth another try from what
// a person has to settle.
func status(log *slog.Logger, report *templates.Report, err error) int {
	var conflict *templates.ConflictError
	switch {
	case errors.As(err, &conflict):
		for _, c := range conflict.Conflicts {
			log.Error("conflict", "name", c.Name, "reason", c.Reason, "entries", len(c.Entries))
		}
		return exitFailed
	case errors.Is(err, publish.ErrLocked):
		log.Warn("another job publishes into this tree", "error", err)
		return exitTryNext
	case errors.Is(err, errTimeLimit):
		log.Warn("stopped; the next run goes on where this one was", "error", err)
		return exitTryNext
	case errors.Is(err, context.Canceled):
		log.Warn("stopped", "error", err)
		return exitStopped
	case err != nil:
		log.Error("failed", "error", err)
		return exitFailed
	case report.Failed():
		return exitFailed
	}
	return 0
}

// eachTenth calls tell for every tenth of an item, where the library calls for
// every piece.
func eachTenth(tell func(item string, percent int64)) func(templates.Progress) {
	var last templates.Progress
	return func(p templates.Progress) {
		if p.Total == 0 {
			return
		}
		if p.Item != last.Item || p.Done*10/p.Total > last.Done*10/last.Total {
			tell(p.Item, p.Done*100/p.Total)
			last = p
		}
	}
}
