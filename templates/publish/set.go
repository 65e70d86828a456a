package publish

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// A Set is a group of files that become visible together. Its files may be written by several goroutines,
// one each; Commit and Discard end it.
type Set struct {
	dir     *Dir
	label   string
	replace bool

	mu     sync.Mutex
	stage  *node // .tplkit/set-NNNNNN, made with the first file
	claims claims
	files  []*File
	remove []string
	ended  bool
}

// NewSet begins a set. The label, such as the template's name, is only for people: it is in errors and in
// [Dir.Recovered].
func (d *Dir) NewSet(label string) *Set {
	s := &Set{dir: d, label: cut(label), replace: d.opt.Replace}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		s.ended = true
	} else {
		d.sets[s] = true
	}
	return s
}

// cut bounds a label in the journal.
func cut(label string) string {
	if len(label) > maxQuoted {
		label = label[:maxQuoted]
	}
	return strings.ToValidUTF8(label, "?")
}

var errEnded = errors.New("the set was committed or discarded already, or its tree is closed")

// Replace says whether this set may replace files that exist, in place of [Options.Replace].
// It counts for the names that are created after it and for the check in [Set.Commit].
func (s *Set) Replace(ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace = ok
}

// Create begins the file name, a path such as "repo/H.xz" in the tree; directories that are missing are
// made when the set is published. The order of Create is the order of publishing: images first, what names
// them last.
//
// sizeHint is about how many bytes the file will take on the disk, 0 if nobody knows. If so much is not
// free beside the reserve, the error is syscall.ENOSPC, before anything is written.
//
// The name is refused when it is not valid, when it is in the set already, when a symbolic link, a
// directory or something else that is no regular file stands in its way, and with [ErrExists] when it
// exists and may not be replaced. Commit looks again.
func (s *Set) Create(name string, sizeHint int64) (*File, error) {
	if sizeHint < 0 {
		return nil, fmt.Errorf("%s: size hint %d: expected 0 or more", quote(name), sizeHint)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil, about(name, errEnded)
	}
	if err := s.claims.add(name); err != nil {
		return nil, err
	}
	f, err := s.create(name, sizeHint)
	if err != nil {
		s.claims.drop(name)
		return nil, err
	}
	s.files = append(s.files, f)
	return f, nil
}

func (s *Set) create(name string, sizeHint int64) (*File, error) {
	place, err := s.dir.look(name)
	if err != nil {
		return nil, err
	}
	if place.info != nil && !s.replace {
		return nil, s.existsError(name)
	}
	if s.stage == nil {
		if s.stage, err = s.dir.newStage(); err != nil {
			return nil, err
		}
	}
	opt := s.dir.opt
	return newFile(fileConfig{
		name:   name,
		stage:  s.stage,
		staged: fmt.Sprintf("f%d-", len(s.files)),
		mode:   opt.FileMode,
		verify: opt.Verify,
		space:  s.dir.space,
		step:   opt.step,
	}, sizeHint)
}

func (s *Set) existsError(name string) error {
	return fmt.Errorf("%s: %w: publish new bytes under a new name, or ask for replacing", quote(name), ErrExists)
}

// Remove takes the file name away once the new files are out. One that does not exist is none to remove;
// what is not a regular file is refused by Commit. The name must not be one that the set creates.
// What is wrong with the name itself, Commit reports too.
func (s *Set) Remove(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove = append(s.remove, name)
}

// Discard removes what was staged. After Commit it does nothing: defer it right after NewSet.
func (s *Set) Discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.discard()
}

func (s *Set) discard() error {
	if s.ended {
		return nil
	}
	var all []error
	for _, f := range s.files {
		if err := f.abandon(); err != nil {
			all = append(all, about(f.cfg.name, bare(err)))
		}
	}
	return errors.Join(append(all, s.end())...)
}

// end removes the staging directory with what the set owns in it and takes the set off the books.
func (s *Set) end() error {
	s.ended = true
	s.dir.mu.Lock()
	delete(s.dir.sets, s)
	s.dir.mu.Unlock()
	if s.stage == nil {
		return nil
	}
	return s.dir.dropStage(s.stage)
}

