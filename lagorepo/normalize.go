package lagorepo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// NormalizeOptions say how [Plan.Normalize] brings the files to their names.
type NormalizeOptions struct {
	Mode     templates.Mode           // "": ModeCopy
	Progress func(templates.Progress) // may be nil; Progress.Item is the item's Source
}

// Normalize gives each planned entry of src its canonical names in the directory
// dst, and changes nothing else about it: the disk becomes H, .hash becomes
// H.hash and .metadata becomes H.metadata, byte for byte. Locks, unfinished
// downloads and lists of users are not carried. A download that is preferred to
// its disk and still packed becomes H.xz.
//
// With [templates.ModeCopy] the files of a template become visible together.
// [templates.ModeLink] and [templates.ModeMove] need src to be a
// [*templates.Dir] on the file system of dst; they bring the sidecars first, so
// that a killed run, repeated, completes what it began. Only ModeMove changes
// src.
//
// Files that are there with the same content are [templates.Unchanged]; one
// with other content is never replaced, and the item fails. The error is as for
// [Plan.Recover].
func (p *Plan) Normalize(ctx context.Context, src fs.FS, dst *publish.Dir, opt NormalizeOptions) (_ *templates.Report, err error) {
	n := normalization{recovery: recovery{src: src, dst: dst, opt: RecoverOptions{Progress: opt.Progress}}}
	if n.mode, err = templates.ParseMode(string(opt.Mode)); err != nil {
		return nil, err
	}
	if n.mode != templates.ModeCopy {
		d, ok := src.(interface{ Root() *os.Root })
		if !ok {
			return nil, fmt.Errorf("mode %s: must have a directory on disk to read from, has a %T", n.mode, src)
		}
		n.srcRoot = d.Root()
	}
	if n.tree, err = templates.OpenDir(dst.Path()); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.tree.Close()) }()
	return p.carryOut(ctx, n.normalize)
}

// normalization is one run of [Plan.Normalize].
type normalization struct {
	recovery
	mode    templates.Mode
	srcRoot *os.Root // for link and move
}

// carried is one file on its way to its canonical name.
type carried struct {
	from, to string
	data     []byte // of a sidecar; nil for the disk
}

// diskName is what the disk is called when it is not packed here.
func (a *Action) diskName() string {
	if a.Packed {
		return templates.FilesOf(a.Handle).Disk
	}
	return a.Handle
}

func (n *normalization) normalize(ctx context.Context, a *Action, it *templates.Item) (err error) {
	if err := a.check(); err != nil {
		return err
	}
	disk := carried{from: a.Source, to: a.diskName()}
	it.Destination = disk.to
	src, err := n.openSource(a)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	it.Sizes = &src.sizes
	there, err := n.diskThere(ctx, src, disk.to)
	if err != nil {
		return err
	}
	sidecars, err := n.missingSidecars(a)
	if err != nil {
		return err
	}
	switch {
	case there && len(sidecars) == 0:
		it.State = templates.Unchanged
		it.AddReason("is there already, with the same content")
		if n.mode == templates.ModeMove {
			it.AddReason("the source stays")
		}
		return nil
	case there:
		it.State = templates.Written
		it.AddReason("the disk is there already, with the same content; " + sidecars[0].to + " was missing")
		return n.place(ctx, src, nil, sidecars)
	}
	if err := n.place(ctx, src, &disk, sidecars); err != nil {
		return err
	}
	it.State = templates.RenamedState
	switch {
	case a.StoredHash == "":
		it.AddReason("the store holds no .hash to carry")
	case !a.Proven:
		it.AddReason(".hash is carried as it is: it is the SHA-1 of the download, which a disk that lago made raw need not have")
	}
	return nil
}

// diskThere says whether the disk is under its name already. Other content
// there is an error.
func (n *normalization) diskThere(ctx context.Context, src *source, name string) (bool, error) {
	fi, err := n.tree.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if os.SameFile(fi, src.img.Stat()) {
		return true, nil
	}
	other := fmt.Errorf("%s: exists with other content and is not replaced: remove it, or choose another directory", templates.Quote(name))
	if fi.Size() != src.img.Stat().Size() {
		return false, other
	}
	have, err := digestBytes(ctx, n.tree, name)
	if err != nil {
		return false, err
	}
	want, err := templates.Digest(ctx, src.img, src.progress(), hashutil.SHA256)
	if err != nil {
		return false, err
	}
	if have != want[hashutil.SHA256] {
		return false, other
	}
	return true, nil
}

