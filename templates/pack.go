package templates

import (
	"context"
	"fmt"
	"io"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// PackOptions say how [Pack] packs. The zero value is right for publishing with
// lago and virt-builder, but for the content digests, which cost what holes
// save and must be asked for.
type PackOptions struct {
	Level     xzpack.Level         // zero: the best
	BlockSize int64                // bytes; 0: 16 MiB
	Jobs      int                  // workers; 0: all cores
	Content   []hashutil.Algorithm // digests of the image's own bytes; nil: none
	Packed    []hashutil.Algorithm // digests of the .xz; nil: SHA-512, as the virt-builder index wants
	Progress  func(Progress)       // may be nil; called from one goroutine at a time
}

// Pack writes img as .xz to dst and computes all digests in the one read. The
// bytes written do not depend on the number of workers. Holes are not read.
//
// An image that is packed already is refused, as is one that changes while it
// is read; dst then holds nothing that may be used. A cancelled context gives
// its cause.
func Pack(ctx context.Context, dst io.Writer, img *Image, opt PackOptions) (Sizes, ItemDigests, error) {
	if f := img.Info.Format; f == XZ || f == GZIP {
		return Sizes{}, ItemDigests{}, fmt.Errorf("%s: %w", Quote(img.Name),
			&FormatError{string(f), "is compressed already; unpack it first, or publish it as it is"})
	}
	packedAlgs := opt.Packed
	if packedAlgs == nil {
		packedAlgs = []hashutil.Algorithm{hashutil.SHA512}
	}
	packed := hashutil.NewHasher(packedAlgs...)
	po := xzpack.PackOptions{Level: opt.Level, BlockSize: opt.BlockSize, Jobs: opt.Jobs}
	var content *hashutil.Hasher
	if len(opt.Content) > 0 {
		content = hashutil.NewHasher(opt.Content...)
		content.Bind(ctx)
		po.Content = content
	}
	if opt.Progress != nil {
		po.Progress = func(p xzpack.Progress) {
			opt.Progress(Progress{Item: img.Name, Done: p.Done, Total: p.Total})
		}
	}
	res, err := xzpack.Pack(ctx, io.MultiWriter(dst, packed), img.source(), img.stat.Size(), po)
	if err == nil {
		err = img.Unchanged()
	} else if context.Cause(ctx) == nil {
		err = fmt.Errorf("%s: %w", Quote(img.Name), err)
	}
	if err != nil {
		return Sizes{}, ItemDigests{}, err
	}
	sizes := img.Sizes
	sizes.Packed = res.PackedSize
	digests := ItemDigests{Packed: packed.Sums()}
	if content != nil {
		digests.Content = content.Sums()
	}
	return sizes, digests, nil
}

// Digest computes digests of the image's own bytes in one read. Holes are not
// read. The error is that of [Pack]. progress may be nil.
func Digest(ctx context.Context, img *Image, progress func(Progress), algs ...hashutil.Algorithm) (hashutil.Digests, error) {
	h := hashutil.NewHasher(algs...)
	h.Bind(ctx)
	if err := img.feed(ctx, progress, h); err != nil {
		return nil, err
	}
	return h.Sums(), nil
}
