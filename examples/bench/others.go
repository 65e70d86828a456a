//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// sources measures a tar of sources with all cores.
func (b *bench) sources(ctx context.Context) error {
	size, err := makeTar(ctx, b.path("src.tar"), int64(b.tarMB)*mib)
	if err != nil {
		return err
	}
	b.heading("## Source tar: %d MiB of Go's own sources, packed with all cores", size/mib)
	got, err := b.table(ctx, size, xzName(b.jobs), []measure.Command{
		b.xz(b.jobs, "src.tar", "src.xz"),
		b.pack(way{"best", false, b.jobs}, "src.tar", "ours.xz"),
		b.pack(way{"best", true, b.jobs}, "src.tar", "ours.xz"),
		b.pack(way{"balanced", false, b.jobs}, "src.tar", "ours.xz"),
		b.pack(way{"fast", false, b.jobs}, "src.tar", "ours.xz"),
	})
	if err != nil {
		return err
	}
	b.packBounds("source tar", got, b.jobs)
	return nil
}

// compressed measures what does not compress: the blocks of dense.xz, without
// its header.
func (b *bench) compressed(ctx context.Context) error {
	in, err := os.Open(b.path("dense.xz"))
	if err != nil {
		return err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return err
	}
	const head = 4096
	size := st.Size() - head
	err = makeFile(b.path("noise"), func(w io.Writer) error {
		_, err := io.Copy(w, io.NewSectionReader(in, head, size))
		return err
	})
	if err != nil {
		return err
	}
	b.heading("## Compressed data: %d MiB of the dense image as xz packed it, packed again on one core", size/mib)
	commands := b.onOneCore("noise")
	commands[0] = once(commands[0]) // slow, and no bound hangs on it
	got, err := b.table(ctx, size, xzName(1), commands)
	if err != nil {
		return err
	}
	for _, l := range levels {
		b.atLeast(150, got[way{l.name, false, 1}.name()].Rate(size), inRate, "compressed data, %s: packing on one core without the proof", l.name)
	}
	b.notePeaks("compressed data", got, 1)
	return nil
}

// onOneCore packs with xz and every level on one core, at the level that is the
// default with the proof, too.
func (b *bench) onOneCore(in string) []measure.Command {
	commands := []measure.Command{b.xz(1, in, "xz.xz"), b.pack(way{"best", true, 1}, in, "ours.xz")}
	for _, l := range levels {
		commands = append(commands, b.pack(way{l.name, false, 1}, in, "ours.xz"))
	}
	return commands
}

// memorySpeed is what zeros are to be packed at, in MB a second: within the
// order of magnitude of reading them.
const memorySpeed = 1000

// zeros measures zeros that are there, not holes.
func (b *bench) zeros(ctx context.Context) error {
	size := int64(b.denseMB) * mib * 2 / 3
	if err := makeFile(b.path("zeros"), repeated([]byte{0}, size)); err != nil {
		return err
	}
	b.heading("## Zeros: %d MiB, written out, packed on one core", size/mib)
	got, err := b.table(ctx, size, xzName(1), append(b.onOneCore("zeros"), b.shell("cat > /dev/null", "cat zeros > /dev/null")))
	if err != nil {
		return err
	}
	b.atLeast(memorySpeed, got[way{"best", false, 1}.name()].Rate(size), inRate, "zeros, best: packing on one core without the proof")
	b.notePeaks("zeros", got, 1)
	return os.Remove(b.path("zeros"))
}

// periodic measures a pattern that no block size is a multiple of.
func (b *bench) periodic(ctx context.Context) error {
	const period = 97
	pattern := make([]byte, period)
	for i := range pattern {
		pattern[i] = byte(i * i)
	}
	size := int64(b.denseMB) * mib / 6
	if err := makeFile(b.path("periodic"), repeated(pattern, size)); err != nil {
		return err
	}
	b.heading("## Periodic pattern: %d bytes again and again, %d MiB, packed on one core", period, size/mib)
	got, err := b.table(ctx, size, xzName(1), b.onOneCore("periodic"))
	if err != nil {
		return err
	}
	for _, l := range levels {
		o := got[way{l.name, false, 1}.name()].Over(got[xzName(1)])
		b.atMost(1, o.Wall, times, "periodic pattern, %s: wall on one core without the proof", l.name)
	}
	b.notePeaks("periodic pattern", got, 1)
	return os.Remove(b.path("periodic"))
}

// dataIn tells how much data lies between the holes of an image, and leaves it
// in data.raw.
func (b *bench) dataIn(name string) (int64, error) {
	if err := os.Remove(b.path("data.raw")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("the data of the image before: %w", err)
	}
	return dataOnly(b.path("data.raw"), b.path(name))
}
