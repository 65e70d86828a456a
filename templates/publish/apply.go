package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"syscall"
)

// publish carries a planned set out. An error that is ErrUnfinished leaves the journal for the next Open;
// after any other one the tree is as it was.
func (d *Dir) publish(stage *node, j *journal) error {
	if err := d.backUp(stage, j); err != nil {
		return err
	}
	// The journal has to be found after a power failure: first the way to it.
	if err := d.lock.meta.sync(d.opt.step); err != nil {
		return err
	}
	if err := d.writeJournal(stage, j); err != nil {
		return err
	}
	err := d.forward(stage, j)
	if err == nil {
		err = d.dropJournal(stage, journalName)
		if err != nil {
			return unfinished(err)
		}
		return nil
	}
	if _, unsynced := errors.AsType[*syncError](err); unsynced {
		// Taking it back would need the sync that has just failed.
		return unfinished(err)
	}
	if undoErr := d.undo(stage, j); undoErr != nil {
		return unfinished(errors.Join(err, undoErr))
	}
	return err
}

func unfinished(err error) error { return fmt.Errorf("%w: %w", err, ErrUnfinished) }

// backUp links the files that are going to be replaced into the staging. Where that cannot be, for want of
// links or of the right to link to another user's file, the set can be completed but not taken back.
func (d *Dir) backUp(stage *node, j *journal) error {
	for i := range j.Files {
		e := &j.Files[i]
		if !e.Replaces {
			continue
		}
		if err := d.backUpFile(stage, e.Name, backupName(i)); err == nil {
			e.Backup = backupName(i)
		} else if !noSuchCall(err) && !errors.Is(err, syscall.EPERM) && !errors.Is(err, syscall.EMLINK) {
			return err
		}
	}
	return nil
}

func (d *Dir) backUpFile(stage *node, name, backup string) error {
	parent, err := openNode(d.root, path.Dir(name))
	if err != nil {
		return err
	}
	defer parent.close()
	return link(d.opt.step, parent, path.Base(name), stage, backup)
}

// writeJournal makes the decision durable: from its sync on the set will be published.
func (d *Dir) writeJournal(stage *node, j *journal) error {
	text, err := j.encode()
	if err != nil {
		return err
	}
	if err := d.stageJournal(stage, text); err != nil {
		return about(path.Join(stage.rel, journalName), bare(err))
	}
	if err := stage.sync(d.opt.step); err != nil {
		if gone := d.unlink(stage, journalName); gone != nil {
			return unfinished(errors.Join(err, gone))
		}
		return err
	}
	return nil
}

func (d *Dir) stageJournal(stage *node, text []byte) (err error) {
	step := d.opt.step
	if err := step.at("create", journalName); err != nil {
		return err
	}
	p, err := newPending(stage.root, journalName, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = p.Cleanup() // the first failure counts, and the staging is removed next
		}
	}()
	if err := step.at("write", journalName); err != nil {
		return err
	}
	if _, err := p.Write(text); err != nil {
		return err
	}
	if err := step.at("sync-rename", journalName); err != nil {
		return err
	}
	return p.replace()
}

// dropJournal ends a set. It has to be durable before the next set begins: a journal that comes back after
// a power failure would take newer files for damaged ones.
func (d *Dir) dropJournal(stage *node, name string) error {
	if err := d.unlink(stage, name); err != nil {
		return err
	}
	return stage.sync(d.opt.step)
}

// forward does what a journal says, from wherever an earlier run has come to.
func (d *Dir) forward(stage *node, j *journal) error {
	for _, dir := range j.Dirs {
		if err := d.makeDir(dir); err != nil {
			return err
		}
	}
	for i := range j.Files {
		if err := d.place(stage, &j.Files[i]); err != nil {
			return err
		}
	}
	for _, e := range j.Remove {
		if err := d.take(stage, e); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) makeDir(dir string) error {
	parent, err := openNode(d.root, path.Dir(dir))
	if err != nil {
		return err
	}
	defer parent.close()
	if err := d.opt.step.at("mkdir", dir); err != nil {
		return about(dir, err)
	}
	err = parent.root.Mkdir(path.Base(dir), d.opt.DirMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return about(dir, bare(err))
	}
	made, err := openNode(d.root, dir)
	if err != nil {
		return err
	}
	defer made.close()
	if err := d.opt.step.at("chmod", dir); err != nil {
		return about(dir, err)
	}
	if err := chmodDir(made.file, d.opt.DirMode); err != nil {
		return about(dir, bare(err))
	}
	return parent.sync(d.opt.step)
}

// place gives one staged file its name, durably before the next one gets its own.
func (d *Dir) place(stage *node, e *fileEntry) error {
	parent, err := openNode(d.root, path.Dir(e.Name))
	if err != nil {
		return err
	}
	defer parent.close()
	base := path.Base(e.Name)
	there, err := parent.target(base)
	if err != nil {
		return err
	}
	staged, err := stage.target(e.Staged)
	switch {
	case err != nil:
		return err
	case staged == nil:
		// An earlier run has renamed it, and may have been killed before it could sync.
	case there != nil && os.SameFile(there, staged):
		// A rename that a power failure cut in half. Doing it again would do nothing: rename(2).
		err = d.unlink(stage, e.Staged)
	case e.Replaces:
		err = move(d.opt.step, stage, e.Staged, parent, base)
	default:
		err = moveNew(d.opt.step, stage, e.Staged, parent, base)
	}
	if err != nil {
		return err
	}
	return parent.sync(d.opt.step)
}

// take moves a file that is to be removed into the staging, which is removed once the set is out.
func (d *Dir) take(stage *node, e removeEntry) error {
	parent, err := openNode(d.root, path.Dir(e.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer parent.close()
	base := path.Base(e.Name)
	there, err := parent.target(base)
	if err != nil {
		return err
	}
	if there != nil {
		if err := move(d.opt.step, parent, base, stage, e.Taken); err != nil {
			return err
		}
	}
	return parent.sync(d.opt.step)
}
