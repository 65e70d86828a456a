// Package tree opens files below the directories of a template server, the
// zones, in a way that nothing in a zone can lead out of it: no symbolic link is
// followed, no other file system is entered, and what is neither a regular file
// nor a directory is refused without waiting for it.
//
// Names are relative, with "/" between elements and valid for [io/fs.ValidPath];
// whoever calls has cleaned them. A hard link to a file of another zone cannot be
// told from the file itself.
package tree

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Fresh is how long a zone's directory is used before it is looked up again, so
// that one which was replaced by a rename is noticed.
const Fresh = 500 * time.Millisecond

// Settled is how long a file must have been left alone before its times prove
// that it is still the same: a change within one tick of the kernel's clock, or
// within one second for a date, leaves no trace in them.
const Settled = 2 * time.Second

// Tree is the directory above the zones.
type Tree struct {
	path   string
	closed atomic.Bool

	mu    sync.Mutex
	zones map[string]*Zone
}

// Open opens the tree at root, which may be or lie behind a symbolic link: it is
// the administrator's.
func Open(root string) (*Tree, error) {
	path, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	fi, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, fmt.Errorf("%s: is no directory, expected the one that holds the zones", root)
	}
	return &Tree{path: path, zones: make(map[string]*Zone)}, nil
}

// Zone is one directory of the tree, which need not be there. The same name
// gives the same Zone.
func (t *Tree) Zone(name string) *Zone {
	t.mu.Lock()
	defer t.mu.Unlock()
	z := t.zones[name]
	if z == nil {
		z = &Zone{tree: t, name: name, kept: newKept()}
		t.zones[name] = z
	}
	return z
}

// Close gives the zones back. Files that are open stay so.
func (t *Tree) Close() error {
	t.closed.Store(true)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, z := range t.zones {
		z.close()
	}
	return nil
}

// Zone opens what lies below one directory.
type Zone struct {
	tree *Tree
	name string

	kept *kept

	dir     atomic.Pointer[dir]
	checked atomic.Int64 // when dir was looked up, since start
	mu      sync.Mutex   // held while dir is looked up
}

// start makes instants fit into an integer that no change of the clock moves.
var start = time.Now()

// Open opens the regular file or directory at name; "" is the zone itself. With
// dirOnly it opens directories alone. [KindOf] tells what an error means.
func (z *Zone) Open(name string, dirOnly bool) (*File, error) {
	d, err := z.acquire()
	if err != nil {
		return nil, err
	}
	defer d.release()
	if name == "" {
		name = "."
	}
	if dirOnly {
		return d.open(name, true)
	}
	if f := z.kept.find(d, name); f != nil {
		return f, nil
	}
	f, err := d.open(name, false)
	if err == nil {
		z.kept.keep(name, f)
	}
	return f, err
}

// close lets go of the zone's directory.
func (z *Zone) close() {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.replace(nil)
}

// acquire finds the zone's directory, as it was at most [Fresh] ago. The caller
// releases it.
func (z *Zone) acquire() (*dir, error) {
	now := int64(time.Since(start))
	if now-z.checked.Load() < int64(Fresh) {
		if d := z.dir.Load(); d != nil && d.retain() {
			return d, nil
		}
	}
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.tree.closed.Load() {
		return nil, fs.ErrClosed
	}
	old := z.dir.Load()
	if old != nil && int64(time.Since(start))-z.checked.Load() < int64(Fresh) && old.retain() {
		return old, nil // another request was first
	}
	d, err := openZone(z.tree.path, z.name)
	if err != nil {
		z.replace(nil)
		return nil, err
	}
	z.checked.Store(int64(time.Since(start)))
	if old != nil && old.same(d) {
		d.release()
		d = old
	} else {
		z.replace(d)
	}
	if !d.retain() {
		return nil, fs.ErrClosed
	}
	return d, nil
}

// replace puts d in the place of the directory in use. The caller holds z.mu.
func (z *Zone) replace(d *dir) {
	if old := z.dir.Swap(d); old != nil {
		old.release()
	}
}

// refs counts the users of a directory: the zone, and everyone who is opening
// something in it.
type refs struct{ n atomic.Int32 }

// retain adds a user, unless the last one is gone.
func (r *refs) retain() bool {
	for {
		n := r.n.Load()
		if n == 0 {
			return false
		}
		if r.n.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// drop takes a user off and says whether it was the last.
func (r *refs) drop() bool { return r.n.Add(-1) == 0 }

// Info describes an open file or an entry of a directory.
type Info struct {
	Size    int64
	Mode    fs.FileMode
	ModTime time.Time
	// Changed is when the content or anything else about the file was last
	// changed, by the kernel's clock; nobody can set it. It is ModTime on systems
	// that do not tell.
	Changed time.Time
	Dev     uint64 // 0 on systems that do not tell, as Ino
	Ino     uint64
}

// Entry is a name in a directory with what it names.
type Entry struct {
	Name string
	Info
}

// ErrTooMany says that a directory holds more entries than were asked for.
var ErrTooMany = errors.New("the directory has too many entries to be listed")

// sortEntries puts entries into byte order.
func sortEntries(list []Entry) {
	slices.SortFunc(list, func(a, b Entry) int { return cmp.Compare(a.Name, b.Name) })
}

// errSpecial is the error for what is neither a regular file nor a directory.
var errSpecial = errors.New("neither a regular file nor a directory on the zone's own file system")
