package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tempStem is what the names of unfinished files of WriteFile begin with, after a dot and before a number.
const tempStem = "tplkit-tmp-"

// FileOptions say how [WriteFile] publishes. The zero value replaces nothing.
type FileOptions struct {
	Force bool        // replace a file that exists
	Mode  fs.FileMode // permissions, whatever the umask; 0 means 0644
}

// WriteFile writes the file at path, whole or not at all: write fills a file beside it that is synced,
// read back if it is small, and then renamed. An error of write, or a ctx that ended, leaves nothing.
//
// A file that exists is an error, [ErrExists], before write is called, and stays as it is; with opt.Force it is
// replaced. A symbolic link, a directory or a device is always refused. Unlike in a [Dir] nothing is kept
// in reserve and no lock is taken: of two that write the same name without force, one gets [ErrExists].
//
// What killed runs have left beside path, files named ".tplkit-tmp-" and a number that no living process
// holds, is removed on the way.
func WriteFile(ctx context.Context, path string, opt FileOptions, write func(f *File) error) error {
	return writeFile(ctx, path, opt, write, nil)
}

func writeFile(ctx context.Context, path string, opt FileOptions, write func(f *File) error, step stepper) (err error) {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if opt.Mode&^fs.ModePerm != 0 {
		return fmt.Errorf("%s: file mode %v: expected permission bits only", quote(path), opt.Mode)
	}
	if opt.Mode == 0 {
		opt.Mode = 0o644
	}
	dir, base := filepath.Dir(path), filepath.Base(path)
	if strings.HasSuffix(path, string(filepath.Separator)) || path == "" {
		return fmt.Errorf("%s: expected the name of a file", quote(path))
	}
	if err := checkName(base); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return about(dir, bare(err))
	}
	defer root.Close()
	n, err := openNode(root, ".")
	if err != nil {
		return err
	}
	defer n.close()
	if err := free(n, base, path, opt.Force); err != nil {
		return err
	}
	sweepTemps(n, step)

	f, guard, err := newTemp(n, path, opt.Mode, step)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// The first failure counts. What cannot be removed now, a later run removes.
			_ = f.abandon()
		}
		guard.Close()
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := f.finish(ctx); err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return f.settleAt(n, base, opt.Force)
}

// free refuses what must not be replaced.
func free(n *node, base, path string, force bool) error {
	info, err := n.target(base)
	if err != nil {
		return err
	}
	if info != nil && !force {
		return about(path, ErrExists)
	}
	return nil
}

// settleAt gives a finished file its name.
func (f *File) settleAt(n *node, base string, force bool) error {
	step := f.cfg.step
	if force {
		if err := move(step, n, f.pending.tmp, n, base); err != nil {
			return err
		}
		return n.sync(step)
	}
	if err := moveNew(step, n, f.pending.tmp, n, base); err != nil {
		return err
	}
	if err := n.sync(step); err != nil {
		// The name may not survive a power failure, so it is not given at all. No second sync.
		return errors.Join(err, n.root.Remove(base))
	}
	return nil
}

// newTemp makes the file that is written, and a second descriptor of it that holds its lock until it has
// its name: that is how a sweep knows that it is not a leftover.
func newTemp(n *node, path string, mode fs.FileMode, step stepper) (*File, *os.File, error) {
	for range maxRetries {
		f, err := newFile(fileConfig{
			name:   path,
			stage:  n,
			staged: tempStem,
			mode:   mode,
			space:  &space{dir: n.file, step: step},
			step:   step,
		}, 0)
		if err != nil {
			return nil, nil, err
		}
		guard, err := n.root.OpenFile(f.pending.tmp, os.O_RDWR, 0)
		if err == nil {
			held, lockErr := TryLock(guard)
			// Without locks on this file system nobody sweeps either.
			if lockErr != nil || held && n.holds(f.pending.tmp, guard) {
				return f, guard, nil
			}
			guard.Close()
		}
		// A sweep got hold of it between its making and its locking.
		if abandonErr := f.abandon(); abandonErr != nil && !errors.Is(abandonErr, fs.ErrNotExist) {
			return nil, nil, about(path, bare(abandonErr))
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, nil, about(path, bare(err))
		}
	}
	return nil, nil, about(path, errRetry)
}

// sweepTemps removes what killed runs of WriteFile left in n. It is a favour to the user: what it cannot
// do, it leaves.
func sweepTemps(n *node, step stepper) {
	entries, err := fs.ReadDir(n.root.FS(), ".")
	if err != nil {
		return
	}
	for _, e := range entries {
		random, ok := strings.CutPrefix(e.Name(), "."+tempStem)
		if !ok || !digits(random) || !e.Type().IsRegular() {
			continue
		}
		f, err := n.open(e.Name())
		if err != nil {
			continue
		}
		if held, err := TryLock(f); err == nil && held && n.holds(e.Name(), f) && step.at("unlink", e.Name()) == nil {
			_ = n.root.Remove(e.Name())
		}
		f.Close()
	}
}
