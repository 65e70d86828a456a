package templates

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// fileJob is one input and the output it becomes.
type fileJob struct {
	path, dest string
	err        error // why there is no output
}

// eachFile makes one output of each path: it names all of them first, refuses
// names that two want, and then works on one after the other.
func eachFile(ctx context.Context, paths []string, out FilesOptions, name func(path string) (string, error), work func(path, dest string) (Item, error)) (*Report, error) {
	rep := &Report{}
	jobs := make([]fileJob, len(paths))
	for i, p := range paths {
		base, err := name(p)
		dir := out.Dir
		if dir == "" {
			dir = filepath.Dir(p)
		}
		jobs[i] = fileJob{path: p, err: err}
		if err == nil {
			jobs[i].dest = filepath.Join(dir, base)
		}
	}
	if c := outputConflicts(jobs); len(c) > 0 {
		rep.Conflicts = c
		return rep, &ConflictError{Conflicts: c}
	}
	if out.Dir != "" && !out.DryRun {
		if err := os.MkdirAll(out.Dir, 0o755); err != nil {
			return rep, err
		}
	}
	for _, j := range jobs {
		if ctx.Err() != nil {
			return rep, context.Cause(ctx)
		}
		it, err := Item{}, j.err
		if err == nil {
			it, err = work(j.path, j.dest)
		}
		if err != nil && ctx.Err() != nil {
			return rep, context.Cause(ctx)
		}
		if err != nil {
			it = Item{State: Failed, Error: err.Error()}
		}
		it.Source, it.Destination = j.path, j.dest
		rep.Add(it)
	}
	return rep, nil
}

// outputConflicts finds the outputs that more than one input wants.
func outputConflicts(jobs []fileJob) []Conflict {
	var conflicts []Conflict
	wanted := make(map[string][]fileJob)
	for _, j := range jobs {
		if j.err == nil {
			key := resolvedOutput(j.dest)
			wanted[key] = append(wanted[key], j)
		}
	}
	for _, j := range jobs {
		key := resolvedOutput(j.dest)
		same := wanted[key]
		if len(same) < 2 {
			continue
		}
		delete(wanted, key)
		c := Conflict{Name: j.dest, Reason: "give each an output directory of its own, or rename one"}
		for _, s := range same {
			e := ConflictEntry{Source: s.path}
			if st, err := os.Stat(s.path); err == nil {
				e.Timestamp = st.ModTime().UTC()
			}
			c.Entries = append(c.Entries, e)
		}
		conflicts = append(conflicts, c)
	}
	return conflicts
}

// resolvedOutput spells the path of an output in one way, whatever way the
// caller chose.
func resolvedOutput(dest string) string {
	dir := filepath.Dir(dest)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return filepath.Join(dir, filepath.Base(dest))
}

// packable refuses what is packed already.
func (im *Image) packable() error {
	if f := im.Info.Format; f == XZ || f == GZIP {
		return fmt.Errorf("%s: %w", Quote(im.Name),
			&FormatError{string(f), "is compressed already; unpack it first, or publish it as it is"})
	}
	return nil
}
