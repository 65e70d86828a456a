package kubevirtimg

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// The two files in a directory of the cache.
const (
	diskName    = "disk.img"
	sidecarName = diskName + ".sha1"
)

// State is what a directory of the cache holds.
type State string

// The states of an entry.
const (
	// Complete is a disk and a sidecar. Whether the two agree is found out when the disk is read.
	Complete State = "complete"
	// NoSidecar is a disk alone, as the scripts left it before 2019. Nothing tells whether its download was finished.
	NoSidecar State = "no-sidecar"
	// Empty is a disk without a byte in it, which a download leaves that never got an answer.
	Empty State = "empty"
	// NoDisk is a directory without a disk.
	NoDisk State = "no-disk"
	// Foreign is a file among the directories.
	Foreign State = "foreign"
	// Refused is an entry that must not be used; Entry.Err says why.
	Refused State = "refused"
)

// Entry is one directory of a cache, or something else that lies there.
type Entry struct {
	// Cache tells entries of several caches apart. [ScanCache] leaves it empty; a caller with several sets it, usually to the
	// cache's path.
	Cache string
	Dir   string // the name in the cache: rhel8
	State State

	Size    int64            // of the disk, in bytes
	ModTime time.Time        // of the disk
	Format  templates.Format // of the disk: raw or qcow2, whatever it is called on the server

	SHA1 string // what the sidecar says: 40 lower-case hex digits, or ""
	// Sidecar says what KubeVirt's scripts would not take about the sidecar's form, though it holds a SHA-1; or "".
	Sidecar string
	// Older is set where the sidecar was written before the disk was: the scripts write it last, so that a download was cut off
	// or is under way.
	Older bool
	// Computed is the SHA-1 of a disk without a sidecar, where [Identify] read it; or "".
	Computed string

	Reason string // a sentence for every state but Complete and Refused
	Err    error  // for Refused
}

// Path is the entry's directory with the cache in front where one is set.
func (e *Entry) Path() string { return path.Join(e.Cache, e.Dir) }

// disk is the name of the entry's disk in the cache.
func (e *Entry) disk() string { return path.Join(e.Dir, diskName) }

// ScanCache lists what lies in a cache of KubeVirt's images, each directory with its state, in byte order of the names. It
// changes nothing and reads no more of a disk than its header.
//
// fsys is usually a [*templates.Dir], which gives out regular files only. Symbolic links, fifos, sockets and devices in the place
// of a directory, a disk or a sidecar make a [Refused] entry, and so do a sidecar that holds no SHA-1 and a disk that must not be
// published: a qcow2 that depends on another file, a packed file (what KubeVirt keeps is the disk itself), a "raw" that begins as
// another format does. The error is about the directory as a whole, or the cause of a cancelled context.
func ScanCache(ctx context.Context, fsys fs.FS) ([]Entry, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("kubevirt cache: %w", err)
	}
	entries := make([]Entry, 0, len(list))
	for _, de := range list {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		e := Entry{Dir: de.Name()}
		switch {
		case de.IsDir():
			e.scan(fsys)
		case de.Type().IsRegular():
			e.State, e.Reason = Foreign, "is a file; a cache holds one directory for each image"
			if e.Dir == diskName || e.Dir == sidecarName {
				e.Reason += ", and the cache is the directory above this one"
			}
		default:
			e.refuse(notRegular(de.Name(), de))
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Dir, b.Dir) })
	return entries, nil
}

// IsCache says whether a directory of fsys holds a disk.img, so that it is a cache of KubeVirt's images and no other.
func IsCache(fsys fs.FS) (bool, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(de fs.DirEntry) bool {
		if !de.IsDir() {
			return false
		}
		files, err := fs.ReadDir(fsys, de.Name())
		return err == nil && slices.ContainsFunc(files, func(f fs.DirEntry) bool { return f.Name() == diskName })
	}), nil
}

func (e *Entry) refuse(err error) { e.State, e.Err = Refused, err }

func notRegular(name string, de fs.DirEntry) error {
	return fmt.Errorf("%s: is %s: %w; look at it and remove it", templates.Quote(name), templates.TypeName(de.Type()), templates.ErrNotRegular)
}

