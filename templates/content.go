package templates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"

	"golang.org/x/sync/semaphore"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// Content feeds the content of a published file into dst: of an .xz, told by
// its first bytes, what is inside, decoded on all cores and with every check
// verified; of anything else its own bytes, holes not read. It is the
// [hashutil.ContentFunc] for a tree of templates, and says which of the two was
// done. For files that are read beside each other there is [NewContent].
func Content(ctx context.Context, f fs.File, dst *hashutil.Hasher) (string, error) {
	return feedContent(ctx, f, dst, func(int) (int, func(), error) { return 0, func() {}, nil })
}

// NewContent is [Content] for files that are read beside each other: all of them
// together decode at most jobs blocks at a time (0: one for each core), which
// bounds the memory too.
func NewContent(jobs int) hashutil.ContentFunc {
	if jobs <= 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	workers := semaphore.NewWeighted(int64(jobs))
	return func(ctx context.Context, f fs.File, dst *hashutil.Hasher) (string, error) {
		return feedContent(ctx, f, dst, func(blocks int) (int, func(), error) {
			n := max(1, min(blocks, jobs))
			if err := workers.Acquire(ctx, int64(n)); err != nil {
				return 0, nil, context.Cause(ctx)
			}
			return n, func() { workers.Release(int64(n)) }, nil
		})
	}
}

// feedContent does the work of [Content]. reserve says how many workers may decode so
// many blocks, and is told when they are done.
func feedContent(ctx context.Context, f fs.File, dst *hashutil.Hasher, reserve func(blocks int) (jobs int, done func(), err error)) (string, error) {
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		return "", fmt.Errorf("cannot be read at an offset (%T)", f)
	}
	head := make([]byte, len(xzMagic))
	if n, err := at.ReadAt(head, 0); n < len(head) && !errors.Is(err, io.EOF) {
		return "", err
	}
	if !bytes.Equal(head, xzMagic) {
		dst.Expect(st.Size())
		img := &Image{Name: st.Name(), file: f, at: at, stat: st}
		return "the bytes of the file", img.feed(ctx, nil, dst)
	}
	const method = "the content of the xz"
	r, err := xzpack.Open(at, st.Size(), xzpack.OpenOptions{})
	if err != nil {
		return method, err
	}
	dst.Expect(r.Size())
	jobs, done, err := reserve(r.NumBlocks())
	if err != nil {
		return method, err
	}
	defer done()
	return method, r.Copy(ctx, dst, xzpack.UnpackOptions{Jobs: jobs})
}

// inspected is how much of an image is unpacked to tell its format, in bytes. It
// has room for the name of a backing file behind the header.
const inspected = 64 << 10

// InspectXZ tells the format of the image inside an .xz of size bytes without
// unpacking more than its first block, of a large one no more than its beginning,
// and its sizes: Apparent is that of the unpacked file.
func InspectXZ(r io.ReaderAt, size int64) (Info, Sizes, error) {
	x, err := xzpack.Open(r, size, xzpack.OpenOptions{})
	if err != nil {
		return Info{}, Sizes{}, err
	}
	stream, err := xzpack.NewReaderOptions(context.Background(), io.NewSectionReader(r, 0, size),
		xzpack.ReaderOptions{Jobs: 1, Limits: xzpack.Limits{Block: xzpack.DefaultBlockSize}})
	if err != nil {
		return Info{}, Sizes{}, err
	}
	defer stream.Close()
	head := make([]byte, min(inspected, x.Size()))
	if _, err := io.ReadFull(stream, head); err != nil {
		return Info{}, Sizes{}, err
	}
	info, err := DetectFormat(bytes.NewReader(head), x.Size())
	if err != nil {
		return Info{}, Sizes{}, err
	}
	return info, Sizes{Virtual: info.Virtual, Apparent: x.Size(), Packed: size}, nil
}
