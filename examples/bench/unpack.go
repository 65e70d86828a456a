//go:build linux

package main

import (
	"context"
	"strconv"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// unpacking unpacks NAME.xz, which xz made of the image called what, to a sparse
// file, and holds the wall clock against bound times that of xz.
func (b *bench) unpacking(ctx context.Context, what, name string, size int64, bound float64) error {
	b.heading("*tplkit -j%d* does what xz does, and has the kernel begin early to write. The command that users call also waits until the file is on disk, and puts it in its place then: that is up to the disk.", b.jobs)
	xz, ours, forced := b.xzUnpack(b.jobs, name+".xz", "unpacked.raw"), b.unpackStep(name+".xz", "stepped.raw"), b.unpack(name)
	got, err := b.tableOfMany(ctx, size, xz.Name, []measure.Command{xz, ours, forced})
	if err != nil {
		return err
	}
	b.atMost(bound, got[ours.Name].Over(got[xz.Name]).Wall, times, "%s: wall of unpacking to a sparse file with all cores", what)
	b.unpackMemory(what, got[forced.Name], b.jobs)
	return nil
}

// unpackStep unpacks as xz does it: nothing waits for the disk.
func (b *bench) unpackStep(in, out string) measure.Command {
	return measure.Command{Name: b.discardName(b.jobs), Made: b.path(out), Args: []string{b.tplkit, "bench-step", "-j", strconv.Itoa(b.jobs), "unpack", b.path(in), b.path(out)}}
}

// unpack is tplkit unpack of NAME.xz.
func (b *bench) unpack(name string) measure.Command {
	c := b.command("tplkit unpack, forced to disk", "unpack", "--force", "-o", "unpacked", name+".xz")
	c.Made = b.path("unpacked/" + name)
	return c
}
