package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
)

// recover settles the sets that runs before this one have left: those with a journal are completed or taken
// back, the others were never decided and are removed.
func (d *Dir) recover(ctx context.Context) error {
	entries, err := fs.ReadDir(d.lock.meta.root.FS(), ".")
	if err != nil {
		return about(metaDir, bare(err))
	}
	for _, e := range entries {
		if !ownsStage(e.Name()) {
			continue
		}
		if n, err := strconv.Atoi(strings.TrimPrefix(e.Name(), stagePrefix)); err == nil {
			d.last = max(d.last, n)
		}
		if !e.IsDir() {
			continue
		}
		stage, err := openNode(d.root, path.Join(metaDir, e.Name()))
		if err != nil {
			return err
		}
		if err := d.recoverSet(ctx, stage); err != nil {
			stage.close()
			return err
		}
		if err := d.dropStage(stage); err != nil {
			return err
		}
	}
	return nil
}

func (d *Dir) recoverSet(ctx context.Context, stage *node) error {
	j, err := readJournal(stage, undoName)
	if err != nil {
		return err
	}
	if j != nil {
		if err := d.resumeUndo(stage, j); err != nil {
			return err
		}
		d.tell(j, "taken back, as the run before had begun to")
		return nil
	}
	j, err = readJournal(stage, journalName)
	if err != nil || j == nil {
		return err
	}
	if wrong := d.stillRight(ctx, stage, j); wrong != nil {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := d.undo(stage, j); err != nil {
			return errors.Join(wrong, err)
		}
		d.tell(j, fmt.Sprintf("taken back: %v", wrong))
		return nil
	}
	if err := d.forward(stage, j); err != nil {
		return err
	}
	if err := d.dropJournal(stage, journalName); err != nil {
		return err
	}
	d.tell(j, fmt.Sprintf("completed: %d files published, %d removed", len(j.Files), len(j.Remove)))
	return nil
}

func (d *Dir) tell(j *journal, what string) {
	d.recovered = append(d.recovered, fmt.Sprintf("set %s, left by a killed run: %s", quote(j.Label), what))
}

// readJournal reads a journal, or returns nil if there is none. One that cannot be understood is an error:
// part of its set may be out, and only a human can tell.
func readJournal(stage *node, name string) (*journal, error) {
	where := path.Join(stage.rel, name)
	f, err := stage.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, about(where, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxJournal+1))
	if err != nil {
		return nil, about(where, bare(err))
	}
	j, err := parseJournal(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w: to give that set up, remove %s", quote(where), err, quote(stage.rel))
	}
	return j, nil
}

// open opens a regular file of the directory, and nothing else.
func (n *node) open(base string) (*os.File, error) {
	info, err := n.target(base)
	if err != nil {
		return nil, err
	}
	if info == nil {
		return nil, fs.ErrNotExist
	}
	f, err := n.root.OpenFile(base, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, bare(err)
	}
	if !n.holds(base, f) {
		f.Close()
		return nil, errors.New("was swapped for another file while it was opened")
	}
	return f, nil
}

// stillRight says why a journal cannot be carried out as it stands: a file that is staged, or renamed
// already, is not what it was, or somebody has taken a name.
func (d *Dir) stillRight(ctx context.Context, stage *node, j *journal) error {
	for i := range j.Files {
		e := &j.Files[i]
		there, err := d.look(e.Name)
		if err != nil {
			return err
		}
		staged, err := stage.target(e.Staged)
		if err != nil {
			return err
		}
		switch {
		case staged != nil:
			if there.info != nil && !e.Replaces && !os.SameFile(there.info, staged) {
				return about(e.Name, ErrExists)
			}
			err = e.matches(ctx, stage, e.Staged)
		case there.info != nil:
			err = d.matchesPlaced(ctx, e)
		default:
			err = errors.New("neither the staged nor the published file is there")
		}
		if err != nil {
			return about(e.Name, err)
		}
	}
	return nil
}

func (d *Dir) matchesPlaced(ctx context.Context, e *fileEntry) error {
	parent, err := openNode(d.root, path.Dir(e.Name))
	if err != nil {
		return err
	}
	defer parent.close()
	return e.matches(ctx, parent, path.Base(e.Name))
}

// matches compares a file with what the journal knows of it: its size, and its digests where there are any.
func (e *fileEntry) matches(ctx context.Context, n *node, base string) error {
	f, err := n.open(base)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return bare(err)
	}
	if info.Size() != e.Size {
		return fmt.Errorf("found %d bytes, expected %d", info.Size(), e.Size)
	}
	if len(e.Sums) == 0 {
		return nil
	}
	names := make([]string, 0, len(e.Sums))
	for name := range e.Sums {
		names = append(names, name)
	}
	got, err := sums(ctx, f, e.Size, names)
	if err != nil {
		return bare(err)
	}
	for name, sum := range e.Sums {
		if got[name] != sum {
			return fmt.Errorf("found %s %s, expected %s", name, got[name], sum)
		}
	}
	return nil
}
