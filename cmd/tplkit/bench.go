package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

type benchCmd struct {
	File  string   `arg:"" complete:"file" help:"What is packed and unpacked, a disk image as a rule; it stays."`
	Runs  int      `default:"3" placeholder:"N" help:"Run everything so many times, in turn, and tell the medians."`
	Level []string `enum:"fast,balanced,best" default:"best,balanced,fast" help:"Only this level of packing: ${enum}. May be repeated."`
	Dir   string   `placeholder:"DIR" complete:"dir" help:"Make the temporary files there instead of beside FILE."`
}

func (benchCmd) Help() string {
	return `Packs and unpacks FILE with tplkit, with the system's xz as the servers have always called it (-9, blocks of 16 MiB), and with pixz, those that are there, and prints tables in Markdown. Every figure is that of a whole process, as the kernel counts it. Nothing is forced to disk, by none of them.

It takes some minutes for each 100 MiB and run: xz -9 on one core is slow. The temporary files need twice the disk of FILE, which is looked for before anything else, and are removed in any case.

"No proof" is packing without decoding each block again with a second decoder, which pack always does and the others never do.

Examples:

    tplkit bench el8.2-base.qcow2
    tplkit bench --runs 1 --level best --dir /var/tmp el8.2-base.qcow2
    tplkit bench -j 4 --json el8.2-base.qcow2 > bench.json`
}

// Validate refuses a number of runs that has no median.
func (c *benchCmd) Validate() error {
	if c.Runs < 1 {
		return fmt.Errorf("--runs=%d: must be 1 or more", c.Runs)
	}
	return nil
}

// Run measures.
func (c *benchCmd) Run(ctx context.Context, s *session) error {
	doc, err := c.measure(ctx, s)
	if err != nil {
		return err
	}
	if s.JSON {
		return s.document(doc)
	}
	return doc.print(s.stdout)
}

func (c *benchCmd) measure(ctx context.Context, s *session) (_ benchDocument, err error) {
	img, err := templates.OpenImageFile(c.File)
	if err != nil {
		return benchDocument{}, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	dir, err := c.makeDir(img.Sizes)
	if err != nil {
		return benchDocument{}, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	plan, err := newBenchPlan(c, dir, s.Jobs)
	if err != nil {
		return benchDocument{}, err
	}
	for _, tool := range plan.missing {
		s.note("%s is not installed, so nothing is compared with it (Debian package %s)", tool, debianPackage[tool])
	}
	doc := benchDocument{
		File: c.File, Sizes: img.Sizes, Machine: measure.ThisMachine(ctx), Jobs: plan.workers, Runs: c.Runs, Missing: plan.missing,
	}
	for _, part := range plan.parts {
		results, err := measure.Run(ctx, part.commands, c.Runs, func(run int, name string) {
			s.note("run %d of %d, %s: %s", run, c.Runs, part.name, name)
		})
		if err != nil {
			return doc, err
		}
		if err := part.check(results, img.Sizes.Apparent); err != nil {
			return doc, err
		}
		doc.Parts = append(doc.Parts, newBenchPart(part, results, img.Sizes.Apparent))
	}
	return doc, img.Unchanged()
}

// makeDir makes the directory for the temporary files, once there is room for
// them: something packed, and something unpacked from it, which has the holes of
// the original.
func (c *benchCmd) makeDir(sizes templates.Sizes) (string, error) {
	dir := c.Dir
	if dir == "" {
		dir = filepath.Dir(c.File)
	}
	data := sizes.Apparent
	if sizes.Allocated > 0 {
		data = min(data, sizes.Allocated)
	}
	const slack = 1 << 20
	need := 2*data + data/50 + slack
	free, known, err := publish.FreeSpace(dir)
	if err != nil {
		return "", err
	}
	if known && free < need {
		return "", fmt.Errorf("%s: expected %s of free space for the temporary files, found %s: make room, or choose another directory with --dir",
			quote(dir), bytesText(need), bytesText(free))
	}
	// Where the user's own directory is named relative to this one, the
	// children must find it all the same.
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	return os.MkdirTemp(dir, ".tplkit-bench-")
}
