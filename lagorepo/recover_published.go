package lagorepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// published is what the tree has of a template already.
type published struct {
	disk         bool
	hash         []byte // H.hash as it is; nil where there is none
	metadataText []byte // H.metadata as it is; nil where there is none
	metadata     *Metadata
}

// published looks at the three files, and for the two that must not exist:
// asked for H, lago takes H.xz.hash and H.xz.metadata before the right ones.
func (r *recovery) published(files templates.Files) (*published, error) {
	for _, name := range []string{files.Disk + ".hash", files.Disk + ".metadata"} {
		if _, err := r.tree.Stat(repoFile(name)); err == nil {
			return nil, fmt.Errorf("%s: exists, and lago would read it in place of the template's own; remove it and try again", repoFile(name))
		}
	}
	there := new(published)
	fi, err := r.tree.Stat(repoFile(files.Disk))
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !fi.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is %s; remove it and try again", repoFile(files.Disk), templates.TypeName(fi.Mode()))
	default:
		there.disk = true
	}
	if there.hash, err = r.sidecar(files.Hash, maxHashSize); err != nil {
		return nil, err
	}
	if there.metadataText, err = r.sidecar(files.Metadata, maxMetadataSize); err != nil {
		return nil, err
	}
	// What cannot be parsed is wrong, and is brought up to date like any other
	// fault in it.
	if m, err := ParseMetadata(there.metadataText); err == nil {
		there.metadata = m
	}
	return there, nil
}

// sidecar reads a small file of the tree; nil where there is none.
func (r *recovery) sidecar(name string, limit int64) ([]byte, error) {
	data, err := templates.ReadSmall(r.tree, repoFile(name), limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; remove it and try again", err)
	}
	return data, nil
}

// merged is the metadata to publish before it is brought up to date: what is
// published, with somebody's additions, then what only the store has.
func (p *published) merged(stored *Metadata) *Metadata {
	md := new(Metadata)
	if p.metadata != nil {
		md = p.metadata.Clone()
	}
	if stored != nil {
		md.AddMissing(stored)
	}
	return md
}

// replaced names the sidecars that stood there without an image.
func (p *published) replaced(files templates.Files) string {
	var names []string
	if p.hash != nil {
		names = append(names, repoFile(files.Hash))
	}
	if p.metadataText != nil {
		names = append(names, repoFile(files.Metadata))
	}
	if names == nil {
		return ""
	}
	return "replaced " + strings.Join(names, " and ") + ", which stood there without an image"
}

// samePacked says whether the published image holds the content, and gives its
// digests and size. The image is decoded only where the published metadata does
// not vouch for it.
func (r *recovery) samePacked(ctx context.Context, files templates.Files, there *published, md *Metadata, content hashutil.Digests) (hashutil.Digests, int64, error) {
	name := repoFile(files.Disk)
	img, err := templates.OpenImage(r.tree, name)
	if err != nil {
		return nil, 0, fmt.Errorf("%w; remove it and try again", err)
	}
	size := img.Stat().Size()
	packed, err := templates.Digest(ctx, img, nil, md.PackedAlgorithms()...)
	if err := errors.Join(err, img.Close()); err != nil {
		return nil, 0, err
	}
	if img.Info.Format == templates.XZ && there.vouches(size, packed, content) {
		return packed, size, nil
	}
	other := func(why string) error {
		return fmt.Errorf("%s: exists and %s; a published image is not replaced: remove it with its .hash and .metadata, or recover to another tree",
			name, why)
	}
	if img.Info.Format != templates.XZ {
		return nil, 0, other("is no xz file")
	}
	got, err := digestContent(ctx, r.tree, name, []hashutil.Algorithm{hashutil.SHA256}, r.opt.Jobs)
	switch {
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case err != nil:
		return nil, 0, other("cannot be decoded (" + err.Error() + ")")
	case got[hashutil.SHA256] != content[hashutil.SHA256]:
		return nil, 0, other("holds other content (SHA-256 " + got[hashutil.SHA256] + ", here " + content[hashutil.SHA256] + ")")
	}
	return packed, size, nil
}

// vouches says whether the published metadata binds this very file to this very
// content.
func (p *published) vouches(size int64, packed, content hashutil.Digests) bool {
	if p.metadata == nil {
		return false
	}
	sum, _ := p.metadata.Text(string(hashutil.SHA256))
	checksum, _ := p.metadata.Text(KeyChecksum)
	n, _ := p.metadata.Int(KeyCompressedSize)
	return sum == content[hashutil.SHA256] && checksum == packed[hashutil.SHA512] && n == size
}
