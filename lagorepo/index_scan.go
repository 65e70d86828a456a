package lagorepo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

// repoScan is what lies in a repository's directory.
type repoScan struct {
	fsys  fs.FS
	dir   string // in the tree, for messages
	modes map[string]fs.FileMode

	templates []*repoSet       // complete and right, in byte order of the handles
	failed    map[string]bool  // by handle: complete, but something in it is wrong
	items     []templates.Item // what is said of those that are not listed
}

// repoSet is one complete template.
type repoSet struct {
	handle    string
	metadata  *Metadata
	template  string // the name clients ask for
	version   string
	timestamp json.Number
	modTime   time.Time
	packedImage
}

// packedImage is what the bytes of a published image say.
type packedImage struct {
	format  templates.Format // of the disk, unpacked
	virtual int64
	size    int64 // of the file
	sum     string
}

func (s *repoScan) path(name string) string { return path.Join(s.dir, name) }

func (s *repoScan) regular(name string) bool {
	mode, ok := s.modes[name]
	return ok && mode.IsRegular()
}

// complete says whether lago can fetch the handle from here: packed or not, with
// both sidecars.
func (s *repoScan) complete(handle string) bool {
	f := templates.FilesOf(handle)
	return (s.regular(f.Disk) || s.regular(handle)) && s.regular(f.Hash) && s.regular(f.Metadata)
}

func (s *repoScan) skip(handle, reason string) {
	s.items = append(s.items, templates.Item{Source: s.path(handle + ".xz"), Handle: handle, State: templates.Skipped, Reason: reason})
}

// scanRepo reads the directory, the templates in it in parallel.
func scanRepo(ctx context.Context, fsys fs.FS, dir string, opt IndexOptions) (*repoScan, error) {
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	s := &repoScan{fsys: fsys, dir: dir, modes: map[string]fs.FileMode{}, failed: map[string]bool{}}
	for _, de := range list {
		s.modes[de.Name()] = de.Type()
	}
	var handles []string
	for _, de := range list {
		if handle, ok := strings.CutSuffix(de.Name(), ".xz"); ok {
			if why := s.leftOut(handle); why != "" {
				s.skip(handle, why)
			} else {
				handles = append(handles, handle)
			}
		}
	}
	sets := make([]*repoSet, len(handles))
	errs := make([]error, len(handles))
	var g errgroup.Group
	g.SetLimit(opt.workers())
	for i, handle := range handles {
		g.Go(func() error {
			sets[i], errs[i] = s.read(ctx, handle, opt)
			return ctx.Err()
		})
	}
	if g.Wait() != nil {
		return nil, context.Cause(ctx)
	}
	for i, handle := range handles {
		if errs[i] != nil {
			s.failed[handle] = true
			s.items = append(s.items, templates.Item{Source: s.path(handle + ".xz"), Handle: handle, State: templates.Failed,
				Reason: "what the indexes say of it was left as it was", Error: errs[i].Error()})
			continue
		}
		s.templates = append(s.templates, sets[i])
	}
	return s, nil
}

func (o IndexOptions) workers() int {
	if o.Jobs == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return o.Jobs
}

// leftOut says why what is called like a packed template is none, or "".
func (s *repoScan) leftOut(handle string) string {
	f := templates.FilesOf(handle)
	if err := templates.CheckHandle(handle); err != nil {
		return "is no template's: " + err.Error()
	}
	if !s.regular(f.Disk) {
		return "is " + templates.TypeName(s.modes[f.Disk]) + ", and only regular files are served"
	}
	for _, name := range []string{f.Hash, f.Metadata} {
		if _, there := s.modes[name]; !there {
			return fmt.Sprintf("is not a whole template: %s is missing, without which lago gives up", s.path(name))
		}
		if !s.regular(name) {
			return fmt.Sprintf("is not a whole template: %s is %s", s.path(name), templates.TypeName(s.modes[name]))
		}
	}
	return ""
}

// read reads one complete template.
func (s *repoScan) read(ctx context.Context, handle string, opt IndexOptions) (*repoSet, error) {
	f := templates.FilesOf(handle)
	for _, name := range []string{f.Disk + ".hash", f.Disk + ".metadata"} {
		if _, there := s.modes[name]; there {
			return nil, fmt.Errorf("%s: exists, and lago would read it in place of the template's own; remove it", s.path(name))
		}
	}
	if err := s.checkHash(f.Hash); err != nil {
		return nil, err
	}
	text, err := templates.ReadSmall(s.fsys, f.Metadata, maxMetadataSize)
	if err != nil {
		return nil, err
	}
	md, err := ParseMetadata(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.path(f.Metadata), err)
	}
	set := &repoSet{handle: handle, metadata: md}
	if set.packedImage, set.modTime, err = s.image(ctx, f.Disk, opt); err != nil {
		return nil, err
	}
	set.name(opt.Versions)
	return set, nil
}

// checkHash makes sure that lago can read the .hash. Whether it is right only
// decoding the image can tell, which is for verifying.
func (s *repoScan) checkHash(name string) error {
	data, err := templates.ReadSmall(s.fsys, name, maxHashSize)
	if err != nil {
		return err
	}
	e, err := hashutil.ParseSidecar(data, hashutil.SHA1)
	if err == nil {
		err = e.CheckLago()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.path(name), err)
	}
	return nil
}

// image reads a published image and looks into it.
func (s *repoScan) image(ctx context.Context, name string, opt IndexOptions) (p packedImage, modTime time.Time, err error) {
	img, err := templates.OpenImage(s.fsys, name)
	if err != nil {
		return p, modTime, err
	}
	defer func() { err = errors.Join(err, img.Close()) }()
	info := img.Info
	if info.Format == templates.XZ {
		if info, _, err = templates.InspectXZ(img, img.Stat().Size()); err != nil {
			return p, modTime, fmt.Errorf("%s: %w", s.path(name), err)
		}
	}
	if info.Format != templates.Raw && info.Format != templates.QCOW2 {
		return p, modTime, fmt.Errorf("%s: must be a disk, raw or qcow2, or an xz with one inside, holds %s", s.path(name), info.Format)
	}
	progress := opt.Progress
	if progress != nil {
		progress = func(pr templates.Progress) {
			pr.Item = s.path(name)
			opt.Progress(pr)
		}
	}
	sums, err := templates.Digest(ctx, img, progress, hashutil.SHA512)
	if err != nil {
		return p, modTime, err
	}
	return packedImage{format: info.Format, virtual: info.Virtual, size: img.Stat().Size(), sum: sums[hashutil.SHA512]},
		img.Stat().ModTime(), nil
}

// name decides what repo.metadata calls the template.
func (t *repoSet) name(versions Versions) {
	t.template, t.version = t.handle, latestVersion
	t.timestamp = json.Number(strconv.FormatInt(max(t.modTime.Unix(), 0), 10))
	if versions == VersionsLatest {
		return
	}
	if name := t.metadata.TemplateName(); name != "" {
		t.template = name
	}
	if v, ok := t.metadata.Text(KeyVersion); ok && templates.CheckVersion(v) == nil {
		t.version = v
	}
	if ts, ok := t.metadata.Timestamp(); ok {
		t.timestamp = ts
	}
}

func (t *repoSet) item(s *repoScan) templates.Item {
	return templates.Item{Source: s.path(t.handle + ".xz"), Template: t.template, Version: t.version, Handle: t.handle}
}

func (t *repoSet) conflictEntry(s *repoScan) templates.ConflictEntry {
	return templates.ConflictEntry{Source: s.path(t.handle + ".xz"), Template: t.template, Version: t.version, Timestamp: timeOf(t.timestamp)}
}
