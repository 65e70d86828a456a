package imagespec

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

const (
	workspacePrefix = ".tplkit-build-"

	// In a workspace: the lock, the mark of one that is to be kept, the
	// directory for what tools put into TMPDIR, and that for those of images.
	workspaceLock   = "lock"
	workspaceKeep   = "keep"
	workspaceTemp   = "tmp"
	workspaceImages = "images"

	// workspaceTries is far above what builds that start side by side can use up.
	workspaceTries = 100
)

// workspace is the one staging directory of a build. It lies in the directory
// that is built into, so that a finished image needs no second copy to get
// there, and is readable by its owner only: a web server that shows the tree
// must not hand out what is not finished.
type workspace struct {
	root *os.Root // of the caller
	name string   // in root
	path string   // absolute
	keep bool
	lock *os.File
}

// newWorkspace makes a workspace in root, whose path is path. It removes those
// that builds left behind that were killed, but none that was to be kept.
func newWorkspace(root *os.Root, path string, keep bool) (*workspace, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := removeStale(root); err != nil {
		return nil, fmt.Errorf("%s: removing what an earlier build left behind: %w", abs, err)
	}
	for range workspaceTries {
		w := &workspace{root: root, name: workspacePrefix + strings.ToLower(rand.Text()[:10]), keep: keep}
		w.path = filepath.Join(abs, w.name)
		made, err := w.make()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: making a staging directory: %w", abs, err), w.remove())
		}
		if made {
			return w, nil
		}
	}
	return nil, fmt.Errorf("%s: making a staging directory: another process removes each as soon as it is made", abs)
}

// make makes and locks the directory. Between the two another build may take it
// for one that was left behind: then it was not made.
func (w *workspace) make() (made bool, err error) {
	if err := w.root.Mkdir(w.name, 0o700); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return false, err
	}
	f, err := w.root.OpenFile(w.name+"/"+workspaceLock, os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	held, err := publish.TryLock(f)
	if err == nil && held {
		held, err = w.current(f)
	}
	if err != nil || !held {
		return false, errors.Join(err, f.Close())
	}
	w.lock = f
	dirs := []string{workspaceTemp, workspaceImages}
	if w.keep {
		dirs = append(dirs, workspaceKeep)
	}
	for _, d := range dirs {
		if err := w.root.Mkdir(w.name+"/"+d, 0o700); err != nil {
			return false, err
		}
	}
	return true, nil
}

// current tells whether f is still the lock that others find. Tools are given
// the path, so that has to lead to it too.
func (w *workspace) current(f *os.File) (bool, error) {
	here, err := f.Stat()
	if err != nil {
		return false, err
	}
	inRoot, err := w.root.Lstat(w.name + "/" + workspaceLock)
	if err != nil || !os.SameFile(here, inRoot) {
		return false, ignoreMissing(err)
	}
	atPath, err := os.Lstat(filepath.Join(w.path, workspaceLock))
	if err == nil && !os.SameFile(here, atPath) {
		err = fmt.Errorf("%s: leads to another directory than the one that is open: was it moved?", w.path)
	}
	return err == nil, err
}

// dir makes the directory of an image, if it is not there, and gives its
// absolute path. id has to be one element of a path.
func (w *workspace) dir(id string) (string, error) {
	if !fs.ValidPath(id) || id == "." || strings.ContainsAny(id, `/\`) {
		return "", fmt.Errorf("%s: expected the ID of an image, one element of a path", templates.Quote(id))
	}
	name := w.name + "/" + workspaceImages + "/" + id
	if err := w.root.Mkdir(name, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if fi, err := w.root.Lstat(name); err != nil || !fi.IsDir() {
		return "", errors.Join(fmt.Errorf("%s: expected a directory in the staging directory", templates.Quote(id)), err)
	}
	return filepath.Join(w.path, workspaceImages, id), nil
}

// temp is the absolute path of the directory for the temporary files of tools,
// which belongs into their TMPDIR: a tool that is killed leaves them behind.
// libguestfs would also make its appliance there, some 370 MB, anew for each
// build: LIBGUESTFS_CACHEDIR says where it finds the one it has.
func (w *workspace) temp() string { return filepath.Join(w.path, workspaceTemp) }

// Close removes the workspace with everything in it, unless it is to be kept.
func (w *workspace) Close() error {
	if w.keep {
		return w.lock.Close()
	}
	return w.remove()
}

// remove takes the directory away, and the lock after it, so that nobody else
// takes it for one that was left behind.
func (w *workspace) remove() error {
	err := removeTree(w.root, w.name)
	if w.lock != nil {
		err = errors.Join(err, w.lock.Close())
	}
	return err
}

// removeStale removes the workspaces whose builds are gone.
func removeStale(root *os.Root) error {
	top, err := root.Open(".")
	if err != nil {
		return err
	}
	names, err := top.Readdirnames(-1)
	if err := errors.Join(err, top.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, workspacePrefix) {
			if err := removeIfStale(root, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeIfStale removes a workspace that is neither locked nor to be kept. What
// is no directory is not ours.
func removeIfStale(root *os.Root, name string) error {
	if fi, err := root.Lstat(name); err != nil || !fi.IsDir() {
		return ignoreMissing(err)
	}
	if _, err := root.Lstat(name + "/" + workspaceKeep); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	lock := name + "/" + workspaceLock
	if fi, err := root.Lstat(lock); err == nil && !fi.Mode().IsRegular() {
		return nil // opening it might never end
	}
	// A build that was killed early has no lock yet; one that is starting notices
	// that it was taken.
	f, err := root.OpenFile(lock, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return ignoreMissing(err)
	}
	held, err := publish.TryLock(f)
	if err == nil && held {
		err = removeTree(root, name)
	}
	return errors.Join(err, f.Close())
}

// removeTree removes a directory with everything in it. A build that starts just
// then may put a lock of its own where the last one was.
func removeTree(root *os.Root, name string) error {
	var err error
	for range workspaceTries {
		if err = root.RemoveAll(name); err == nil || !errors.Is(err, syscall.ENOTEMPTY) {
			break
		}
	}
	return err
}

// ignoreMissing is err unless it says that there is no such file: another build
// was faster.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
