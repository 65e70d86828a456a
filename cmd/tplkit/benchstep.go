package main

import (
	"context"
	"errors"
	"io"
	"os"

	"github.com/tplkit/tplkit/templates/xzpack"
)

// benchStepCmd is the part of the work that bench measures, in a process of its
// own, and without what pack and unpack do beside it: no digests, nothing waits
// for the disk, as xz does not do that either.
type benchStepCmd struct {
	Step    string   `arg:"" enum:"pack,unpack,discard" help:"What to do: ${enum}."`
	Files   []string `arg:"" complete:"file" help:"Source and, but for discard, destination."`
	Level   string   `enum:"fast,balanced,best" default:"best" help:"As for pack: ${enum}."`
	NoProof bool     `help:"Leave out the second decoder."`
}

func (benchStepCmd) Help() string {
	return `This is for bench to run. It replaces the destination, and what it leaves after an error is no image.

Examples:

    tplkit bench-step --level fast --no-proof pack el8.2-base.qcow2 /var/tmp/packed.xz
    tplkit bench-step discard el8.2-base.xz`
}

// Run does the step.
func (c *benchStepCmd) Run(ctx context.Context, s *session) (err error) {
	want := 2
	if c.Step == "discard" {
		want = 1
	}
	if len(c.Files) != want {
		return usagef("%s: expected %s, found %d", c.Step, count(want, "file"), len(c.Files))
	}
	src, err := os.Open(c.Files[0])
	if err != nil {
		return err
	}
	defer src.Close()
	st, err := src.Stat()
	if err != nil {
		return err
	}
	var dst *os.File
	if want == 2 {
		if dst, err = os.Create(c.Files[1]); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, dst.Close()) }()
	}
	if c.Step == "pack" {
		level, err := xzpack.ParseLevel(c.Level)
		if err != nil {
			return usagef("--level: %v", err)
		}
		_, err = xzpack.Pack(ctx, dst, src, st.Size(), xzpack.PackOptions{Level: level, Jobs: s.Jobs, NoProof: c.NoProof})
		return err
	}
	x, err := xzpack.Open(src, st.Size(), xzpack.OpenOptions{})
	if err != nil {
		return err
	}
	opt := xzpack.UnpackOptions{Jobs: s.Jobs, WriteBack: true}
	if c.Step == "discard" {
		return x.Copy(ctx, io.Discard, opt)
	}
	return x.Unpack(ctx, dst, opt)
}
