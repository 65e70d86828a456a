package kubevirtimg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// RecoverOptions say how [Plan.Recover] goes about it. The zero value is right for a template server.
type RecoverOptions struct {
	Progress func(templates.Progress) // may be nil; Progress.Item is the item's Source
}

// Recover carries the plan out: each planned disk of src, the cache that was scanned, becomes kubevirt/IMAGE of the tree dst, byte
// for byte, with its SHA-1 in kubevirt/IMAGE.sha1 in the form that KubeVirt's scripts compare: 40 lower-case hex digits and a
// newline. The disk is read once; its digests are of the very bytes that were written. Both files become visible together, the
// image first.
//
// A disk whose SHA-1 is not that of its sidecar is damaged or was cut off: it fails and is not published. One without a sidecar is
// published with a new one, and the item's reason says so.
//
// An image that is published already, by its content, is [templates.Unchanged], and nothing is written; where only IMAGE.sha1 is
// missing or wrong it is [templates.Written]. A published image with other content is never replaced: the item fails and says what
// to do.
//
// One item's failure does not stop the others; the report tells all, in the order of the plan. The error is that of the plan (a
// [*templates.ConflictError]) or the cause of a cancelled context; the report then holds what was finished before.
func (p *Plan) Recover(ctx context.Context, src fs.FS, dst *publish.Dir, opt RecoverOptions) (*templates.Report, error) {
	c := carrier{src: src, dst: dst, dir: templates.KubeVirtDir, mode: templates.ModeCopy, progress: opt.Progress}
	return c.carryOut(ctx, p)
}

// NormalizeOptions say how [Plan.Normalize] brings the disks to their names.
type NormalizeOptions struct {
	Mode     templates.Mode           // "": ModeCopy
	Progress func(templates.Progress) // may be nil; Progress.Item is the item's Source
}

// Normalize gives each planned disk of src its name in the directory dst, IMAGE beside IMAGE.sha1, and is otherwise as
// [Plan.Recover]: the disks are hashed, and one that its sidecar contradicts fails.
//
// [templates.ModeLink] and [templates.ModeMove] need src to be a [*templates.Dir] on the file system of dst. A link shares its
// bytes with the cache: what is downloaded into the cache later changes both. Only ModeMove changes src: it takes the disk and its
// sidecar away once they have arrived.
func (p *Plan) Normalize(ctx context.Context, src fs.FS, dst *publish.Dir, opt NormalizeOptions) (*templates.Report, error) {
	mode, err := templates.ParseMode(string(opt.Mode))
	if err != nil {
		return nil, err
	}
	c := carrier{src: src, dst: dst, mode: mode, progress: opt.Progress}
	if mode != templates.ModeCopy {
		d, ok := src.(sourceDir)
		if !ok {
			return nil, fmt.Errorf("mode %s: must have a directory on disk to read from, has a %T", mode, src)
		}
		c.dirOnDisk = d
	}
	return c.carryOut(ctx, p)
}

// sourceDir is what linking and moving need of the source; [*templates.Dir] has it.
type sourceDir interface {
	Path() string
	Root() *os.Root
}

// carrier is one run of [Plan.Recover] or [Plan.Normalize].
type carrier struct {
	src       fs.FS
	dirOnDisk sourceDir // src, for link and move
	dst       *publish.Dir
	tree      *templates.Dir // dst, for reading
	dir       string         // where in the tree the images go
	mode      templates.Mode
	progress  func(templates.Progress)
	wanted    map[string]int // for move: the names that a source has not arrived under yet
}

// carryOut does what the plan says, one action after the other.
func (c *carrier) carryOut(ctx context.Context, p *Plan) (_ *templates.Report, err error) {
	if len(p.Conflicts) > 0 {
		return p.Report(), &templates.ConflictError{Conflicts: p.Conflicts}
	}
	if c.tree, err = templates.OpenDir(c.dst.Path()); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.tree.Close()) }()
	c.wanted = make(map[string]int)
	for i := range p.Actions {
		if a := &p.Actions[i]; a.State == templates.Planned {
			c.wanted[a.Source]++
		}
	}
	report := new(templates.Report)
	for i := range p.Actions {
		a := &p.Actions[i]
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		it := a.item()
		if a.State == templates.Planned {
			if err := c.carry(ctx, a, &it); err != nil {
				if ctx.Err() != nil {
					return report, context.Cause(ctx)
				}
				it.State, it.Error = templates.Failed, err.Error()
			}
		}
		report.Add(it)
	}
	return report, nil
}
