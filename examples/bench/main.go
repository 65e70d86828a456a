//go:build linux

// Command bench measures tplkit against xz, sha1sum and github.com/ulikunitz/xz
// on disk images with true file systems and on what is hard for a packer, and
// prints tables in Markdown. It is what docs/BENCHMARKS.md is made with:
//
//	go run ./examples/bench -o docs/BENCHMARKS.md
//
// It builds cmd/tplkit, makes all inputs from the files of this machine (/usr
// and Go's own), runs the commands of each table the same number of times in
// turn, and tells the medians of wall clock, CPU time and peak memory, as the
// kernel counts them for the process. It needs Go, xz, coreutils and mke2fs,
// some 4 GB of disk, an hour and a quarter, and a machine that does nothing else. -only
// measures some of the parts; -quick runs everything once on small inputs, to see that it works.
//
// To measure a file of your own there is "tplkit bench FILE".
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

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

type config struct {
	runs     int
	denseMB  int
	tarMB    int
	sparseGB int
	dataMB   int
	reads    int
	jobs     int
	quick    bool
	keep     bool
	dir      string
	document string
	parts    []part
}

//go:embed intro.md
var intro string

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	work := run
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		work = func(_ context.Context, args []string, _, _ io.Writer) error { return children[args[0]](args[1:]) }
	}
	if err := work(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func parse(args []string, stderr io.Writer) (config, error) {
	var c config
	var only string
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&c.runs, "runs", 5, "run each command so many times; the medians are told")
	flags.IntVar(&c.denseMB, "dense-mb", 384, "size of the dense image, in MiB")
	flags.IntVar(&c.tarMB, "tar-mb", 64, "size of the tar of sources, in MiB")
	flags.IntVar(&c.sparseGB, "sparse-gb", 6, "size of the sparse image, in GiB")
	flags.IntVar(&c.dataMB, "data-mb", 300, "data in the sparse image, in MiB")
	flags.IntVar(&c.reads, "reads", 32, "random reads of 4 KiB")
	flags.IntVar(&c.jobs, "j", runtime.NumCPU(), "workers of tplkit and threads of xz where all cores are to work")
	flags.BoolVar(&c.quick, "quick", false, "once, on small inputs: -runs 1 -dense-mb 32 -tar-mb 4 -sparse-gb 1 -data-mb 16 -reads 4")
	flags.StringVar(&only, "only", "", "measure these parts alone, with commas between them: "+partNames())
	flags.BoolVar(&c.keep, "keep", false, "leave the inputs and results")
	flags.StringVar(&c.document, "o", "", "write the whole document to this file (default: the tables to standard output)")
	flags.StringVar(&c.dir, "dir", "", "where the inputs go (default: a new temporary directory)")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	if flags.NArg() > 0 {
		return c, fmt.Errorf("argument %q: only flags are known", flags.Arg(0))
	}
	var err error
	if c.parts, err = chosen(only); err != nil {
		return c, err
	}
	if only != "" && c.document != "" {
		return c, errors.New("-only, -o: the document has all parts")
	}
	if c.quick {
		c.runs, c.denseMB, c.tarMB, c.sparseGB, c.dataMB, c.reads = 1, 32, 4, 1, 16, 4
	}
	if c.runs < 1 || c.denseMB < 32 || c.tarMB < 1 || c.sparseGB < 1 || c.dataMB < 16 || c.reads < 1 || c.jobs < 1 {
		return c, errors.New("-runs, -tar-mb, -sparse-gb, -reads and -j must be 1 or more, -dense-mb 32, -data-mb 16")
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
	if c.dir, err = filepath.Abs(c.dir); err != nil {
		return err
	}
	var document bytes.Buffer
	b := &bench{config: c, out: io.MultiWriter(stdout, &document), log: stderr, tplkit: filepath.Join(c.dir, "tplkit"), peaks: make(map[string]peak)}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.tplkit, "github.com/tplkit/tplkit/cmd/tplkit")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build of cmd/tplkit: %w\n%s", err, out)
	}
	fmt.Fprintf(b.out, "%s; %d workers where all cores work; medians of %d where nothing else is said.\n", measure.ThisMachine(ctx), c.jobs, c.runs)
	if err := b.measure(ctx, c.parts); err != nil {
		return err
	}
	b.tellBounds()
	if c.document == "" {
		return nil
	}
	return os.WriteFile(c.document, append([]byte(intro), document.Bytes()...), 0o644)
}
