package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/tplkit/tplkit/kubevirtimg"
	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// The kinds of cache.
const (
	kindAuto     = "auto"
	kindLago     = "lago"
	kindKubeVirt = "kubevirt"
)

// source is one cache that was named on the command line.
type source struct {
	path string
	kind string // kindLago or kindKubeVirt
	dir  *templates.Dir
}

type sources []source

// openSources opens every cache and tells its kind, before anything is done
// with any of them.
func openSources(paths []string, kind string) (_ sources, err error) {
	var srcs sources
	defer func() {
		if err != nil {
			err = errors.Join(err, srcs.Close())
		}
	}()
	for _, p := range paths {
		dir, err := templates.OpenDir(p)
		if err != nil {
			return srcs, err
		}
		srcs = append(srcs, source{path: p, kind: kind, dir: dir})
		src := &srcs[len(srcs)-1]
		if kind == kindAuto {
			if src.kind, err = detectKind(dir); err != nil {
				return srcs, err
			}
		}
	}
	return srcs, srcs.distinct()
}

// detectKind tells the kind of a cache by what lies in it.
func detectKind(dir *templates.Dir) (string, error) {
	store, err := lagorepo.IsStore(dir)
	if err != nil {
		return "", err
	}
	cache, err := kubevirtimg.IsCache(dir)
	if err != nil {
		return "", err
	}
	switch {
	case store && cache:
		return "", fmt.Errorf("%s: holds both a lago store (REPO:TEMPLATE:VERSION) and KubeVirt images (DIR/disk.img): "+
			"choose with --kind lago or --kind kubevirt, and run it once for each", quote(dir.Path()))
	case store:
		return kindLago, nil
	case cache:
		return kindKubeVirt, nil
	}
	return "", fmt.Errorf("%s: is neither a lago store (files REPO:TEMPLATE:VERSION) nor a cache of KubeVirt images (DIR/disk.img); "+
		"look one directory up or down, or say --kind if it is an empty one", quote(dir.Path()))
}

// distinct refuses a cache that is named twice: all its entries would conflict
// with themselves.
func (s sources) distinct() error {
	for i := range s {
		for j := range i {
			same, err := sameDir(s[i].path, s[j].path)
			if err != nil {
				return err
			}
			if same {
				return usagef("%s and %s are one directory; name it once", quote(s[j].path), quote(s[i].path))
			}
		}
	}
	return nil
}

// apartFrom refuses a destination that is one of the sources, which a recovery
// never changes. An empty dest is none.
func (s sources) apartFrom(dest string) error {
	if dest == "" {
		return nil
	}
	for _, src := range s {
		same, err := sameDir(src.path, dest)
		if errors.Is(err, os.ErrNotExist) {
			continue // a destination that is yet to be made
		}
		if err != nil {
			return err
		}
		if same {
			return usagef("%s is source and destination at once; name another destination", quote(dest))
		}
	}
	return nil
}

func sameDir(a, b string) (bool, error) {
	sa, err := os.Stat(a)
	if err != nil {
		return false, err
	}
	sb, err := os.Stat(b)
	if err != nil {
		return false, err
	}
	return os.SameFile(sa, sb), nil
}

// Close closes all.
func (s sources) Close() error {
	var errs []error
	for _, src := range s {
		errs = append(errs, src.dir.Close())
	}
	return errors.Join(errs...)
}
