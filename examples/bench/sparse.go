//go:build linux

package main

import (
	"context"
	"fmt"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// sparse measures a large image with little in it.
func (b *bench) sparse(ctx context.Context) error {
	fmt.Fprintf(b.log, "making the sparse image of %d GiB\n", b.sparseGB)
	size := int64(b.sparseGB) << 30
	if err := makeImage(ctx, b.path("sparse.raw"), size, int64(b.dataMB)*mib); err != nil {
		return err
	}
	used, err := b.dataIn("sparse.raw")
	if err != nil {
		return err
	}
	b.heading("## Sparse image: %d GiB of ext4, %d MiB of data", b.sparseGB, used/mib)
	b.heading("### Packing, all cores")
	command := func(name, in string, flags ...string) measure.Command {
		c := b.command(name, append([]string{"pack", in, "--force", "--level", "fast", "-o", "packed"}, flags...)...)
		c.Made = b.path("packed/" + in + ".xz")
		return c
	}
	best := way{"best", false, b.jobs}
	const packed, alone, digested, hashing = "tplkit pack --level fast", "tplkit pack --level fast of the data alone", "tplkit pack --level fast, sha1 and sha256", "sha1sum and sha256sum"
	got, err := b.table(ctx, size, xzName(b.jobs), []measure.Command{
		keep(b.xz(b.jobs, "sparse.raw", "sparse.xz")),
		b.pack(best, "sparse.raw", "ours.xz"),
		command(packed, "sparse.raw"),
		command(alone, "data.raw"),
		command(digested, "sparse.raw", "--digest", "sha1", "--digest", "sha256"),
		b.shell(hashing, "sha1sum sparse.raw; sha256sum sparse.raw"),
	})
	if err != nil {
		return err
	}
	b.packBounds("sparse image", figures{xzName(b.jobs): got[xzName(b.jobs)], best.name(): got[best.name()]}, b.jobs)
	over := got[packed].Over(got[alone])
	b.atMost(1.1, over.CPU, "%.2f", "sparse image: CPU of packing over that of its data alone")
	b.atMost(1.1, over.Wall, "%.2f", "sparse image: wall of packing over that of its data alone")
	apart := measure.Cost{CPU: got[packed].CPU + got[hashing].CPU, Wall: got[packed].Wall + got[hashing].Wall}
	over = got[digested].Over(apart)
	b.atMost(1, over.CPU, "%.2f", "sparse image: CPU of packing with two digests over packing, sha1sum and sha256sum")
	b.atMost(1, over.Wall, "%.2f", "sparse image: wall of packing with two digests over packing, sha1sum and sha256sum")
	b.heading("### Unpacking the file that xz made")
	return b.unpacking(ctx, "sparse image", "sparse", size, 0.3)
}