// Commit completes the files that are still open, checks the set against the tree and publishes it. See the
// package comment for the steps. When it fails the set is over, and nothing of it is visible: unless the
// error is [ErrUnfinished].
//
// The error is [ErrExists] when a name exists and may not be replaced; the cause of ctx when that ended
// before the journal was written (after that the set is published to its end); otherwise what the file
// system said: a full disk, a quota, a fault or missing permission is final and nothing is tried twice.
func (s *Set) Commit(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return errEnded
	}
	if err := s.commit(ctx); err != nil {
		// What is left behind after an unfinished set is what the next Open needs.
		if errors.Is(err, ErrUnfinished) {
			s.leave()
			return s.labelled(err)
		}
		return s.labelled(errors.Join(err, s.discard()))
	}
	// All is out and the journal gone: what is left in the staging is links that the next Open would sweep.
	_ = s.end()
	return nil
}

func (s *Set) labelled(err error) error {
	if s.label == "" {
		return err
	}
	return fmt.Errorf("publishing %s: %w", quote(s.label), err)
}

func (s *Set) leave() {
	s.ended = true
	s.dir.mu.Lock()
	delete(s.dir.sets, s)
	s.dir.mu.Unlock()
	s.stage.close()
}

func (s *Set) commit(ctx context.Context) error {
	for _, f := range s.files {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := f.finish(ctx); err != nil {
			return err
		}
	}
	for _, name := range s.remove {
		if err := s.claims.add(name); err != nil {
			return err
		}
	}
	s.dir.publishing.Lock()
	defer s.dir.publishing.Unlock()
	if s.dir.broken != nil {
		return s.dir.broken
	}
	j, err := s.plan()
	if err != nil || j.empty() {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	err = s.dir.publish(s.stage, j)
	if _, unsynced := errors.AsType[*syncError](err); unsynced || errors.Is(err, ErrUnfinished) {
		s.dir.broken = fmt.Errorf("an earlier set failed, close the tree and open it again: %w", err)
	}
	return err
}

// plan looks at every name of the set as the tree is now and puts down what is to be done.
func (s *Set) plan() (*journal, error) {
	j := &journal{Label: s.label}
	made := make(map[string]bool)
	for _, f := range s.files {
		place, err := s.dir.look(f.cfg.name)
		if err != nil {
			return nil, err
		}
		if place.info != nil && !s.replace {
			return nil, s.existsError(f.cfg.name)
		}
		for _, dir := range place.missing {
			if !made[dir] {
				made[dir] = true
				j.Dirs = append(j.Dirs, dir)
			}
		}
		j.Files = append(j.Files, newFileEntry(f, place.info != nil))
	}
	for _, name := range s.remove {
		place, err := s.dir.look(name)
		if err != nil {
			return nil, err
		}
		if place.info != nil {
			j.Remove = append(j.Remove, removeEntry{Name: name, Taken: takenName(len(j.Remove))})
		}
	}
	if s.stage == nil && !j.empty() {
		var err error
		if s.stage, err = s.dir.newStage(); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// A place is where a name of a set would go.
type place struct {
	info    fs.FileInfo // the regular file that is there, or nil
	missing []string    // directories that have to be made, outermost first
}

// look finds out what is under name, and refuses what no file may replace and no link is followed to.
func (d *Dir) look(name string) (place, error) {
	n, err := openNode(d.root, path.Dir(name))
	if errors.Is(err, fs.ErrNotExist) {
		var p place
		for _, dir := range parents(name) {
			if len(p.missing) == 0 {
				_, err := d.root.Lstat(dir)
				if err == nil {
					continue
				}
				if !errors.Is(err, fs.ErrNotExist) {
					return p, about(dir, bare(err))
				}
			}
			p.missing = append(p.missing, dir)
		}
		return p, nil
	}
	if err != nil {
		return place{}, err
	}
	defer n.close()
	info, err := n.target(path.Base(name))
	return place{info: info}, err
}
