package audit

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// ErrUnsupported is the error of [FixPermissions] on a system whose files have
// no owner and mode.
var ErrUnsupported = errors.New("files have no owner and mode on this system")

// FixPermissions repairs owner, group and mode of everything in yum/ below root,
// and of nothing else: directories become 2775, files 664 and stay executable if
// they are, all of it [Options.Owner]'s. It tells each change. What cannot be
// repaired is a finding: most often since only root may give files away.
//
// Symbolic links are not followed and not changed. Nor is a file that has
// several names, since the others may lie where this uploader has no right to
// write; nor what another file system has mounted there. Each change is made
// through a descriptor of what was looked at, so whoever replaces names in yum/
// meanwhile gains nothing.
//
// The error tells that yum/ could not be gone through, or that ctx ended; the
// report then holds what was done until then.
func FixPermissions(ctx context.Context, root string, opt Options) (*Report, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	dir, err := templates.OpenDir(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fi, err := dir.Stat(templates.YumDir)
	if err != nil {
		return nil, err
	}
	if !fi.IsDir() {
		return nil, &fs.PathError{Op: "repair", Path: templates.YumDir, Err: fmt.Errorf("is %s, expected a directory", templates.TypeName(fi.Mode()))}
	}
	id, ok := identify(fi)
	if !ok {
		return nil, ErrUnsupported
	}
	real, err := realPath(root)
	if err != nil {
		return nil, err
	}
	f := &fixer{
		collector: newCollector(opt.MaxFindings), ctx: ctx, dir: dir, opt: opt,
		uploads: uploadsOf(opt.Owner, fi), dev: id.dev, mounts: mountsBelow(real),
	}
	err = f.directory(templates.YumDir, 0)
	return f.done(), err
}

// fixer is one run of FixPermissions.
type fixer struct {
	*collector
	ctx     context.Context
	dir     *templates.Dir
	opt     Options
	uploads *uploads
	dev     uint64          // of yum/
	mounts  map[string]bool // names of mount points
	entries int
}

// directory repairs a directory and then what is in it: it may be readable only
// now.
func (f *fixer) directory(name string, depth int) error {
	f.rep.Directories++
	if !f.repair(name) {
		return nil
	}
	if depth > maxDepth {
		f.add(Fault, KindLimit, name, fmt.Sprintf("lies %d directories deep, and what is below was left as it is", depth), "make the tree flatter")
		return nil
	}
	list, err := f.dir.ReadDir(name)
	if err != nil {
		if !isMissing(err) {
			f.add(Fault, KindUnreadable, name, reason(err), "run it as root or as the owner")
		}
		return nil
	}
	for _, e := range list {
		if f.ctx.Err() != nil {
			return context.Cause(f.ctx)
		}
		if f.entries++; f.entries > f.opt.MaxEntries {
			return fmt.Errorf("%s: more than %d names: the others were left as they are", templates.Quote(name), f.opt.MaxEntries)
		}
		below := path.Join(name, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), metaDir): // a publisher's own
		case !fs.ValidPath(e.Name()):
			f.add(Warning, KindName, below, "is not named in UTF-8, and was left as it is", "rename it: no request can name it")
		case e.IsDir():
			if err := f.directory(below, depth+1); err != nil {
				return err
			}
		case e.Type().IsRegular():
			f.rep.Files++
			f.repair(below)
		}
	}
	return nil
}

// openFile is what an open file or directory of [templates.Dir] can do.
type openFile interface {
	fs.File
	Chown(uid, gid int) error
	Chmod(mode fs.FileMode) error
}

// repair repairs one file or directory, and says whether there is any use in
// going on below it.
func (f *fixer) repair(name string) bool {
	file, err := f.dir.Open(name)
	if isMissing(err) || errors.Is(err, templates.ErrNotRegular) {
		return false // it was replaced since it was listed
	}
	if err != nil {
		f.add(Fault, KindUnreadable, name, reason(err), "run it as root or as the owner")
		return false
	}
	defer file.Close()
	fi, err := file.Stat()
	h, isHandle := file.(openFile)
	if err != nil || !isHandle {
		f.add(Fault, KindUnreadable, name, fmt.Sprintf("cannot be looked at: %v", err), "try again")
		return false
	}
	id, _ := identify(fi)
	owner, mode := f.uploads.wrong(fi, id)
	switch {
	case id.dev != f.dev || name != templates.YumDir && f.mounts[filepath.FromSlash(name)]:
		f.add(Warning, KindMount, name, "is mounted here, and was left as it is", "mount it elsewhere: what is mounted inside a zone is not served")
		return false
	case !owner && !mode:
	case !fi.IsDir() && id.links > 1:
		f.add(Fault, KindHardLink, name, fmt.Sprintf("has %d names, and was left as it is (%s): the change would be one of the others, too", id.links, ownerAndMode(id, fi)),
			"put a copy there")
	case f.opt.DryRun:
		f.changed(name, id, fi, false)
	default:
		f.change(h, name, id, fi, owner)
	}
	return true
}

func (f *fixer) changed(name string, id identity, fi fs.FileInfo, done bool) {
	want := identity{uid: f.uploads.owner.UID, gid: f.uploads.owner.GIDs[0]}
	to := fmt.Sprintf("owner %d:%d, mode %s", want.uid, want.gid, octal(f.uploads.mode(fi)))
	f.rep.Changes = append(f.rep.Changes, Change{Path: name, From: ownerAndMode(id, fi), To: to, Done: done})
}

// change gives a file to the uploader, and then its mode: giving it away takes
// bits away.
func (f *fixer) change(h openFile, name string, id identity, fi fs.FileInfo, owner bool) {
	a := f.uploads.owner
	if owner {
		if err := h.Chown(a.UID, a.GIDs[0]); err != nil {
			f.add(Fault, KindOwner, name, fmt.Sprintf("belongs to %d:%d and cannot be given to %s: %s", id.uid, id.gid, a, bare(err)), "run it as root")
		}
	}
	if err := h.Chmod(f.uploads.mode(fi)); err != nil {
		f.add(Fault, KindMode, name, fmt.Sprintf("mode %s cannot be made %s: %s", octal(fi.Mode()), octal(f.uploads.mode(fi)), bare(err)), "run it as root or as the owner")
	}
	now, err := h.Stat()
	if err != nil {
		f.add(Fault, KindUnreadable, name, reason(err), "try again")
		return
	}
	nowID, _ := identify(now)
	wrongOwner, wrongMode := f.uploads.wrong(now, nowID)
	if !wrongOwner && !wrongMode {
		f.changed(name, id, fi, true)
		return
	}
	if now.Mode() != fi.Mode() || nowID != id {
		// Half of it: tell what it came to.
		f.rep.Changes = append(f.rep.Changes, Change{Path: name, From: ownerAndMode(id, fi), To: ownerAndMode(nowID, now), Done: true})
	}
	if wrongMode && !wrongOwner && now.Mode() != fi.Mode() {
		// The kernel drops the setgid bit silently for those outside the group.
		f.add(Fault, KindMode, name, fmt.Sprintf("mode is %s after all, expected %s", octal(now.Mode()), octal(f.uploads.mode(fi))), "run it as root or as a member of the group")
	}
}

// bare is an error without the name.
func bare(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	return err.Error()
}
