package kubevirtimg

import (
	"context"
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// digests are computed of every image: SHA-1 since KubeVirt's scripts compare it, SHA-256 since it proves more.
var digests = []hashutil.Algorithm{hashutil.SHA1, hashutil.SHA256}

// carry brings one disk to its name.
func (c *carrier) carry(ctx context.Context, a *Action, it *templates.Item) (err error) {
	if err := a.check(); err != nil {
		return err
	}
	name := path.Join(c.dir, a.Image)
	it.Destination = name
	img, err := c.open(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	it.Sizes = &img.Sizes
	there, err := c.tree.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.bring(ctx, a, img, name, it)
	case err != nil:
		return err
	case !there.Mode().IsRegular():
		return fmt.Errorf("%s: is %s; remove it and try again", name, templates.TypeName(there.Mode()))
	}
	return c.compare(ctx, a, img, name, there, it)
}

// open opens the disk and makes sure that it is what was scanned.
func (c *carrier) open(a *Action) (*templates.Image, error) {
	img, err := templates.OpenImage(c.src, a.Source)
	if err != nil {
		return nil, err
	}
	err = checkFormat(a.Source, img)
	if fi := img.Stat(); err == nil && (fi.Size() != a.Size || !fi.ModTime().Equal(a.ModTime)) {
		err = fmt.Errorf("%s: changed since it was scanned (%d bytes, now %d); stop what writes to it and scan again",
			templates.Quote(a.Source), a.Size, fi.Size())
	}
	if err != nil {
		return nil, errors.Join(err, img.Close())
	}
	return img, nil
}

// bring publishes a disk whose name is free.
func (c *carrier) bring(ctx context.Context, a *Action, img *templates.Image, name string, it *templates.Item) error {
	bring := c.copy
	if c.mode != templates.ModeCopy {
		bring = c.relink
	}
	sums, err := bring(ctx, a, img, name)
	if err != nil {
		return err
	}
	it.State = templates.RenamedState
	a.explain(it, sums)
	return nil
}

// copy writes the disk's bytes and the sidecar as one set.
func (c *carrier) copy(ctx context.Context, a *Action, img *templates.Image, name string) (sums hashutil.Digests, err error) {
	set := c.dst.NewSet(a.Image)
	defer func() { err = errors.Join(err, set.Discard()) }()
	// A sidecar that stands there without an image speaks of nothing.
	orphan, err := c.readSidecar(name)
	if err != nil {
		return nil, err
	}
	set.Replace(orphan != nil)
	f, err := set.Create(name, img.Sizes.Allocated)
	if err != nil {
		return nil, err
	}
	if sums, err = templates.Copy(ctx, f, img, c.progressOf(a), digests...); err != nil {
		return nil, err
	}
	if err := a.insist(sums); err != nil {
		return nil, err
	}
	sum, err := hex.DecodeString(sums[hashutil.SHA256])
	if err != nil {
		return nil, err
	}
	if err := f.SetSum(crypto.SHA256, sum); err != nil {
		return nil, err
	}
	if err := stageSidecar(set, name, sums); err != nil {
		return nil, err
	}
	return sums, set.Commit(ctx)
}

// compare finds out whether what has the name already is the disk, and mends the sidecar beside it.
func (c *carrier) compare(ctx context.Context, a *Action, img *templates.Image, name string, there fs.FileInfo, it *templates.Item) error {
	other := func(what string) error {
		return fmt.Errorf("%s: exists and %s; a published image is not replaced: remove it with its sidecar, or give this one another name with --name",
			name, what)
	}
	if there.Size() != img.Stat().Size() {
		return other(fmt.Sprintf("has %d bytes, not %d", there.Size(), img.Stat().Size()))
	}
	sums, err := templates.Digest(ctx, img, c.progressOf(a), digests...)
	if err != nil {
		return err
	}
	if err := a.insist(sums); err != nil {
		return err
	}
	if !os.SameFile(there, img.Stat()) {
		have, err := digestOf(ctx, c.tree, name, nil, hashutil.SHA256)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			return other("cannot be compared (" + err.Error() + ")")
		}
		if have[hashutil.SHA256] != sums[hashutil.SHA256] {
			return other(fmt.Sprintf("holds other content (SHA-256 %s, here %s)", have[hashutil.SHA256], sums[hashutil.SHA256]))
		}
	}
	wrote, err := c.mend(ctx, name, sums)
	if err != nil {
		return err
	}
	it.State, it.Digests = templates.Unchanged, &templates.ItemDigests{Content: sums}
	it.AddReason(name + " is there already, with the same content")
	if wrote != "" {
		it.State = templates.Written
		it.AddReason(wrote)
	}
	return c.finishMove(a, img, there, it)
}

// mend writes the sidecar beside a right image unless it is right too, and says what was wrong with it.
func (c *carrier) mend(ctx context.Context, name string, sums hashutil.Digests) (wrote string, err error) {
	have, err := c.readSidecar(name)
	if err != nil {
		return "", err
	}
	switch {
	case string(have) == string(sidecarOf(sums)):
		return "", nil
	case have == nil:
		wrote = "its sidecar was missing and has been written"
	default:
		wrote = "its sidecar was wrong and has been written anew"
	}
	set := c.dst.NewSet(path.Base(name))
	defer func() { err = errors.Join(err, set.Discard()) }()
	set.Replace(true)
	if err := stageSidecar(set, name, sums); err != nil {
		return "", err
	}
	return wrote, set.Commit(ctx)
}

// readSidecar reads the sidecar that a name in the tree has; nil where there is none.
func (c *carrier) readSidecar(name string) ([]byte, error) {
	sidecar := hashutil.SidecarFor(name, hashutil.SHA1)
	data, err := readSmall(c.tree, sidecar)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w; remove it and try again", err)
	}
	return append([]byte{}, data...), nil
}

func sidecarOf(sums hashutil.Digests) []byte {
	return hashutil.FormatSidecar(hashutil.KubeVirtSHA1, hashutil.SHA1, sums[hashutil.SHA1], "")
}

func stageSidecar(set *publish.Set, name string, sums hashutil.Digests) error {
	text := sidecarOf(sums)
	f, err := set.Create(hashutil.SidecarFor(name, hashutil.SHA1), int64(len(text)))
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return err
}

// insist refuses a disk that its sidecar contradicts.
func (a *Action) insist(sums hashutil.Digests) error {
	got := sums[hashutil.SHA1]
	if a.SHA1 == "" || a.SHA1 == got {
		return nil
	}
	why := "the disk is damaged"
	if a.Older {
		why = "the sidecar is older than the disk, so that a download was cut off or is under way"
	}
	return fmt.Errorf("%s: has the SHA-1 %s, its sidecar says %s: %s; it is not published, take it from another node's cache",
		templates.Quote(a.Source), got, a.SHA1, why)
}

// explain fills in the digests of what was published and says how they compare with the sidecar.
func (a *Action) explain(it *templates.Item, sums hashutil.Digests) {
	it.Digests = &templates.ItemDigests{Content: sums}
	switch {
	case a.SHA1 == "":
		it.AddReason("a new .sha1 was made for it")
	case a.Sidecar != "":
		it.AddReason("verified by its sidecar, which was written anew: " + a.Sidecar)
	default:
		it.AddReason("verified by its sidecar")
	}
}

// progressOf speaks of the item's source where templates speaks of the file.
func (c *carrier) progressOf(a *Action) func(templates.Progress) {
	if c.progress == nil {
		return nil
	}
	item := a.Path()
	return func(p templates.Progress) {
		p.Item = item
		c.progress(p)
	}
}
