package imagespec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// commandEnv is what is the same in every command.
type commandEnv struct {
	temp string // for TMPDIR; "" leaves it
}

func (e commandEnv) command(t Tool, args ...string) Command {
	c := Command{Tool: t, Args: args, Defaults: []string{
		"LIBGUESTFS_BACKEND=direct",
		"LIBGUESTFS_CACHEDIR=/var/tmp", // its default, else an appliance of 370 MB would be made in TMPDIR
	}}
	if e.temp != "" {
		c.Env = []string{"TMPDIR=" + e.temp}
	}
	return c
}

// The names of files in the staging directory of an image.
const (
	stagedSpec = "spec"
	stagedLog  = "log"
	stagedDisk = "disk.qcow2"  // what the tools work on
	stagedFlat = "whole.qcow2" // the same without a backing file
	stagedBase = "base"        // the source as it was fetched or unpacked
)

// job is the making of one image.
type job struct {
	*build
	step *Step
	dec  *decision
	dir  string // absolute
	log  *imageLog

	started time.Time
	base    baseFacts // of what was used in the end
	disk    string    // the image with its backing file, if it has one
	whole   string    // the image that stands alone; what is published

	md      *lagorepo.Metadata
	notes   []string         // for the item's reason
	content hashutil.Digests // of whole, when it is published
}

// image builds and publishes one image, and completes its item.
func (b *build) image(ctx context.Context, i int, it *templates.Item) (_ *baseImage, err error) {
	st := &b.plan.Steps[i]
	j := &job{build: b, step: st, dec: &b.decisions[i], base: b.decisions[i].base, started: b.opt.Now()}
	if j.dir, err = b.sharedDir(st.Spec.ID); err != nil {
		return nil, err
	}
	if j.log, err = openLog(j.path(stagedLog)); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, j.log.Close()) }()
	spec := j.path(stagedSpec)
	if err := os.WriteFile(spec, st.Spec.Text, 0o600); err != nil {
		return nil, err
	}
	if err := j.customise(ctx, spec); err != nil {
		return nil, err
	}
	if err := j.run(ctx, "virt-sysprep", "--format=qcow2", "--selinux-relabel", "--add="+j.disk); err != nil {
		return nil, err
	}
	if err := j.run(ctx, "virt-sparsify", "--format=qcow2", "--in-place", j.disk); err != nil {
		return nil, err
	}
	if err := j.flatten(ctx); err != nil {
		return nil, err
	}
	if err := j.inspect(ctx); err != nil {
		return nil, err
	}
	if err := j.publish(ctx, it); err != nil {
		return nil, err
	}
	return &baseImage{path: j.whole, format: string(templates.QCOW2), facts: baseFacts{SHA256: j.content[hashutil.SHA256]}}, nil
}

func (j *job) path(name string) string { return filepath.Join(j.dir, name) }

// customise makes the disk of the base and has the spec's commands run in it.
func (j *job) customise(ctx context.Context, spec string) error {
	j.disk = j.path(stagedDisk)
	commands := "--commands-from-file=" + spec
	b := j.step.Base
	if b.Kind == BaseLibguestfs {
		return j.run(ctx, "virt-builder", commands, "--output="+j.disk, "--format=qcow2", b.Ref)
	}
	base, err := j.baseOf(ctx, j.step)
	if err != nil {
		return err
	}
	j.base.SHA256 = base.facts.SHA256
	switch {
	case b.Kind != BaseSimple:
		err = j.run(ctx, "qemu-img", "create", "-q", "-f", "qcow2", "-F", base.format, "-b", base.path, j.disk)
	case base.format == string(templates.QCOW2):
		err = os.Rename(base.path, j.disk)
	default:
		err = j.run(ctx, "qemu-img", "convert", "-f", base.format, "-O", "qcow2", base.path, j.disk)
		err = errors.Join(err, os.Remove(base.path))
	}
	if err != nil {
		return err
	}
	return j.run(ctx, "virt-customize", commands, "--format=qcow2", "--add="+j.disk)
}

// flatten makes a layer an image that stands alone: a published one must not
// name a path of this machine.
func (j *job) flatten(ctx context.Context) error {
	j.whole = j.disk
	if k := j.step.Base.Kind; k == BaseLibguestfs || k == BaseSimple {
		return nil
	}
	j.whole = j.path(stagedFlat)
	if err := j.run(ctx, "qemu-img", "convert", "-f", "qcow2", "-O", "qcow2", j.disk, j.whole); err != nil {
		return err
	}
	if !j.layered() {
		return os.Remove(j.disk)
	}
	// Its own, the layer's, backing file is the other spec's image wherever
	// the two are put beside each other.
	return j.run(ctx, "qemu-img", "rebase", "-u", "-f", "qcow2", "-F", "qcow2", "-b", j.step.Base.Ref, j.disk)
}

// layered says whether the layer alone is published, too.
func (j *job) layered() bool { return j.opt.Layered && j.step.Base.Kind == BaseSpec }

// run runs a tool on the image. What it printed is in the log, and the end of it
// in the error.
func (j *job) run(ctx context.Context, tool string, args ...string) error {
	return j.runTo(ctx, nil, tool, args...)
}

// runTo is run for a tool whose standard output is wanted.
func (j *job) runTo(ctx context.Context, out io.Writer, tool string, args ...string) error {
	j.tell(Progress{ID: j.step.Spec.ID, Step: tool})
	cmd := j.env.command(j.tools[tool], args...)
	cmd.Stdout, cmd.Log, cmd.Timeout = out, j.log, j.opt.StepTimeout
	if _, err := fmt.Fprintf(j.log, "%s\n", shellLine(append([]string{tool}, args...))); err != nil {
		return fmt.Errorf("log of the tools: %w", err)
	}
	err := j.opt.Runner.Run(ctx, cmd)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%w%s", err, indented(j.log.Tail()))
	}
	j.tell(Progress{ID: j.step.Spec.ID, Step: tool, Done: 1, Total: 1})
	return nil
}