func digestBytes(ctx context.Context, fsys fs.FS, name string) (string, error) {
	img, err := templates.OpenImage(fsys, name)
	if err != nil {
		return "", err
	}
	sums, err := templates.Digest(ctx, img, nil, hashutil.SHA256)
	return sums[hashutil.SHA256], errors.Join(err, img.Close())
}

// missingSidecars gives the store's sidecars that are not under their names yet.
// Others there with the same content are left alone; with other content they
// are an error.
func (n *normalization) missingSidecars(a *Action) ([]carried, error) {
	files := templates.FilesOf(a.Handle)
	var missing []carried
	for _, s := range []struct {
		kind  FileKind
		to    string
		limit int64
		there bool
	}{
		{KindHash, files.Hash, maxHashSize, a.StoredHash != ""},
		{KindMetadata, files.Metadata, maxMetadataSize, a.Metadata != nil},
	} {
		if !s.there {
			continue
		}
		from := StoreName{a.Repo, a.Template, a.Version, s.kind}.String()
		data, err := templates.ReadSmall(n.src, from, s.limit)
		if err != nil {
			return nil, err
		}
		have, err := templates.ReadSmall(n.tree, s.to, s.limit)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, carried{from: from, to: s.to, data: data})
		case err != nil:
			return nil, err
		case !bytes.Equal(have, data):
			return nil, fmt.Errorf("%s: exists with other content and is not replaced: remove it, or choose another directory", templates.Quote(s.to))
		}
	}
	return missing, nil
}

// place brings the files to their names in the way of the mode.
func (n *normalization) place(ctx context.Context, src *source, disk *carried, sidecars []carried) error {
	if n.mode == templates.ModeCopy {
		return n.copy(ctx, src, disk, sidecars)
	}
	for _, c := range sidecars {
		if err := n.rename(c, nil); err != nil {
			return err
		}
	}
	if disk != nil {
		if err := n.rename(*disk, src.img.Stat()); err != nil {
			return err
		}
	}
	if n.mode == templates.ModeMove {
		// Only now: a source that changed must not be sure before its copy is.
		return errors.Join(publish.SyncDir(n.dst.Root()), publish.SyncDir(n.srcRoot))
	}
	return publish.SyncDir(n.dst.Root())
}

func (n *normalization) copy(ctx context.Context, src *source, disk *carried, sidecars []carried) (err error) {
	set := n.dst.NewSet(src.action.Handle)
	defer func() { err = errors.Join(err, set.Discard()) }()
	if disk != nil {
		f, err := set.Create(disk.to, src.img.Sizes.Allocated)
		if err != nil {
			return err
		}
		if _, err := templates.Copy(ctx, f, src.img, src.progress()); err != nil {
			return err
		}
	}
	for _, c := range sidecars {
		if err := writeStaged(set, c.to, c.data); err != nil {
			return err
		}
	}
	return set.Commit(ctx)
}

// rename links or moves one file. want is what must have arrived, or nil.
func (n *normalization) rename(c carried, want fs.FileInfo) error {
	do, what := publish.Link, "linked"
	if n.mode == templates.ModeMove {
		do, what = publish.Move, "moved"
	}
	if err := do(n.srcRoot, c.from, n.dst.Root(), c.to); err != nil {
		if errors.Is(err, syscall.EXDEV) {
			return fmt.Errorf("%s: cannot be %s to another file system; use the mode copy", templates.Quote(c.from), what)
		}
		return fmt.Errorf("%s: cannot be %s to %s: %w", templates.Quote(c.from), what, templates.Quote(c.to), err)
	}
	got, err := n.dst.Root().Lstat(c.to)
	if err != nil {
		return err
	}
	if !got.Mode().IsRegular() || want != nil && !os.SameFile(got, want) {
		return fmt.Errorf("%s: was replaced while it was %s: look at %s before it is used", templates.Quote(c.from), what, templates.Quote(c.to))
	}
	return nil
}
