//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"strconv"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// makeDense makes dense.raw.
func (b *bench) makeDense(ctx context.Context) error {
	fmt.Fprintf(b.log, "making the dense image of %d MiB\n", b.denseMB)
	return makeImage(ctx, b.path("dense.raw"), b.denseSize(), b.denseSize()*90/100)
}

func (b *bench) denseSize() int64 { return int64(b.denseMB) * mib }

// dense packs the image that the work is all about, with all cores. It leaves
// dense.raw, dense.xz as xz packs it, and ours.xz.
func (b *bench) dense(ctx context.Context) error {
	if err := b.makeDense(ctx); err != nil {
		return err
	}
	used, err := b.dataIn("dense.raw")
	if err != nil {
		return err
	}
	b.heading("## Dense image: %d MiB of ext4, %d MiB of data", b.denseMB, used/mib)
	b.heading("### Packing, all cores")
	got, err := b.table(ctx, b.denseSize(), xzName(b.jobs), []measure.Command{
		keep(b.xz(b.jobs, "dense.raw", "dense.xz")),
		keep(b.pack(way{"best", false, b.jobs}, "dense.raw", "ours.xz")),
		b.pack(way{"best", true, b.jobs}, "dense.raw", "again.xz"),
		b.pack(way{"balanced", false, b.jobs}, "dense.raw", "again.xz"),
		b.pack(way{"fast", false, b.jobs}, "dense.raw", "again.xz"),
	})
	if err != nil {
		return err
	}
	b.packBounds("dense image", got, b.jobs)
	return nil
}

// denseUnpacking unpacks what xz made, first to nowhere, where nothing but the
// decoders counts, then to a file.
func (b *bench) denseUnpacking(ctx context.Context) error {
	size := b.denseSize()
	b.heading("### Unpacking the file that xz -T%d made, to nowhere", b.jobs)
	xz, one, all := b.xzUnpack(1, "dense.xz", ""), b.discard(1, "dense.xz"), b.discard(b.jobs, "dense.xz")
	other := measure.Command{Name: "ulikunitz/xz behind a buffer of 1 MiB", Args: []string{b.self, "ulikunitz", b.path("dense.xz")}}
	commands := []measure.Command{xz, one, other}
	if b.jobs > 1 {
		commands = []measure.Command{xz, b.xzUnpack(b.jobs, "dense.xz", ""), one, all, other}
	}
	got, err := b.tableOfMany(ctx, size, xz.Name, commands)
	if err != nil {
		return err
	}
	b.atMost(1, got[one.Name].Over(got[xz.Name]).CPU, times, "dense image: CPU of unpacking on one core")
	b.atLeast(2, got[other.Name].Over(got[one.Name]).CPU, times, "dense image: CPU of ulikunitz/xz over that of unpacking on one core")
	b.atLeast(2*float64(b.jobs), got[other.Name].Over(got[all.Name]).Wall, times, "dense image: wall of ulikunitz/xz over that of unpacking with all cores")
	b.unpackMemory("dense image", got[one.Name], 1)

	b.heading("### Unpacking it to a sparse file")
	return b.unpacking(ctx, "dense image", "dense", size, 0.85)
}

// denseReading reads at random from the file that tplkit packed.
func (b *bench) denseReading(ctx context.Context) error {
	b.heading("### Random access: reads of 4 KiB, anywhere in the file that tplkit made")
	name := fmt.Sprintf("%d reads", b.reads)
	got, err := b.table(ctx, 0, "", []measure.Command{
		{Name: name, Args: []string{b.self, "read", b.path("ours.xz"), b.path("dense.raw"), strconv.Itoa(b.reads)}},
	})
	if err != nil {
		return err
	}
	b.heading("That is %d ms a read, of which each decodes a block at most.", got[name].Wall.Milliseconds()/int64(b.reads))
	return os.Remove(b.path("ours.xz"))
}

func (b *bench) denseVerifying(ctx context.Context) error {
	// The image and its .sha1, the packed image and its .hash.
	setup := b.shell("setup", `sha1sum dense.raw > dense.raw.sums && mkdir -p plain verify &&
		ln -f dense.raw plain/dense.raw && cut -c1-40 dense.raw.sums > plain/dense.raw.sha1 &&
		ln -f dense.xz verify/dense.xz && cut -c1-40 dense.raw.sums > verify/dense.hash`)
	if _, err := measure.Run(ctx, []measure.Command{setup}, 1, nil); err != nil {
		return err
	}
	b.heading("### Verifying")
	_, err := b.table(ctx, b.denseSize(), "", []measure.Command{
		once(b.shell("sha1sum of the image", "sha1sum -c --quiet dense.raw.sums")),
		once(b.command("tplkit verify-hashes of the image", "verify-hashes", "plain")),
		once(b.shell("xz -dc | sha1sum of the packed image", fmt.Sprintf("xz -dc -T%d dense.xz | sha1sum", b.jobs))),
		once(b.command("tplkit verify-hashes of the packed image", "verify-hashes", "verify")),
	})
	return err
}
