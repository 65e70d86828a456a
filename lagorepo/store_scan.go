package lagorepo

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// maxHashSize caps a .hash file: one digest, perhaps with a name behind it.
const maxHashSize = 4 << 10

// ScanStore lists what lies in lago's store (one flat directory, by default
// /var/lib/lago/store), each template version with its state, in byte order of
// the names. It changes nothing. Images are not read but where only their
// digest tells whether an interrupted entry can be trusted; ctx ends that at
// once, with its cause.
//
// fsys is usually a [*templates.Dir], which gives out regular files only. What
// is no regular file but is called like a template is a [Refused] entry, as are
// .metadata files that are not valid (see [ParseMetadata]) and .hash files
// without one SHA-1. The error is about the directory as a whole.
func ScanStore(ctx context.Context, fsys fs.FS) ([]Entry, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("lago store: %w", err)
	}
	var entries []Entry
	groups := make(map[string]*group)
	for _, de := range list {
		id, err := ParseStoreName(de.Name())
		switch {
		case err == nil:
			g := groups[id.Base()]
			if g == nil {
				g = &group{id: id, files: make(map[FileKind]fs.DirEntry)}
				g.id.Kind = KindDisk
				groups[id.Base()] = g
			}
			g.files[id.Kind] = de
		case looksLikeStoreName(de.Name()):
			entries = append(entries, Entry{Name: de.Name(), State: Refused, Err: err})
		default:
			entries = append(entries, Entry{Name: de.Name(), State: Foreign,
				Reason: fmt.Sprintf("is %s without a template's name (REPO:TEMPLATE:VERSION)", templates.TypeName(de.Type()))})
		}
	}
	for _, g := range groups {
		e, err := g.entry(ctx, fsys)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// IsStore says whether the directory holds a file with a template's name
// (REPO:TEMPLATE:VERSION), so that it is a lago store and no other cache.
func IsStore(fsys fs.FS) (bool, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(de fs.DirEntry) bool {
		_, err := ParseStoreName(de.Name())
		return err == nil
	}), nil
}

// group is the files of one template version.
type group struct {
	id    StoreName
	files map[FileKind]fs.DirEntry
}

func (g *group) has(k FileKind) bool { return g.files[k] != nil }

// name is the name of the group's file of a kind.
func (g *group) name(k FileKind) string {
	id := g.id
	id.Kind = k
	return id.String()
}

// entry tells the group's state. Its error is that of the context; all others
// belong to the entry.
func (g *group) entry(ctx context.Context, fsys fs.FS) (Entry, error) {
	e := Entry{
		Name: g.id.Base(), ID: g.id,
		HasDisk: g.has(KindDisk), HasHash: g.has(KindHash), HasMetadata: g.has(KindMetadata),
		Locked: g.has(KindLock),
	}
	refuse := func(err error) (Entry, error) {
		e.State, e.Err = Refused, err
		return e, nil
	}
	if err := g.checkTypes(); err != nil {
		return refuse(err)
	}
	var err error
	if e.HasHash {
		if e.StoredHash, err = readHash(fsys, g.name(KindHash)); err != nil {
			return refuse(err)
		}
	}
	if e.HasMetadata {
		if e.Metadata, err = readMetadata(fsys, g.name(KindMetadata)); err != nil {
			return refuse(err)
		}
	}
	if err := g.judge(ctx, fsys, &e); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return e, cause
		}
		return refuse(err)
	}
	if src := e.Source(); src != "" {
		if err := g.stat(&e, src); err != nil {
			return refuse(err)
		}
	}
	return e, nil
}

// checkTypes refuses a group with a member that is no regular file. Locks and
// user lists are never opened: a lock may well be a directory.
func (g *group) checkTypes() error {
	for _, k := range []FileKind{KindDisk, KindHash, KindMetadata, KindDownload, KindPacked} {
		de := g.files[k]
		if de == nil || de.Type().IsRegular() {
			continue
		}
		return fmt.Errorf("%s: is %s: %w; a template consists of regular files, look at it and remove it",
			templates.Quote(de.Name()), templates.TypeName(de.Type()), templates.ErrNotRegular)
	}
	return nil
}

func (g *group) stat(e *Entry, name string) error {
	for _, de := range g.files {
		if de.Name() != name {
			continue
		}
		fi, err := de.Info()
		if err != nil {
			return fmt.Errorf("%s: %w", templates.Quote(name), err)
		}
		e.Size, e.ModTime = fi.Size(), fi.ModTime()
	}
	return nil
}

// judge sets the state from the files that are there.
func (g *group) judge(ctx context.Context, fsys fs.FS, e *Entry) error {
	downloading := g.has(KindDownload) || g.has(KindPacked)
	switch {
	case !downloading && e.HasDisk && e.HasHash && e.HasMetadata:
		e.State = Complete
	case !downloading && e.HasDisk:
		e.State, e.Reason = Incomplete, "the store holds no "+missingSidecars(e)+" for it"
	case !downloading:
		e.State, e.Reason = NoDisk, "the store holds no disk for it, only "+g.list()+": nothing to recover"
	case e.HasHash:
		return g.judgeDownload(ctx, fsys, e)
	case e.HasDisk:
		return fmt.Errorf("%s: lago was cut off while it converted the disk (%s is still there), and without %s nothing tells "+
			"whether the disk or the download is whole; if the disk is known to be good, move %[2]s away and try again",
			templates.Quote(e.Name), templates.Quote(g.downloadName()), templates.Quote(g.name(KindHash)))
	default:
		e.State, e.Reason = Unfinished, "the download did not finish: nothing to recover"
	}
	return nil
}

func (g *group) downloadName() string {
	if g.has(KindDownload) {
		return g.name(KindDownload)
	}
	return g.name(KindPacked)
}

// list names what is there, for a sentence.
func (g *group) list() string {
	var s []string
	for _, k := range []FileKind{KindHash, KindMetadata, KindXZ, KindLock, KindUsers} {
		if g.has(k) {
			s = append(s, strings.TrimPrefix(g.name(k), g.id.Base()))
		}
	}
	return strings.Join(s, ", ")
}

func missingSidecars(e *Entry) string {
	switch {
	case e.HasHash:
		return ".metadata"
	case e.HasMetadata:
		return ".hash"
	}
	return ".hash and no .metadata"
}

func readHash(fsys fs.FS, name string) (string, error) {
	data, err := templates.ReadSmall(fsys, name, maxHashSize)
	if err != nil {
		return "", err
	}
	s, err := hashutil.ParseSidecar(data, hashutil.SHA1)
	if err != nil {
		return "", fmt.Errorf("%s: %w; remove it to go on without it", templates.Quote(name), err)
	}
	return s.Hex, nil
}

func readMetadata(fsys fs.FS, name string) (*Metadata, error) {
	data, err := templates.ReadSmall(fsys, name, maxMetadataSize)
	if err != nil {
		return nil, err
	}
	m, err := ParseMetadata(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; mend it, or remove it to have one made", templates.Quote(name), err)
	}
	return m, nil
}
