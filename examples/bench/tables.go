//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const (
	xzPack     = "xz -T$JOBS --best --block-size=16777216"
	workerSize = 64 * mib
	baseSize   = 100 * mib
)

// target is a bound that the figures are held against.
type target struct {
	what  string
	got   float64
	bound float64
	unit  string
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

func (b *bench) dense(ctx context.Context) error {
	fmt.Fprintf(b.log, "making the dense image of %d MiB\n", b.denseMB)
	size := int64(b.denseMB) * mib
	if err := makeImage(ctx, b.path("dense.raw"), size, size*90/100); err != nil {
		return err
	}
	commands := []command{
		{"xz, pack", xzPack + " -c dense.raw > dense.xz", "dense.xz"},
		{"tplkit pack", "$TPLKIT pack -q -j $JOBS -o packed --force dense.raw", "packed/dense.raw.xz"},
		{"tplkit pack, sha1 and sha256", "$TPLKIT pack -q -j $JOBS -o digested --force --digest sha1 --digest sha256 dense.raw", "digested/dense.raw.xz"},
	}
	if b.levels {
		commands = append(commands,
			command{"tplkit pack --level balanced", "$TPLKIT pack -q -j $JOBS -o balanced --force --level balanced dense.raw", "balanced/dense.raw.xz"},
			command{"tplkit pack --level fast", "$TPLKIT pack -q -j $JOBS -o fast --force --level fast dense.raw", "fast/dense.raw.xz"})
	}
	packing, err := b.measure(ctx, commands)
	if err != nil {
		return err
	}
	used, err := b.dataIn("dense.raw")
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## Dense image: %d MiB of ext4, %d MiB of data\n\n### Packing\n\n", b.denseMB, used/mib)
	b.table(commands, packing, size)

	commands = []command{
		{"xz -dc", "xz -dc -T$JOBS dense.xz > unpacked.raw", "unpacked.raw"},
		{"tplkit unpack", "$TPLKIT unpack -q -j $JOBS -o unpacked --force dense.xz", "unpacked/dense"},
	}
	unpacking, err := b.measure(ctx, commands)
	if err != nil {
		return err
	}
	fmt.Fprint(b.out, "\n### Unpacking the file that xz made\n\n")
	b.table(commands, unpacking, size)

	if err := b.sidecars(ctx); err != nil {
		return err
	}
	commands = []command{
		{"sha1sum of the image", "sha1sum -c --quiet dense.raw.sums", ""},
		{"tplkit verify-hashes of the image", "$TPLKIT verify-hashes -q -j $JOBS plain", ""},
		{"xz -dc \\| sha1sum of the packed image", "xz -dc -T$JOBS dense.xz | sha1sum", ""},
		{"tplkit verify-hashes of the packed image", "$TPLKIT verify-hashes -q -j $JOBS verify", ""},
	}
	verifying, err := b.measure(ctx, commands)
	if err != nil {
		return err
	}
	fmt.Fprint(b.out, "\n### Verifying\n\n")
	b.table(commands, verifying, size)
	fmt.Fprintln(b.out)
	b.memoryTarget("dense", packing["tplkit pack"])
	return nil
}

// sidecars makes the directories that are verified: the image and its .sha1, the
// packed image and its .hash.
func (b *bench) sidecars(ctx context.Context) error {
	_, err := b.once(ctx, command{line: `sha1sum dense.raw > dense.raw.sums && mkdir -p plain verify &&
		ln -f dense.raw plain/dense.raw && cut -c1-40 dense.raw.sums > plain/dense.raw.sha1 &&
		ln -f dense.xz verify/dense.xz && cut -c1-40 dense.raw.sums > verify/dense.hash`})
	return err
}

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
	commands := []command{
		{"xz, pack", xzPack + " -c sparse.raw > sparse.xz", "sparse.xz"},
		{"tplkit pack", "$TPLKIT pack -q -j $JOBS -o packed --force sparse.raw", "packed/sparse.raw.xz"},
		{"tplkit pack of the data alone", "$TPLKIT pack -q -j $JOBS -o packed --force data.raw", "packed/data.raw.xz"},
		{"tplkit pack, sha1 and sha256", "$TPLKIT pack -q -j $JOBS -o digested --force --digest sha1 --digest sha256 sparse.raw", "digested/sparse.raw.xz"},
		{"sha1sum and sha256sum", "sha1sum sparse.raw; sha256sum sparse.raw", ""},
		{"xz -dc", "xz -dc -T$JOBS sparse.xz > unpacked.raw", "unpacked.raw"},
		{"tplkit unpack", "$TPLKIT unpack -q -j $JOBS -o unpacked --force sparse.xz", "unpacked/sparse"},
	}
	costs, err := b.measure(ctx, commands)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "## Sparse image: %d GiB of ext4, %d MiB of data\n\n", b.sparseGB, used/mib)
	b.table(commands, costs, size)
	fmt.Fprintln(b.out)

	pack, data, digested, hashing := costs["tplkit pack"], costs["tplkit pack of the data alone"], costs["tplkit pack, sha1 and sha256"], costs["sha1sum and sha256sum"]
	b.targets = append(b.targets,
		target{"sparse: packing, CPU time over that of its data alone", pack.cpu.Seconds() / data.cpu.Seconds(), 1.1, "times"},
		target{"sparse: packing, wall clock over that of its data alone", pack.wall.Seconds() / data.wall.Seconds(), 1.1, "times"},
		target{"sparse: packing with sha1 and sha256, CPU time over packing plus sha1sum and sha256sum",
			digested.cpu.Seconds() / (pack.cpu + hashing.cpu).Seconds(), 1, "times"},
		target{"sparse: packing with sha1 and sha256, wall clock over packing plus sha1sum and sha256sum",
			digested.wall.Seconds() / (pack.wall + hashing.wall).Seconds(), 1, "times"})
	b.memoryTarget("sparse", pack)
	b.memoryTarget("sparse, with digests", digested)
	return nil
}

