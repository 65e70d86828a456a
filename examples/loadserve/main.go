//go:build linux

// Command loadserve measures "tplkit serve" beside nginx, and prints tables in
// Markdown with the bounds that are kept:
//
//	go run ./examples/loadserve
//	go run ./examples/loadserve -soak 30m
//
// It builds cmd/tplkit, starts both servers on one tree, and asks them in turn,
// with the same client in a process of its own, so that whatever slows the
// machine down falls on both: a large file with 2 to 16 clients, small files
// over kept connections, and small files in a zone with one prefix in its
// allow-list beside one with 100,000. The medians of the rounds are told.
//
// With -soak the server alone is kept busy for that time: downloads whole, in
// parts and broken off, listings, refusals, while its policy is reloaded and
// its files are replaced. Every byte that comes is held against what was
// written; goroutines, descriptors and memory must not grow.
//
// It needs Go and nginx (Debian: nginx-light), some 600 MB of disk, and a
// machine that does nothing else. -quick runs everything once and shortly, to
// see that it works.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"
)

type config struct {
	runs     int
	seconds  float64
	largeMB  int
	prefixes int
	soak     time.Duration
	quick    bool
	lean     bool
	dir      string
	tplkit   string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	work := run
	if len(os.Args) > 1 && os.Args[1] == loadWord {
		work = func(ctx context.Context, args []string, stdout, _ io.Writer) error {
			return loadMain(ctx, args[1:], stdout)
		}
	}
	if err := work(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "loadserve:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("loadserve", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&c.runs, "runs", 5, "rounds; the medians are told")
	flags.Float64Var(&c.seconds, "seconds", 3, "how long each server is asked in a round")
	flags.IntVar(&c.largeMB, "large-mb", 256, "size of the large file, in MiB")
	flags.IntVar(&c.prefixes, "prefixes", 100_000, "prefixes in the long allow-list")
	flags.DurationVar(&c.soak, "soak", 0, "keep tplkit busy for so long instead, and watch it")
	flags.BoolVar(&c.quick, "quick", false, "once and shortly: -runs 1 -seconds 0.2 -large-mb 16")
	flags.BoolVar(&c.lean, "lean", false, "ask with a client that does next to nothing but read, to find out what a server can give at most (default: Go's own client)")
	flags.StringVar(&c.dir, "dir", "", "where the files go (default: a new directory in /var/tmp)")
	flags.StringVar(&c.tplkit, "tplkit", "", "the command to measure (default: it is built)")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("argument %q: only flags are known", flags.Arg(0))
	}
	if c.quick {
		c.runs, c.seconds, c.largeMB = 1, 0.2, 16
	}
	if c.runs < 1 || c.seconds <= 0 || c.largeMB < 1 || c.prefixes < 1 || c.soak < 0 {
		return c, errors.New("-runs, -seconds, -large-mb and -prefixes must be more than 0, -soak not less")
	}
	return c, nil
}

// errMissed is the error of a run that went well and missed a bound.
var errMissed = errors.New("not all bounds are kept")

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	if c.dir == "" {
		if c.dir, err = os.MkdirTemp("/var/tmp", "tplkit-loadserve-"); err != nil {
			return err
		}
		defer os.RemoveAll(c.dir)
		// nginx's workers are another user.
		if err := os.Chmod(c.dir, 0o755); err != nil {
			return err
		}
	}
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return err
	}
	b := &bench{config: c, out: stdout, log: stderr}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.tplkit == "" {
		b.tplkit = filepath.Join(c.dir, "tplkit")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.tplkit, "github.com/tplkit/tplkit/cmd/tplkit")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build of cmd/tplkit: %w\n%s", err, out)
		}
	}
	work := b.compare
	if c.soak > 0 {
		work = b.soakFor
	}
	if err := work(ctx); err != nil {
		return err
	}
	return b.tellBounds()
}
