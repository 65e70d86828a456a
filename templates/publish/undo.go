package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"
)

// undo takes back what has been published of a set. It first turns the journal into an undo journal, so
// that a run that is killed here is continued in the same direction.
func (d *Dir) undo(stage *node, j *journal) error {
	if err := move(d.opt.step, stage, journalName, stage, undoName); err != nil {
		return err
	}
	if err := stage.sync(d.opt.step); err != nil {
		return err
	}
	return d.resumeUndo(stage, j)
}

func (d *Dir) resumeUndo(stage *node, j *journal) error {
	for _, e := range slices.Backward(j.Remove) {
		if err := d.putBack(stage, e); err != nil {
			return err
		}
	}
	for i := range slices.Backward(j.Files) {
		if err := d.unplace(stage, &j.Files[i]); err != nil {
			return err
		}
	}
	for _, dir := range slices.Backward(j.Dirs) {
		if err := d.removeDir(dir); err != nil {
			return err
		}
	}
	return d.dropJournal(stage, undoName)
}

func (d *Dir) putBack(stage *node, e removeEntry) error {
	taken, err := stage.target(e.Taken)
	if err != nil || taken == nil {
		return err
	}
	parent, err := openNode(d.root, path.Dir(e.Name))
	if err != nil {
		return err
	}
	defer parent.close()
	if err := moveNew(d.opt.step, stage, e.Taken, parent, path.Base(e.Name)); err != nil {
		return fmt.Errorf("putting the removed file back from %s: %w", quote(path.Join(stage.rel, e.Taken)), err)
	}
	return parent.sync(d.opt.step)
}

// unplace takes one file back, if it is there and still the one that was published.
func (d *Dir) unplace(stage *node, e *fileEntry) error {
	parent, err := openNode(d.root, path.Dir(e.Name))
	if outOfReach(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.close()
	base := path.Base(e.Name)
	ours, free, err := e.placed(stage, parent, base)
	if err != nil {
		return err
	}
	backup := fs.FileInfo(nil)
	if e.Backup != "" {
		if backup, err = stage.target(e.Backup); err != nil {
			return err
		}
	}
	switch {
	case backup != nil && (ours || free):
		err = move(d.opt.step, stage, e.Backup, parent, base)
	case ours && !e.Replaces:
		err = d.unlink(parent, base)
	case ours && e.Backup == "":
		return fmt.Errorf("%s: the file that was replaced could not be kept on this file system and cannot be brought back: put it right by hand and remove %s", quote(e.Name), quote(stage.rel))
	default:
		return nil
	}
	if err != nil {
		return err
	}
	return parent.sync(d.opt.step)
}

// placed tells whether what is under the name of e is the file that was staged for it, or whether nothing
// is. Big files are told by their size: this is the way back, and nobody waits for 30 GB to be read on it.
func (e *fileEntry) placed(stage, parent *node, base string) (ours, free bool, err error) {
	there, err := parent.root.Lstat(base)
	if errors.Is(err, fs.ErrNotExist) {
		return false, true, nil
	}
	if err != nil {
		return false, false, about(e.Name, bare(err))
	}
	staged, err := stage.root.Lstat(e.Staged)
	if err == nil {
		return os.SameFile(there, staged), false, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, false, about(e.Name, bare(err))
	}
	if !there.Mode().IsRegular() || there.Size() != e.Size {
		return false, false, nil
	}
	return e.Size > smallFile || e.matches(context.Background(), parent, base) == nil, false, nil
}

// outOfReach tells that a directory is not there or that something else stands in its place: nothing in it
// can be taken back.
func outOfReach(err error) bool {
	_, blocked := errors.AsType[*obstacle](err)
	return blocked || errors.Is(err, fs.ErrNotExist)
}

// removeDir removes a directory that the set had made, unless somebody has put something into it.
func (d *Dir) removeDir(dir string) error {
	parent, err := openNode(d.root, path.Dir(dir))
	if outOfReach(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.close()
	if info, err := parent.root.Lstat(path.Base(dir)); err != nil || !info.IsDir() {
		return nil // gone, or not what the set made
	}
	if err := d.opt.step.at("rmdir", dir); err != nil {
		return about(dir, err)
	}
	err = parent.root.Remove(path.Base(dir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, syscall.EEXIST) {
		return nil
	}
	if err != nil {
		return about(dir, bare(err))
	}
	return parent.sync(d.opt.step)
}