// scan looks into the entry's directory.
func (e *Entry) scan(fsys fs.FS) {
	list, err := fs.ReadDir(fsys, e.Dir)
	if err != nil {
		e.refuse(err)
		return
	}
	var disk, sidecar fs.DirEntry
	for _, de := range list {
		name := path.Join(e.Dir, de.Name())
		switch de.Name() {
		case diskName:
			disk = de
		case sidecarName:
			sidecar = de
		default:
			continue
		}
		if !de.Type().IsRegular() {
			e.refuse(notRegular(name, de))
			return
		}
	}
	if disk == nil {
		e.State, e.Reason = NoDisk, "holds no "+diskName+": nothing to recover"
		if sidecar == nil && slices.ContainsFunc(list, func(de fs.DirEntry) bool { return de.IsDir() }) {
			e.Reason += "; if it is the cache, scan it and not the directory above"
		}
		return
	}
	if err := e.look(fsys, disk, sidecar); err != nil {
		e.refuse(err)
	}
}

// look fills in what the disk and the sidecar say.
func (e *Entry) look(fsys fs.FS, disk, sidecar fs.DirEntry) error {
	fi, err := disk.Info()
	if err != nil {
		return fmt.Errorf("%s: %w", templates.Quote(e.disk()), err)
	}
	e.Size, e.ModTime = fi.Size(), fi.ModTime()
	if e.Size == 0 {
		e.State, e.Reason = Empty, diskName+" is empty, as a download leaves it that never began: nothing to recover"
		return nil
	}
	e.State, e.Reason = NoSidecar, "has no "+sidecarName+", so that nothing tells whether its download was finished"
	if sidecar != nil {
		e.State, e.Reason = Complete, ""
		if err := e.readSidecar(fsys, sidecar); err != nil {
			return err
		}
	}
	img, err := templates.OpenImage(fsys, e.disk())
	if err != nil {
		return err
	}
	e.Format = img.Info.Format
	return errors.Join(checkFormat(e.disk(), img), img.Close())
}

// checkFormat refuses what is no disk by itself.
func checkFormat(name string, img *templates.Image) error {
	if f := img.Info.Format; f != templates.Raw && f != templates.QCOW2 {
		return fmt.Errorf("%s: holds %s data, and KubeVirt downloads disks as they are, raw or qcow2; look at where it came from, and unpack it",
			templates.Quote(name), f)
	}
	return nil
}

func (e *Entry) readSidecar(fsys fs.FS, sidecar fs.DirEntry) error {
	name := path.Join(e.Dir, sidecarName)
	data, err := readSmall(fsys, name)
	if err != nil {
		return fmt.Errorf("%s: %w", templates.Quote(name), err)
	}
	found, err := hashutil.ParseSidecar(data, hashutil.SHA1)
	if err != nil {
		return fmt.Errorf("%s: %w; if the disk is known to be good, move the sidecar away and try again", templates.Quote(name), err)
	}
	e.SHA1 = found.Hex
	if err := found.CheckKubeVirt(); err != nil {
		e.Sidecar = err.Error()
	}
	fi, err := sidecar.Info()
	if err != nil {
		return fmt.Errorf("%s: %w", templates.Quote(name), err)
	}
	e.Older = fi.ModTime().Before(e.ModTime)
	return nil
}

// readSmall reads a sidecar, no more than one may hold.
func readSmall(fsys fs.FS, name string) (data []byte, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return io.ReadAll(io.LimitReader(f, hashutil.MaxSidecar+1))
}

// Identify reads the disks of the entries without a sidecar and sets their Computed, so that [PlanOptions].SHA1 can name them.
// The entries have to be of the one cache fsys. progress may be nil. A disk that cannot be read becomes [Refused]; the error is
// the cause of a cancelled context.
func Identify(ctx context.Context, fsys fs.FS, entries []Entry, progress func(templates.Progress)) error {
	for i := range entries {
		e := &entries[i]
		if e.State != NoSidecar {
			continue
		}
		sums, err := digestOf(ctx, fsys, e.disk(), progress, hashutil.SHA1)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			e.refuse(err)
			continue
		}
		e.Computed = sums[hashutil.SHA1]
	}
	return nil
}

func digestOf(ctx context.Context, fsys fs.FS, name string, progress func(templates.Progress), algs ...hashutil.Algorithm) (hashutil.Digests, error) {
	img, err := templates.OpenImage(fsys, name)
	if err != nil {
		return nil, err
	}
	sums, err := templates.Digest(ctx, img, progress, algs...)
	return sums, errors.Join(err, img.Close())
}
