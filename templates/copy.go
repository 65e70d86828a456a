package templates

import (
	"context"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/publish"
)

// Copy writes the image's bytes as they are to a staged file and computes
// digests in the same read, so that they speak of the very bytes that were
// written. Holes stay holes. The modification time goes with it. progress may
// be nil.
func Copy(ctx context.Context, dst *publish.File, img *Image, progress func(Progress), algs ...hashutil.Algorithm) (hashutil.Digests, error) {
	h := hashutil.NewHasher(algs...)
	h.Bind(ctx)
	if err := img.feed(ctx, progress, h, dst); err != nil {
		return nil, err
	}
	dst.SetModTime(img.stat.ModTime())
	return h.Sums(), nil
}