// dataIn tells how much data lies between the holes of an image, and leaves it
// in data.raw.
func (b *bench) dataIn(name string) (int64, error) {
	if err := os.RemoveAll(b.path("data.raw")); err != nil {
		return 0, err
	}
	return dataOnly(b.path("data.raw"), b.path(name))
}

func (b *bench) memoryTarget(image string, c cost) {
	bound := float64(baseSize+int64(b.jobs)*workerSize) / mib
	b.targets = append(b.targets, target{
		fmt.Sprintf("%s: peak memory of packing, with %d workers", image, b.jobs), float64(c.memory) / mib, bound, "MiB",
	})
}

func (b *bench) table(commands []command, costs map[string]cost, content int64) {
	fmt.Fprintln(b.out, "| command | wall, s | CPU, s | MB/s | peak memory, MiB | size, bytes |")
	fmt.Fprintln(b.out, "| --- | ---: | ---: | ---: | ---: | ---: |")
	for _, c := range commands {
		got := costs[c.name]
		size := ""
		if got.size > 0 {
			size = fmt.Sprint(got.size)
		}
		fmt.Fprintf(b.out, "| %s | %.2f | %.2f | %.0f | %d | %s |\n",
			c.name, got.wall.Seconds(), got.cpu.Seconds(), float64(content)/1e6/got.wall.Seconds(), got.memory/mib, size)
	}
}

func (b *bench) tellTargets() {
	fmt.Fprint(b.out, "## Bounds\n\n| what | measured | bound | kept |\n| --- | ---: | ---: | --- |\n")
	for _, t := range b.targets {
		kept := "yes"
		if t.got > t.bound {
			kept = "**no**"
		}
		fmt.Fprintf(b.out, "| %s | %.2f %s | %.2f | %s |\n", t.what, t.got, t.unit, t.bound, kept)
	}
}
