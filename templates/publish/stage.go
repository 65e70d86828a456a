package publish

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

const stagePrefix = "set-"

// newStage makes the staging directory of one set.
func (d *Dir) newStage() (*node, error) {
	d.mu.Lock()
	d.last++
	name := fmt.Sprintf("%s%06d", stagePrefix, d.last)
	d.mu.Unlock()
	rel := path.Join(metaDir, name)
	if err := d.opt.step.at("mkdir", rel); err != nil {
		return nil, about(rel, err)
	}
	if err := d.lock.meta.root.Mkdir(name, 0o700); err != nil {
		return nil, about(rel, bare(err))
	}
	return openNode(d.root, rel)
}

// dropStage removes a staging directory and what is ours in it. What is not ours keeps it there.
func (d *Dir) dropStage(stage *node) error {
	defer stage.close()
	entries, err := fs.ReadDir(stage.root.FS(), ".")
	if err != nil {
		return about(stage.rel, bare(err))
	}
	var all []error
	foreign := false
	for _, e := range entries {
		if !ownsStaged(e.Name()) || !e.Type().IsRegular() {
			foreign = true
			continue
		}
		all = append(all, d.unlink(stage, e.Name()))
	}
	if err := errors.Join(all...); err != nil || foreign {
		return err
	}
	if err := d.opt.step.at("rmdir", stage.rel); err != nil {
		return about(stage.rel, err)
	}
	if err := d.root.Remove(stage.rel); err != nil {
		return about(stage.rel, bare(err))
	}
	return nil
}

// unlink removes one name of a directory; one that is gone is fine.
func (d *Dir) unlink(n *node, base string) error {
	name := path.Join(n.rel, base)
	if err := d.opt.step.at("unlink", name); err != nil {
		return about(name, err)
	}
	if err := n.root.Remove(base); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return about(name, bare(err))
	}
	return nil
}

// ownsStage tells whether name, in metaDir, is that of a staging directory.
func ownsStage(name string) bool {
	number, ok := strings.CutPrefix(name, stagePrefix)
	return ok && len(number) >= 6 && digits(number)
}

// ownsStaged tells whether name, in a staging directory, is one that publishing gives.
func ownsStaged(name string) bool {
	if name == journalName || name == undoName {
		return true
	}
	if rest, ok := strings.CutPrefix(name, "."+journalName); ok {
		return digits(rest)
	}
	return isStagedFile(name) || isNumbered(name, 'b') || isNumbered(name, 'r')
}

// isStagedFile knows the names of new files: ".f" + number in the set + "-" + random number.
func isStagedFile(name string) bool {
	rest, ok := strings.CutPrefix(name, ".f")
	if !ok {
		return false
	}
	number, random, ok := strings.Cut(rest, "-")
	return ok && digits(number) && digits(random)
}

func isNumbered(name string, letter byte) bool {
	return name != "" && name[0] == letter && digits(name[1:])
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
