package templates

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/templates/internal/sparse"
)

// Image is an opened disk image and what its content and its file system say of
// it.
type Image struct {
	Name  string // as it was opened, for messages and progress
	Info  Info
	Sizes Sizes // Virtual, Apparent and Allocated

	file fs.File
	at   io.ReaderAt
	stat fs.FileInfo
}

// OpenImage opens name in fsys, usually a [*Dir], and looks at its content. The
// error is a [*FormatError] for what must not be published, with the name in
// front.
func OpenImage(fsys fs.FS, name string) (*Image, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	img, err := newImage(f, name)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", Quote(name), err)
	}
	return img, nil
}

// OpenImageFile opens the image at a path the caller trusts, as one named on a
// command line; symbolic links in it are followed.
func OpenImageFile(path string) (*Image, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, err
	}
	dir, err := OpenDir(filepath.Dir(real))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := dir.Open(filepath.Base(real))
	if err != nil {
		return nil, shortPath(err, "open", path)
	}
	img, err := newImage(f, path)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return img, nil
}

func newImage(f fs.File, name string) (*Image, error) {
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("is %s: %w", TypeName(st.Mode()), ErrNotRegular)
	}
	at, ok := f.(io.ReaderAt)
	if !ok {
		return nil, fmt.Errorf("cannot be read at an offset (%T)", f)
	}
	info, err := DetectFormat(at, st.Size())
	if err != nil {
		return nil, err
	}
	return &Image{
		Name:  name,
		Info:  info,
		Sizes: Sizes{Virtual: info.Virtual, Apparent: st.Size(), Allocated: allocated(st)},
		file:  f, at: at, stat: st,
	}, nil
}

// ReadAt reads the image's bytes as they are.
func (im *Image) ReadAt(p []byte, off int64) (int, error) { return im.at.ReadAt(p, off) }

// Stat is what the file system said when the image was opened.
func (im *Image) Stat() fs.FileInfo { return im.stat }

// Close closes the file.
func (im *Image) Close() error { return im.file.Close() }

// Unchanged looks again and tells with an error if the file has changed since
// it was opened: what was read then is no copy of anything.
func (im *Image) Unchanged() error {
	now, err := im.file.Stat()
	if err != nil {
		return err
	}
	if now.Size() != im.stat.Size() || !now.ModTime().Equal(im.stat.ModTime()) {
		return fmt.Errorf("%s: changed while it was read (%d bytes of %s, now %d bytes of %s); stop what writes to it and try again",
			Quote(im.Name), im.stat.Size(), im.stat.ModTime().UTC().Format(stampFormat), now.Size(), now.ModTime().UTC().Format(stampFormat))
	}
	return nil
}

const stampFormat = "2006-01-02T15:04:05.000000000Z"

// source is what readers that look for holes themselves are given: the file
// where there is one.
func (im *Image) source() io.ReaderAt {
	if f, ok := im.file.(*os.File); ok {
		return f
	}
	return im.at
}

// sink takes an image's bytes in order, runs of zeros as a count.
type sink interface {
	io.Writer
	WriteZeros(n int64) error
}

// feedBuffer is the size of one read. It bounds how late a cancelled context is
// noticed.
const feedBuffer = 1 << 20

// feed reads the image once, holes not at all, and hands everything to each of
// the sinks. progress may be nil.
func (im *Image) feed(ctx context.Context, progress func(Progress), sinks ...sink) error {
	size := im.stat.Size()
	buf := make([]byte, feedBuffer)
	var done int64
	tell := func() {
		if progress != nil {
			progress(Progress{Item: im.Name, Done: done, Total: size})
		}
	}
	zeros := func(until int64) error {
		for _, s := range sinks {
			if err := s.WriteZeros(until - done); err != nil {
				return err
			}
		}
		done = until
		tell()
		return nil
	}
	for e, err := range sparse.Data(im.source(), size) {
		if err != nil {
			return fmt.Errorf("%s: looking for holes: %w", Quote(im.Name), err)
		}
		if err := zeros(e.Off); err != nil {
			return err
		}
		for end := e.End(); done < end; tell() {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			p := buf[:min(end-done, feedBuffer)]
			if n, err := im.at.ReadAt(p, done); n < len(p) {
				return im.readError(done+int64(n), err)
			}
			for _, s := range sinks {
				if _, err := s.Write(p); err != nil {
					return err
				}
			}
			done += int64(len(p))
		}
	}
	if err := zeros(size); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return im.Unchanged()
}

func (im *Image) readError(at int64, err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%s: short read at byte %d of %d: the file shrank or its disk fails: %w",
		Quote(im.Name), at, im.stat.Size(), err)
}
