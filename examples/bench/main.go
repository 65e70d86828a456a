//go:build linux

// Command bench measures tplkit against xz and sha1sum on disk images with true
// file systems, and prints tables in Markdown. It is what docs/BENCHMARKS.md is
// made with:
//
//	go run ./examples/bench -o docs/BENCHMARKS.md
//
// It builds cmd/tplkit, makes a dense and a sparse image from the files of this
// machine (/usr and Go's own), runs every command the same number of times in
// turn, and tells the medians of wall clock, CPU time and peak memory, as the
// kernel counts them for the process. It needs Go, xz, coreutils and mke2fs, some
// 4 GB of disk, and a machine that does nothing else. -quick runs everything
// once on small images, to see that it works.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
)

type config struct {
	runs     int
	denseMB  int
	sparseGB int
	dataMB   int
	jobs     int
	sparse   bool
	levels   bool
	quick    bool
	keep     bool
	dir      string
	document string
}

//go:embed intro.md
var intro string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&c.runs, "runs", 3, "run each command so many times; the medians are told")
	flags.IntVar(&c.denseMB, "dense-mb", 420, "size of the dense image, in MiB")
	flags.IntVar(&c.sparseGB, "sparse-gb", 6, "size of the sparse image, in GiB")
	flags.IntVar(&c.dataMB, "data-mb", 300, "data in the sparse image, in MiB")
	flags.IntVar(&c.jobs, "j", runtime.NumCPU(), "workers of tplkit and threads of xz")
	flags.BoolVar(&c.sparse, "sparse", true, "measure the sparse image too")
	flags.BoolVar(&c.levels, "levels", true, "measure the levels fast and balanced too")
	flags.BoolVar(&c.quick, "quick", false, "once, on small images: -runs 1 -dense-mb 48 -sparse-gb 1 -data-mb 32")
	flags.BoolVar(&c.keep, "keep", false, "leave the images and results")
	flags.StringVar(&c.document, "o", "", "write the whole document to this file (default: the tables to standard output)")
	flags.StringVar(&c.dir, "dir", "", "where the images go (default: a new temporary directory)")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("argument %q: only flags are known", flags.Arg(0))
	}
	if c.quick {
		c.runs, c.denseMB, c.sparseGB, c.dataMB = 1, 48, 1, 32
	}
	if c.runs < 1 || c.denseMB < 32 || c.sparseGB < 1 || c.dataMB < 16 || c.jobs < 1 {
		return c, errors.New("-runs, -sparse-gb and -j must be 1 or more, -dense-mb 32, -data-mb 16")
	}
	return c, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	c, err := parse(args, stderr)
	if err != nil {
		return err
	}
	for _, tool := range []string{"go", "xz", "sha1sum", "sha256sum", "mke2fs"} {
		if _, err := exec.LookPath(tool); err != nil {
			return fmt.Errorf("%s is needed (Debian: golang, xz-utils, coreutils, e2fsprogs; /usr/sbin must be in PATH): %w", tool, err)
		}
	}
	if c.dir == "" {
		// A temporary directory in memory would be measured as one.
		if c.dir, err = os.MkdirTemp("/var/tmp", "tplkit-bench-"); err != nil {
			return err
		}
		if !c.keep {
			defer os.RemoveAll(c.dir)
		}
	}
	var document bytes.Buffer
	b := &bench{config: c, out: io.MultiWriter(stdout, &document), log: stderr, tplkit: filepath.Join(c.dir, "tplkit")}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.tplkit, "github.com/tplkit/tplkit/cmd/tplkit")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build of cmd/tplkit: %w\n%s", err, out)
	}
	fmt.Fprintf(b.out, "%s\n\n", machine(ctx, c))
	if err := b.dense(ctx); err != nil {
		return err
	}
	if c.sparse {
		if err := b.sparse(ctx); err != nil {
			return err
		}
	}
	b.tellTargets()
	if c.document == "" {
		return nil
	}
	return os.WriteFile(c.document, append([]byte(intro), document.Bytes()...), 0o644)
}

// machine tells what was measured with.
func machine(ctx context.Context, c config) string {
	model := "unknown processor"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	xz, _, _ := strings.Cut(output(ctx, "xz", "--version"), "\n")
	return fmt.Sprintf("%s, %d cores, Linux %s, %s, %s; %d workers, medians of %d.",
		model, runtime.NumCPU(), strings.TrimSpace(output(ctx, "uname", "-r")), runtime.Version(), xz, c.jobs, c.runs)
}

func output(ctx context.Context, name string, args ...string) string {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		return "unknown"
	}
	return string(out)
}
