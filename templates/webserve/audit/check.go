package audit

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// metaDir is where publishing keeps its locks and what is not out yet; files
// written alone are beside their names, under names that begin like it.
const metaDir = ".tplkit"

// Check looks over the tree at root: its zones are those of the policy, or of
// [acl.Default] where that is nil. It changes nothing, and finds
//
//   - zones whose directory is missing, a symbolic link, or no directory: a
//     fault where a policy file names the zone, else a missing one is a warning;
//     and top-level names that are no zone;
//   - symbolic links, fifos, sockets and devices, which are never served, and
//     links into another zone, which other web servers would follow (a fault);
//   - files with several names: across zones a fault, since each name has its
//     own allow-list;
//   - other file systems mounted inside a zone, which are not served;
//   - what [Options.User] cannot read, and what everyone can write;
//   - in yum/, what does not belong to [Options.Owner], directories that are not
//     group-writable with the setgid bit, files that are not group-writable;
//   - names that no request can reach, and names that lago would take for
//     another template's files;
//   - faults of the virt-builder index and of repo.metadata, and files that they
//     name and that are not there;
//   - what a publisher left, or is at work on.
//
// The error tells that the tree could not be looked at, or that ctx ended: the
// report then holds what was found until then. What is wrong with the tree is
// no error.
func Check(ctx context.Context, root string, p *acl.Policy, opt Options) (*Report, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return nil, err
	}
	if p == nil {
		p = acl.Default()
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	dir, err := templates.OpenDir(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	a := &auditor{
		ctx: ctx, dir: dir, opt: opt, collector: newCollector(opt.MaxFindings),
		links: make(map[inode]*names), zones: make(map[string]bool),
	}
	if a.root, err = realPath(root); err != nil {
		return nil, err
	}
	a.mounts = mountsBelow(a.root)
	a.wayTo(a.root)
	err = a.check(p)
	return a.done(), err
}

func realPath(root string) (string, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	return filepath.EvalSymlinks(abs)
}

// auditor is one run of Check.
type auditor struct {
	*collector
	ctx     context.Context
	dir     *templates.Dir // the root
	root    string         // its absolute path, without symbolic links
	opt     Options
	mounts  map[string]bool // names of mount points
	zones   map[string]bool
	links   map[inode]*names // files with several names
	entries int
	stopped bool // by MaxEntries
}

func (a *auditor) check(p *acl.Policy) error {
	for _, z := range p.Zones {
		a.zones[z.Name] = true
	}
	if err := a.top(); err != nil {
		return err
	}
	for _, z := range p.Zones {
		if err := a.zone(z.Name, len(p.Files) > 0); err != nil {
			return err
		}
	}
	a.hardLinks()
	if !a.zones[templates.RepoDir] {
		return nil
	}
	a.indexes()
	a.repoMetadata()
	return a.ended()
}

// top looks at the root itself and at what lies in it beside the zones.
func (a *auditor) top() error {
	fi, err := a.dir.Stat(".")
	if err != nil {
		return fmt.Errorf("%s: %w", templates.Quote(a.root), err)
	}
	a.judge(".", fi)
	list, err := a.dir.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range list {
		name := e.Name()
		switch {
		case a.zones[name]:
		case strings.HasPrefix(name, metaDir):
			a.staging(name, e)
		default:
			a.add(Warning, KindUnknown, name, "is "+templates.TypeName(e.Type())+" beside the zones, so it is never served",
				"name a zone so in the policy if it is meant to be one, or move it away")
		}
	}
	return nil
}

// zone looks at one zone. wanted says that somebody asked for it by name.
func (a *auditor) zone(zone string, wanted bool) error {
	fi, err := a.dir.Stat(zone)
	switch {
	case isMissing(err) && wanted:
		a.add(Fault, KindZone, zone, "is not there, and the policy has such a zone", "make the directory, or take the zone out of the policy")
		return nil
	case isMissing(err):
		a.add(Warning, KindZone, zone, "is not there: nothing of this zone is served", "make the directory when there is something to put into it")
		return nil
	case err != nil:
		a.add(Fault, KindUnreadable, zone, reason(err), "let this process search the root")
		return nil
	case !fi.IsDir():
		a.add(Fault, KindZone, zone, "is "+templates.TypeName(fi.Mode())+", expected a directory; nothing of it is served", "put a directory there")
		return nil
	}
	w := &walk{auditor: a, zone: zone}
	if id, ok := identify(fi); ok {
		w.dev = id.dev
	}
	if zone == templates.YumDir {
		w.uploads = uploadsOf(a.opt.Owner, fi)
	}
	return w.directory(zone, fi, 0)
}

// staging tells of what publishing keeps. A lock alone is nothing.
func (a *auditor) staging(name string, e fs.DirEntry) {
	if e.IsDir() {
		list, err := a.dir.ReadDir(name)
		if err != nil || len(list) == 0 || len(list) == 1 && list[0].Name() == "lock" {
			return
		}
		a.add(Warning, KindStaging, name, fmt.Sprintf("holds %d names of a publisher that is at work or was stopped; none is served", len(list)),
			"nothing, if one is at work; else publish again, which completes it or takes it back")
		return
	}
	a.add(Warning, KindStaging, name, "is what a publisher is writing or left when it was stopped; it is never served",
		"remove it, if no publisher is at work")
}
