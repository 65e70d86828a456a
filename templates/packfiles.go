package templates

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// FilesOptions say where [PackFiles] and [UnpackFiles] write. The zero value
// writes beside each input and replaces nothing.
type FilesOptions struct {
	Dir    string // for all outputs; "": each beside its input. It is made where it is missing
	Force  bool   // replace an output that exists
	DryRun bool   // look at everything and write nothing
}

// PackFiles packs the images at paths as IMAGE.xz, one after the other, each on
// all the cores that opt allows; the images stay. The modification time and the
// permissions go with the content. paths are the caller's and trusted.
//
// The report has an item for each path, in order. An image that cannot be
// packed, or whose output exists without Force, is a failed item, leaves
// nothing behind and does not stop the others. Two inputs with one output are a
// [*ConflictError], and nothing is written. A cancelled ctx gives its cause, and
// the report of what was finished.
func PackFiles(ctx context.Context, paths []string, out FilesOptions, opt PackOptions) (*Report, error) {
	return eachFile(ctx, paths, out, func(path string) (string, error) { return filepath.Base(path) + ".xz", nil },
		func(path, dest string) (Item, error) { return packFile(ctx, path, dest, out, opt) })
}

func packFile(ctx context.Context, path, dest string, out FilesOptions, opt PackOptions) (_ Item, err error) {
	img, err := OpenImageFile(path)
	if err != nil {
		return Item{}, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	if err := img.packable(); err != nil {
		return Item{}, err
	}
	if err := checkOutput(img, dest, out.Force); err != nil {
		return Item{}, err
	}
	if out.DryRun {
		sizes := img.Sizes
		return Item{State: Planned, Reason: fmt.Sprintf("would be packed, level %s", opt.Level), Sizes: &sizes}, nil
	}
	it := Item{State: PackedState}
	err = writeOutput(ctx, img, dest, out.Force, func(f *publish.File) error {
		sizes, digests, err := Pack(ctx, f, img, opt)
		it.Sizes, it.Digests = &sizes, &digests
		return err
	})
	return it, err
}

// UnpackOptions say how [UnpackFiles] unpacks. The zero value uses all cores.
type UnpackOptions struct {
	Jobs     int            // blocks at a time; 0: all cores
	Limits   xzpack.Limits  // zero: those for files that are not trusted
	Progress func(Progress) // may be nil; called from one goroutine at a time
}

// UnpackFiles is the reverse of [PackFiles]: IMAGE.xz becomes IMAGE, sparse where
// it holds zeros, every check verified. A path without .xz at its end needs
// out.Dir, where the output keeps the name. A file that is damaged or no .xz is
// a failed item and leaves nothing behind.
func UnpackFiles(ctx context.Context, paths []string, out FilesOptions, opt UnpackOptions) (*Report, error) {
	return eachFile(ctx, paths, out, func(path string) (string, error) { return unpackedName(path, out.Dir) },
		func(path, dest string) (Item, error) { return unpackFile(ctx, path, dest, out, opt) })
}

func unpackedName(path, dir string) (string, error) {
	base := filepath.Base(path)
	name, ok := strings.CutSuffix(base, ".xz")
	switch {
	case ok && name != "":
		return name, nil
	case !ok && dir != "":
		return base, nil
	}
	return "", errors.New("the name does not end in .xz, so that of the output cannot be told: name a directory for it (-o DIR)")
}

func unpackFile(ctx context.Context, path, dest string, out FilesOptions, opt UnpackOptions) (_ Item, err error) {
	img, err := OpenImageFile(path)
	if err != nil {
		return Item{}, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	if img.Info.Format != XZ {
		return Item{}, fmt.Errorf("expected the .xz format, found %s: there is nothing to unpack", img.Info.Format)
	}
	x, err := xzpack.Open(img, img.stat.Size(), xzpack.OpenOptions{Limits: opt.Limits})
	if err != nil {
		return Item{}, err
	}
	if err := checkOutput(img, dest, out.Force); err != nil {
		return Item{}, err
	}
	sizes := Sizes{Apparent: x.Size(), Packed: x.PackedSize()}
	if out.DryRun {
		return Item{State: Planned, Reason: "would be unpacked", Sizes: &sizes}, nil
	}
	xo := xzpack.UnpackOptions{Jobs: opt.Jobs, WriteBack: true}
	if opt.Progress != nil {
		xo.Progress = func(p xzpack.Progress) { opt.Progress(Progress{Item: path, Done: p.Done, Total: p.Total}) }
	}
	err = writeOutput(ctx, img, dest, out.Force, func(f *publish.File) error {
		if err := x.Unpack(ctx, f.File(), xo); err != nil {
			return err
		}
		sizes.describe(f.File(), x.Size())
		return img.Unchanged()
	})
	return Item{State: Unpacked, Sizes: &sizes}, err
}

// describe adds what can be told of an unpacked file. What is no image, or one
// that must not be published, is unpacked all the same: it has no virtual size.
func (s *Sizes) describe(f *os.File, size int64) {
	if info, err := DetectFormat(f, size); err == nil {
		s.Virtual = info.Virtual
	}
	if st, err := f.Stat(); err == nil {
		s.Allocated = allocated(st)
	}
}

// checkOutput refuses, before any work, what cannot be written: an output that
// exists without force, and one that is the input under another name.
func checkOutput(img *Image, dest string, force bool) error {
	st, err := os.Stat(dest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case os.SameFile(st, img.stat):
		return fmt.Errorf("the output %s is the input itself", Quote(dest))
	case !force:
		return fmt.Errorf("the output %s: %w; move it away, or have it replaced (--force)", Quote(dest), publish.ErrExists)
	}
	return nil
}

// writeOutput writes dest whole or not at all, with the time and permissions of
// the image it is made from.
func writeOutput(ctx context.Context, img *Image, dest string, force bool, write func(*publish.File) error) error {
	opt := publish.FileOptions{Force: force, Mode: img.stat.Mode().Perm()}
	err := publish.WriteFile(ctx, dest, opt, func(f *publish.File) error {
		f.SetModTime(img.stat.ModTime())
		return write(f)
	})
	// The unfinished file has a name of its own, which means nothing to the
	// reader of the message.
	var pe *fs.PathError
	if errors.As(err, &pe) && strings.HasPrefix(filepath.Base(pe.Path), ".") && filepath.Dir(pe.Path) == filepath.Dir(dest) {
		err = &fs.PathError{Op: pe.Op, Path: dest, Err: pe.Err}
	}
	return err
}
