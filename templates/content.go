package templates

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// Content feeds the content of a published file into dst: of an .xz, told by
// its first bytes, what is inside, decoded in parallel and with every check
// verified; of anything else its own bytes, holes not read. It is the
// [hashutil.ContentFunc] for a tree of templates, and says which of the two was
// done.
func Content(ctx context.Context, f fs.File, dst *hashutil.Hasher) (string, error) {
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
	return method, r.Copy(ctx, dst, xzpack.UnpackOptions{})
}

// InspectXZ tells the format of the image inside an .xz of size bytes without
// unpacking more than its first block, and its sizes: Apparent is that of the
// unpacked file.
func InspectXZ(r io.ReaderAt, size int64) (Info, Sizes, error) {
	x, err := xzpack.Open(r, size, xzpack.OpenOptions{})
	if err != nil {
		return Info{}, Sizes{}, err
	}
	info, err := DetectFormat(x, x.Size())
	if err != nil {
		return Info{}, Sizes{}, err
	}
	return info, Sizes{Virtual: info.Virtual, Apparent: x.Size(), Packed: size}, nil
}
