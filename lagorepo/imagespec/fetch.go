package imagespec

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/transfer"
)

// FetchOptions say how to get a source. The zero value is good for most.
type FetchOptions struct {
	Client *http.Client // nil: http.DefaultClient

	// Progress tells how many bytes of a remote file have arrived, or of a local
	// one have been read or unpacked; total is -1 where nobody knows. It is called
	// by one goroutine at a time and waited for.
	Progress func(done, total int64)

	Limit  int64           // bytes, of the file that is fetched and of the image that is made of it; 0: 1 TiB
	Policy transfer.Policy // how often and for how long a transfer is tried
}

const defaultFetchLimit = 1 << 40

func (o FetchOptions) withDefaults() FetchOptions {
	if o.Client == nil {
		o.Client = http.DefaultClient
	}
	if o.Progress == nil {
		o.Progress = func(int64, int64) {}
	}
	if o.Limit <= 0 {
		o.Limit = defaultFetchLimit
	}
	return o
}

// partSuffix marks what has been fetched and is not unpacked yet, beside the
// image it becomes.
const partSuffix = ".part"

// fetchSource makes the new file dst of a simple: or layer: source, a path or
// URL. dst is an absolute path in a directory of the caller's own. What is
// compressed with xz or gzip, told by its content, is decompressed, with holes
// for zeros.
//
// It gives the format of the image, "raw" or "qcow2", and the digests of the
// bytes as they came: SHA-256, and the algorithm of src.Sum, which they have to
// match. What is no image that stands by itself is refused, as
// [templates.DetectFormat] does, and a web page. A transfer that breaks off is
// taken up where it ended.
//
// After an error neither dst nor anything beside it is there.
func fetchSource(ctx context.Context, src Base, dst string, opt FetchOptions) (format string, digests hashutil.Digests, err error) {
	if src.Kind != BaseSimple && src.Kind != BaseLayer {
		return "", nil, fmt.Errorf("%s: expected a file or URL to fetch", src)
	}
	if !filepath.IsAbs(dst) {
		return "", nil, fmt.Errorf("%s: expected the absolute path of the file to make", dst)
	}
	out, err := os.OpenFile(dst, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", nil, err
	}
	opt = opt.withDefaults()
	if src.Remote() {
		format, digests, err = fetchRemote(ctx, src, out, opt)
	} else {
		format, digests, err = fetchLocal(ctx, src, out, opt)
	}
	err = errors.Join(err, out.Close())
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return "", nil, errors.Join(err, os.Remove(dst))
	}
	return format, digests, nil
}

// fetchLocal makes dst of a local file, in one read.
func fetchLocal(ctx context.Context, src Base, dst *os.File, opt FetchOptions) (format string, _ hashutil.Digests, err error) {
	img, err := templates.OpenImageFile(src.Ref)
	if err != nil {
		return "", nil, err // it has the path
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	hash := newSourceHasher(ctx, src)
	in := packed{at: img, size: img.Sizes.Apparent, format: img.Info.Format, hash: hash, progress: opt.Progress}
	if err := in.checkNoPage(); err != nil {
		return "", nil, named(src.Ref, err)
	}
	format, err = in.unpack(ctx, dst, opt.Limit)
	if err == nil {
		err = img.Unchanged()
	}
	if err == nil {
		err = src.checkSum(hash)
	}
	return format, hash.Sums(), named(src.Ref, err)
}

// fetchRemote makes dst of a remote file: it is fetched as it is, held against
// its checksum, and only then looked into.
func fetchRemote(ctx context.Context, src Base, dst *os.File, opt FetchOptions) (_ string, _ hashutil.Digests, err error) {
	name := bareURL(src.Ref)
	part, err := os.OpenFile(dst.Name()+partSuffix, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", nil, err
	}
	renamed := false
	defer func() {
		err = errors.Join(err, part.Close())
		if !renamed {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	d := &download{
		url: src.Ref, name: name, opt: opt, file: &sparseFile{f: part},
		newHash: func() *hashutil.Hasher { return newSourceHasher(ctx, src) },
	}
	if err := d.run(ctx); err != nil {
		return "", nil, err // it has the URL
	}
	in := packed{at: part, size: d.done, progress: func(int64, int64) {}}
	if err := in.checkNoPage(); err != nil {
		return "", nil, named(name, err)
	}
	if err := src.checkSum(d.hash); err != nil {
		return "", nil, named(name, err)
	}
	info, err := templates.DetectFormat(part, d.done)
	if err != nil {
		return "", nil, named(name, err)
	}
	in.format = info.Format
	var format string
	if info.Format == templates.XZ || info.Format == templates.GZIP {
		format, err = in.unpack(ctx, dst, opt.Limit)
	} else if format, err = imageFormat(part, info.Format); err == nil {
		err = os.Rename(part.Name(), dst.Name()) // no second copy
		renamed = err == nil
	}
	return format, d.hash.Sums(), named(name, err)
}

// newSourceHasher computes what has to be known of a source's bytes.
func newSourceHasher(ctx context.Context, src Base) *hashutil.Hasher {
	algs := []hashutil.Algorithm{hashutil.SHA256}
	if src.Sum != nil {
		algs = append(algs, src.Sum.Algorithm)
	}
	h := hashutil.NewHasher(algs...)
	h.Bind(ctx)
	return h
}

// checkSum holds the bytes of the source against the checksum in the spec.
func (b Base) checkSum(h *hashutil.Hasher) error {
	if b.Sum == nil {
		return nil
	}
	if found := h.Sums()[b.Sum.Algorithm]; found != b.Sum.Hex {
		return fmt.Errorf("wrong checksum: expected %s %s as line %d of the spec says, found %s in %d bytes: the file was changed or damaged; find out which, and correct the spec if the file is right",
			b.Sum.Algorithm, b.Sum.Hex, b.Line, found, h.Size())
	}
	return nil
}

// named puts the source's name in front of an error, if there is one.
func named(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", name, err)
}

// bareURL is a URL for messages, without user, password, query and fragment.
func bareURL(ref string) string {
	u, err := url.Parse(ref)
	if err != nil {
		return "the URL of the base"
	}
	return transfer.BareURL(u)
}
