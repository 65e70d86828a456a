package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

type packCmd struct {
	Image     []string             `arg:"" complete:"file" help:"Disk images, raw or qcow2; they stay."`
	Output    string               `short:"o" placeholder:"DIR" complete:"dir" help:"Write there instead of beside each image."`
	Level     string               `enum:"fast,balanced,best" default:"best" help:"How much work goes into a small result: ${enum}."`
	BlockSize byteSize             `default:"16MiB" placeholder:"SIZE" help:"Content of one xz block; 16MiB is what the servers' clients expect."`
	Digest    []hashutil.Algorithm `enum:"md5,sha1,sha256,sha512" sep:"none" placeholder:"ALG" help:"Report this digest of the content and of the packed file: ${enum}. May be repeated."`
	Force     bool                 `help:"Replace an output that exists."`
	dryRun
}

func (packCmd) Help() string {
	return `IMAGE becomes IMAGE.xz beside it, in independent blocks that carry their sizes, as lago, virt-builder and nbdkit read it. Holes are not read. The bytes do not depend on the number of cores.

Examples:

    tplkit pack el8.2-base.qcow2
    tplkit pack --level fast -j 2 -o /srv/templates/repo el8.2-base
    tplkit pack --json --digest sha1 --digest sha512 el8.2-base.qcow2`
}

// Validate refuses block sizes that readers cannot use.
func (c *packCmd) Validate() error {
	if n := int64(c.BlockSize); n < xzpack.MinBlockSize || n > xzpack.MaxBlockSize {
		return fmt.Errorf("--block-size=%d: must be from %s to %s", n, bytesText(xzpack.MinBlockSize), bytesText(xzpack.MaxBlockSize))
	}
	return nil
}

// Run packs.
func (c *packCmd) Run(ctx context.Context, s *session) error {
	level, err := xzpack.ParseLevel(c.Level)
	if err != nil {
		return usagef("--level: %v", err)
	}
	m := s.newMeter()
	rep, err := templates.PackFiles(ctx, c.Image,
		templates.FilesOptions{Dir: c.Output, Force: c.Force, DryRun: c.DryRun},
		templates.PackOptions{
			Level: level, BlockSize: int64(c.BlockSize), Jobs: s.Jobs,
			Content: c.Digest, Packed: append([]hashutil.Algorithm{}, c.Digest...),
			Progress: meterFunc(m),
		})
	m.Close()
	return s.finish(rep, err)
}

// meterFunc is m as the libraries' Progress option.
func meterFunc(m meter) func(templates.Progress) {
	return func(p templates.Progress) { m.Update(p.Item, p.Done, p.Total) }
}

// byteSize is a number of bytes, written 65536, 64KiB or 16MiB.
type byteSize int64

// UnmarshalText reads a size. Units are powers of 1024; KB and the like are
// refused, since nobody can tell which of the two they mean.
func (b *byteSize) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	digits := strings.TrimRight(s, "KMGiBb")
	shift, ok := map[string]uint{"": 0, "B": 0, "K": 10, "KiB": 10, "M": 20, "MiB": 20, "G": 30, "GiB": 30}[s[len(digits):]]
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n<<shift>>shift != n {
		return errors.New("size " + quote(s) + ": must be a number of bytes, or one with KiB, MiB or GiB behind it, as 16MiB")
	}
	*b = byteSize(n << shift)
	return nil
}
