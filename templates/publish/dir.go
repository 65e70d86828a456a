package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// A Dir is a directory tree that is open for publishing: it holds the tree's lock until [Dir.Close].
// Its methods may be called from several goroutines, and several sets may be filled at the same time.
type Dir struct {
	path  string
	opt   Options
	root  *os.Root
	lock  *treeLock
	space *space

	recovered []string
	notes     []string

	mu     sync.Mutex
	sets   map[*Set]bool
	last   int // number of the newest set
	closed bool

	// publishing is held from the check of a set against the tree to the end of its journal.
	publishing sync.Mutex
	// broken is why nothing more is published: an unfinished set has to be settled first. Under publishing.
	broken error
}

// Open makes dir if it is missing, takes its lock, completes or takes back a set that a killed run left
// unfinished, and removes what that run had staged. The path itself may lead through symbolic links.
//
// It fails with a [LockedError] when another publisher has the tree and [Options.Wait] is not set, and with
// the cause of ctx when that ends while it waits or recovers.
func Open(ctx context.Context, dir string, opt Options) (*Dir, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := makeTree(dir, opt); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, about(dir, bare(err))
	}
	lock, err := takeLock(ctx, root, opt)
	if err != nil {
		root.Close()
		return nil, err
	}
	d := &Dir{path: dir, opt: opt, root: root, lock: lock, sets: make(map[*Set]bool)}
	d.space = &space{dir: lock.meta.file, reserve: opt.Reserve, step: opt.step}
	if err := d.settle(ctx); err != nil {
		return nil, errors.Join(about(dir, err), d.Close())
	}
	return d, nil
}

// settle brings the tree into the state that a new publisher may start from.
func (d *Dir) settle(ctx context.Context) error {
	shared, err := sharedKind(d.lock.meta.file)
	if err != nil {
		return err
	}
	if shared != "" {
		d.notes = append(d.notes, fmt.Sprintf("%s is on %s: the lock keeps publishers on other hosts away only if that file system passes locks on", quote(d.path), shared))
	}
	if err := d.recover(ctx); err != nil {
		return err
	}
	// Without this a power failure could lose metaDir, and a journal in it with that.
	top, err := openNode(d.root, ".")
	if err != nil {
		return err
	}
	defer top.close()
	return top.sync(d.opt.step)
}

// makeTree makes the directory and those above it that are missing, and syncs the parent of each.
func makeTree(dir string, opt Options) error {
	info, err := os.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return fmt.Errorf("%s: found %s, expected a directory", quote(dir), kind(info.Mode()))
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return about(dir, bare(err))
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := makeTree(parent, opt); err != nil {
		return err
	}
	if err := opt.step.at("mkdir", dir); err != nil {
		return about(dir, err)
	}
	err = os.Mkdir(dir, opt.DirMode)
	if errors.Is(err, fs.ErrExist) {
		// Another publisher was quicker; what else it may be, OpenRoot finds out.
		return nil
	}
	if err != nil {
		return about(dir, bare(err))
	}
	made, err := os.Open(dir)
	if err != nil {
		return about(dir, bare(err))
	}
	defer made.Close()
	if err := chmodDir(made, opt.DirMode); err != nil {
		return about(dir, bare(err))
	}
	p, err := os.Open(parent)
	if err != nil {
		return about(parent, bare(err))
	}
	defer p.Close()
	n := &node{file: p, rel: parent}
	return n.sync(opt.step)
}

// chmodDir sets the permissions of a directory that was made, and leaves it the set-group-id bit that it
// has from the directory above.
func chmodDir(f *os.File, mode fs.FileMode) error {
	info, err := f.Stat()
	if err != nil || info.Mode().Perm() == mode {
		return err
	}
	return f.Chmod(info.Mode()&fs.ModeSetgid | mode)
}

// Root gives access to the tree, for reading what is published. It is closed by [Dir.Close].
func (d *Dir) Root() *os.Root { return d.root }

// Path is the directory as it was given to [Open].
func (d *Dir) Path() string { return d.path }

// Recovered says, one sentence each, what [Open] did with sets that killed runs had left with a journal.
func (d *Dir) Recovered() []string { return d.recovered }

// Notes are warnings about the tree, one sentence each: that it lies on a network file system.
func (d *Dir) Notes() []string { return d.notes }

// Close discards the sets that were not committed, removes .tplkit if nothing is left in it, and lets the
// lock go. A second call does nothing.
func (d *Dir) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	var open []*Set
	for s := range d.sets {
		open = append(open, s)
	}
	d.mu.Unlock()

	var all []error
	for _, s := range open {
		all = append(all, s.Discard())
	}
	if err := d.lock.release(d.opt.step); err != nil {
		all = append(all, about(filepath.Join(d.path, metaDir), err))
	}
	all = append(all, d.root.Close())
	return errors.Join(all...)
}
