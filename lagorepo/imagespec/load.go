package imagespec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// MaxSpecs is how many specs are read at most.
const MaxSpecs = 4096

// Load reads specs and gives them in byte order of their IDs. Each path is a
// spec or a directory of specs. Of a directory all regular files are read, none
// of its subdirectories, and not what editors and version control leave behind:
// hidden files and names that end in ~, .orig, .bak or .swp. A symbolic link
// in a directory is an error; one that is given as a path is followed, and the
// link's name is the ID.
//
// A file that is given twice, by itself and with its directory, is read once. Two
// files of one name would be published as one image: the error is a
// [*templates.ConflictError] with both. Otherwise it joins all that is wrong:
// a [*SpecError] for each file that is no spec, and what the system says of
// those that cannot be read. With an error there are no specs.
func Load(ctx context.Context, paths []string) ([]*Spec, error) {
	l := loader{ctx: ctx, seen: make(map[string]bool)}
	for _, path := range paths {
		if err := l.path(path); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			l.errs = append(l.errs, err)
		}
	}
	if err := errors.Join(l.errs...); err != nil {
		return nil, err
	}
	sortSpecs(l.specs)
	if conflicts := sameIDs(l.specs); len(conflicts) > 0 {
		return nil, &templates.ConflictError{Conflicts: conflicts}
	}
	return l.specs, nil
}

func sortSpecs(specs []*Spec) {
	slices.SortStableFunc(specs, func(a, b *Spec) int { return strings.Compare(a.ID, b.ID) })
}

type loader struct {
	ctx   context.Context
	seen  map[string]bool // by cleaned path
	specs []*Spec
	errs  []error
}

// path reads what one path of the caller's names. Faults of single files in a
// directory are collected; the error is for what ends the work on the path.
func (l *loader) path(path string) error {
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: does not exist; give a spec or a directory of specs", shownPath(path))
	}
	switch {
	case err != nil:
		return err
	case fi.IsDir():
		return l.dir(path)
	case !fi.Mode().IsRegular():
		return &SpecError{Path: path, Reason: "must be a spec or a directory of specs, is " + templates.TypeName(fi.Mode())}
	}
	return l.file(path, func() (fs.File, error) { return os.Open(path) })
}

func (l *loader) dir(path string) error {
	dir, err := templates.OpenDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	list, err := dir.ReadDir(".")
	if err != nil {
		return fmt.Errorf("%s: %w", shownPath(path), err)
	}
	n := 0
	for _, e := range list {
		if e.IsDir() || isLeftover(e.Name()) {
			continue
		}
		n++
		file := filepath.Join(path, e.Name())
		err := l.file(file, func() (fs.File, error) { return dir.Open(e.Name()) })
		if l.ctx.Err() != nil {
			return err
		}
		if err != nil {
			l.errs = append(l.errs, err)
		}
	}
	if n == 0 {
		return fmt.Errorf("%s: the directory holds no spec", shownPath(path))
	}
	return nil
}

// isLeftover says whether a name is one that editors, patches and version
// control give to what is not meant to be read.
func isLeftover(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "#") && strings.HasSuffix(name, "#") {
		return true
	}
	for _, suffix := range []string{"~", ".orig", ".bak", ".swp"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

func (l *loader) file(path string, open func() (fs.File, error)) error {
	if l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	clean := filepath.Clean(path)
	if l.seen[clean] {
		return nil
	}
	l.seen[clean] = true
	switch n := len(l.seen); {
	case n == MaxSpecs+1:
		return &SpecError{Path: path, Reason: fmt.Sprintf("is one more than the %d specs that are read at a time", MaxSpecs)}
	case n > MaxSpecs:
		return nil // said once
	}
	f, err := open()
	if err != nil {
		return inFile(path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxSize+1))
	if err != nil {
		return inFile(path, err)
	}
	if len(text) > MaxSize {
		return &SpecError{Path: path, Reason: fmt.Sprintf("must be at most %d bytes long, and is no spec", MaxSize)}
	}
	s, err := Parse(path, text)
	if err != nil {
		return err
	}
	l.specs = append(l.specs, s)
	return nil
}

// inFile makes an error of the system name the whole path, once.
func inFile(path string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return fmt.Errorf("%s: %w", shownPath(path), err)
}
