package lagorepo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/tplkit/tplkit/templates"
)

// Limits of a catalogue. Whoever can write into a repository can make it large,
// and whoever can read it asks for the catalogue.
const (
	maxCatalogue      = 20_000   // templates
	maxCatalogueFile  = 64 << 10 // bytes of one .metadata: a hundred times a real one
	maxCatalogueBytes = 64 << 20 // of all sidecars together
	maxCatalogueReads = 8        // templates read at a time
	maxProblems       = 20       // lines of the error; the others are counted
	maxNotes          = 2000     // bytes of one template's notes
)

// Catalogue lists what a repository publishes, for people to choose from: the
// templates of repo.metadata with what H.metadata, H.hash and the index of
// virt-builder say of each, and then what only that index lists. fsys is the
// repository's directory. Names are in byte order, the newest version of each
// first.
//
// It is made for looking at whatever is there. A sidecar that is missing or
// cannot be read is told in the template's notes; what belongs to no template is
// left out and told in an error, which lists one fault a line, along with the
// templates that could be read. Only where the directory itself cannot be read,
// or ctx is done, there is an error alone.
//
// Where repo.metadata cannot be read, names and versions come from the templates'
// own metadata, as [WriteIndex] would put them there. Without a repo.metadata
// lago knows no template here: they have their handles for names then, and no
// version. Versions of other sources, whose files are elsewhere, are left out.
//
// No image is read. So the SHA-512 is the one in the index, and only where it
// names the size that the file has, and the file is not newer than the index.
// A repository of more than 20,000 templates, or with more than 64 MiB of
// sidecars, is listed as far as these limits go.
func Catalogue(ctx context.Context, fsys fs.FS) ([]templates.Published, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("the repository's directory cannot be read: %w", err)
	}
	c := &catalogue{fsys: fsys, files: make(map[string]fs.DirEntry, len(list))}
	c.left.Store(maxCatalogueBytes)
	for _, de := range list {
		if de.Type().IsRegular() {
			c.files[de.Name()] = de
		}
	}
	c.readIndex()
	wanted := c.wanted(list)
	if n := len(wanted) - maxCatalogue; n > 0 {
		c.tell("%d templates more than %d are left out", n, maxCatalogue)
		wanted = wanted[:maxCatalogue]
	}
	found := make([]templates.Published, len(wanted))
	var g errgroup.Group
	g.SetLimit(maxCatalogueReads)
	for i, w := range wanted {
		g.Go(func() error {
			if ctx.Err() == nil {
				found[i] = c.describe(w)
			}
			return nil
		})
	}
	_ = g.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	found = c.addVirtOnly(found)
	arrange(found)
	return found, c.error()
}

// catalogue is the reading of one repository.
type catalogue struct {
	fsys  fs.FS
	files map[string]fs.DirEntry // the regular ones in the directory itself
	left  atomic.Int64           // bytes that may still be read
	index virtEntries

	problems []error
	more     int // problems beyond those
}

// offered is one version of a template that is to be described.
type offered struct {
	templates.Published
	metadata *Metadata // where it has been read already
}

func (c *catalogue) tell(format string, args ...any) {
	if len(c.problems) == maxProblems {
		c.more++
		return
	}
	// One line each, whatever a name in it says.
	c.problems = append(c.problems, errors.New(strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", " ")))
}

func (c *catalogue) error() error {
	if c.more > 0 {
		return errors.Join(append(c.problems, fmt.Errorf("and %d more", c.more))...)
	}
	return errors.Join(c.problems...)
}

// stat describes the regular file at name, or nil.
func (c *catalogue) stat(name string) fs.FileInfo {
	// What begins with a dot is served nowhere.
	if !fs.ValidPath(name) || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		return nil
	}
	var fi fs.FileInfo
	var err error
	if strings.Contains(name, "/") {
		fi, err = fs.Stat(c.fsys, name)
	} else if de, ok := c.files[name]; ok {
		fi, err = de.Info()
	} else {
		return nil
	}
	if err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	return fi
}

// read reads a sidecar within the limits of the catalogue. What is no regular
// file counts as missing: whoever opens a fifo waits.
func (c *catalogue) read(name string, limit int64) ([]byte, error) {
	if c.stat(name) == nil {
		return nil, fs.ErrNotExist
	}
	if c.left.Load() <= 0 {
		return nil, fmt.Errorf("%s: not read: the sidecars of the repository hold more than %d MiB", templates.Quote(name), maxCatalogueBytes>>20)
	}
	data, err := templates.ReadSmall(c.fsys, name, limit)
	c.left.Add(-int64(len(data)))
	return data, err
}

// arrange puts the newest version of each template first and says that it is it.
// Of two of the same age it is, as for lago's users, only one.
func arrange(list []templates.Published) {
	slices.SortStableFunc(list, func(a, b templates.Published) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), b.Time.Compare(a.Time),
			strings.Compare(b.Version, a.Version), strings.Compare(a.Arch, b.Arch))
	})
	for i := range list {
		list[i].Latest = i == 0 || list[i].Name != list[i-1].Name
	}
}

// imageOf finds the image of a handle, in the order in which lago asks: H.xz, H.
func (c *catalogue) imageOf(handle string) (name string, fi fs.FileInfo) {
	for _, name := range []string{templates.FilesOf(handle).Disk, handle} {
		if fi := c.stat(name); fi != nil {
			return name, fi
		}
	}
	return "", nil
}

// handleOf is the handle of an image's file.
func handleOf(file string) string { return strings.TrimSuffix(path.Base(file), ".xz") }
