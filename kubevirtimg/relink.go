package kubevirtimg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// relink gives the disk its name with a hard link, which replaces nothing, and for a move takes the old name away at the end. A
// run that is killed in between leaves the image under both names, and the next one goes on from there.
func (c *carrier) relink(ctx context.Context, a *Action, img *templates.Image, name string) (hashutil.Digests, error) {
	sums, err := templates.Digest(ctx, img, c.progressOf(a), digests...)
	if err != nil {
		return nil, err
	}
	if err := a.insist(sums); err != nil {
		return nil, err
	}
	if err := c.link(a, img, name); err != nil {
		return nil, err
	}
	if _, err := c.mend(ctx, name, sums); err != nil {
		return nil, err
	}
	if c.mode == templates.ModeMove {
		return sums, c.removeSource(a, img)
	}
	return sums, nil
}

// link makes the hard link and looks at what it got: another file may have been given the source's name since the disk was
// opened.
func (c *carrier) link(a *Action, img *templates.Image, name string) error {
	if err := publish.Link(c.dirOnDisk.Root(), a.Source, c.dst.Root(), name); err != nil {
		if errors.Is(err, syscall.EXDEV) {
			return fmt.Errorf("%s: lies on another file system than %s; use the mode copy", templates.Quote(a.Source), c.dst.Path())
		}
		return fmt.Errorf("%s: %w", templates.Quote(a.Source), err)
	}
	got, err := c.dst.Root().Lstat(name)
	if err == nil && os.SameFile(got, img.Stat()) {
		return publish.SyncDir(c.dst.Root())
	}
	return errors.Join(
		fmt.Errorf("%s: was replaced while it was linked; try again", templates.Quote(a.Source)),
		err, c.dst.Root().Remove(name))
}

// finishMove takes the source of a move away where the image that has its name is the same file.
func (c *carrier) finishMove(a *Action, img *templates.Image, there fs.FileInfo, it *templates.Item) error {
	if c.mode != templates.ModeMove {
		return nil
	}
	if os.SameFile(there, img.Stat()) {
		it.State = templates.RenamedState
		return c.removeSource(a, img)
	}
	it.AddReason("the source stays")
	return nil
}

// removeSource removes the sidecar and then the disk, once the disk has arrived under all names that it is to have.
func (c *carrier) removeSource(a *Action, img *templates.Image) error {
	if c.wanted[a.Source]--; c.wanted[a.Source] > 0 {
		return nil
	}
	root := c.dirOnDisk.Root()
	now, err := root.Lstat(a.Source)
	if err != nil {
		return err
	}
	if !os.SameFile(now, img.Stat()) {
		return fmt.Errorf("%s: was replaced while it was moved; it stays", templates.Quote(a.Source))
	}
	if err := root.Remove(path.Join(a.Dir, sidecarName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := root.Remove(a.Source); err != nil {
		return err
	}
	dir, err := root.OpenRoot(a.Dir)
	if err != nil {
		return err
	}
	return errors.Join(publish.SyncDir(dir), dir.Close())
}
