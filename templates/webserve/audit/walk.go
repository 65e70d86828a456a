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
	"github.com/tplkit/tplkit/templates/webserve/internal/webpath"
)

// walk is what is known while one zone is gone through.
type walk struct {
	*auditor
	zone    string
	dev     uint64   // of the zone's directory
	uploads *uploads // what is expected in yum/; nil elsewhere
	hidden  int      // how many directories above are never served
}

// directory looks at a directory and everything below it.
func (w *walk) directory(name string, fi fs.FileInfo, depth int) error {
	w.rep.Directories++
	w.judge(name, fi)
	if w.uploads != nil {
		w.uploads.judge(w.collector, name, fi)
	}
	if depth > maxDepth {
		w.add(Fault, KindLimit, name, fmt.Sprintf("lies %d directories deep, and what is below was not looked at", depth), "make the tree flatter")
		return nil
	}
	list, err := w.dir.ReadDir(name)
	if err != nil {
		if !isMissing(err) {
			w.add(Fault, KindUnreadable, name, reason(err), "let this process read it, and see that the serving user can")
		}
		return nil
	}
	for _, e := range list {
		if err := w.ended(); err != nil {
			return err
		}
		if w.entries++; w.entries > w.opt.MaxEntries {
			if !w.stopped {
				w.stopped = true
				w.add(Fault, KindLimit, name, fmt.Sprintf("here %d names had been looked at, and the others were not", w.opt.MaxEntries), "look at more of them")
			}
			return nil
		}
		if err := w.entry(path.Join(name, e.Name()), e, depth); err != nil {
			return err
		}
	}
	return nil
}

func (w *walk) entry(name string, e fs.DirEntry, depth int) error {
	base := path.Base(name)
	if strings.HasPrefix(base, metaDir) {
		w.staging(name, e)
		return nil
	}
	reachable := w.reachable(name)
	fi, err := e.Info()
	switch {
	case isMissing(err), !fs.ValidPath(base): // it was there a moment ago: somebody publishes; or it is not UTF-8, and told
		return nil
	case err != nil:
		w.add(Fault, KindUnreadable, name, reason(err), "let this process search the directory")
		return nil
	}
	if !reachable {
		w.hidden++
		defer func() { w.hidden-- }()
	}
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		w.link(name)
	case fi.IsDir():
		if w.mounted(name, fi) {
			return nil
		}
		return w.directory(name, fi, depth+1)
	case fi.Mode().IsRegular():
		if !w.mounted(name, fi) {
			w.file(name, fi)
		}
	default:
		w.add(Warning, KindSpecial, name, "is "+templates.TypeName(fi.Mode())+", which is never served", "move it out of the tree")
	}
	return nil
}

func (w *walk) file(name string, fi fs.FileInfo) {
	w.rep.Files++
	w.judge(name, fi)
	if w.uploads != nil {
		w.uploads.judge(w.collector, name, fi)
	}
	w.count(name, w.zone, fi)
	if w.zone != templates.RepoDir {
		return
	}
	for _, suffix := range []string{".hash", ".metadata"} {
		if handle, ok := strings.CutSuffix(name, ".xz"+suffix); ok {
			w.add(Fault, KindShadow, name, fmt.Sprintf("lago asks for this name before it asks for %s", templates.Quote(path.Base(handle)+suffix)),
				"remove it, or rename it to that")
		}
	}
}

// reachable says whether a request can name it, and tells once for a directory
// and all that is below.
func (w *walk) reachable(name string) bool {
	if w.hidden > 0 {
		return false
	}
	why := ""
	if err := webpath.CheckElement(path.Base(name)); err != nil {
		why = "no request can name it: " + err.Error()
	} else if webpath.Hidden(path.Base(name)) {
		why = "names that begin with a dot or end in .lock or .tmp are never served"
	}
	if why != "" {
		w.add(Warning, KindName, name, why, "rename it, or move it out of the tree")
	}
	return why == ""
}

// mounted tells of what is another file system than the zone's directory.
func (w *walk) mounted(name string, fi fs.FileInfo) bool {
	id, ok := identify(fi)
	if !w.mounts[filepath.FromSlash(name)] && (!ok || id.dev == w.dev) {
		return false
	}
	w.add(Warning, KindMount, name, "is mounted here, and what is mounted inside a zone is not served", "mount it elsewhere and publish from there, or make it a zone")
	return true
}

// link tells of a symbolic link, and whether a server that follows it would
// serve one zone's files under another's name.
func (w *walk) link(name string) {
	target, err := w.dir.Root().Readlink(filepath.FromSlash(name))
	if err != nil {
		return // it was replaced since it was looked at
	}
	is := "is a symbolic link to " + templates.Quote(target)
	if into := w.leadsInto(name, target); into != "" {
		w.add(Fault, KindLink, name, fmt.Sprintf("%s: it is not followed here, but another web server would serve %s to those who may read %s", is, into, w.zone), "remove it")
		return
	}
	w.add(Warning, KindLink, name, is+", and links are never followed", "put a copy or a hard link there, or remove it")
}

// leadsInto names what a link leads to by its text if that is another zone, or
// holds one; "" if not.
func (w *walk) leadsInto(name, target string) string {
	if !filepath.IsAbs(target) {
		target = filepath.Join(w.root, filepath.Dir(filepath.FromSlash(name)), target)
	}
	rel, err := filepath.Rel(w.root, target)
	if err != nil {
		return ""
	}
	rel = filepath.ToSlash(rel)
	zone, _, _ := strings.Cut(rel, "/")
	switch {
	case strings.Trim(rel, "./") == "": // the root, or above it
		return "the whole tree"
	case zone != w.zone && w.zones[zone]:
		return "zone " + zone
	}
	return ""
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// reason is an error without the name, which the finding has already.
func reason(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return "cannot be looked at: " + pe.Err.Error()
	}
	return "cannot be looked at: " + err.Error()
}

// ended is why the context has ended, or nil.
func (a *auditor) ended() error {
	if a.ctx.Err() != nil {
		return context.Cause(a.ctx)
	}
	return nil
}
