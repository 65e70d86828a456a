package lagorepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// RecoverOptions say how [Plan.Recover] packs. The zero value is right for a
// template server.
type RecoverOptions struct {
	Level     xzpack.Level             // zero: the best
	BlockSize int64                    // bytes; 0: 16 MiB
	Jobs      int                      // workers on one image; 0: all cores; images come one after the other
	Progress  func(templates.Progress) // may be nil; Progress.Item is the item's Source
}

// Recover carries the plan out: each planned entry of src, the store that was
// scanned, becomes the files repo/H.xz, repo/H.hash and repo/H.metadata of the
// tree dst. The image is read once; the three files become visible together,
// the image first. Then the indexes want writing: see [WriteIndex].
//
// What lago compares with H.hash is the SHA-1 of the decompressed H.xz, so that
// is what H.hash gets. The store's .hash is of the download before lago made it
// raw; an item's reason says how the two compare. H.metadata is the store's,
// brought up to date by [Metadata.Update].
//
// An entry that is published already, by its content, is [templates.Unchanged],
// and nothing is written; where only H.hash or H.metadata are missing or wrong
// they are [templates.Written], and keys somebody added to H.metadata stay. A
// published image with other content is never replaced: the item fails and says
// what to do.
//
// One item's failure does not stop the others; the report tells all. The error
// is that of the plan (a [*templates.ConflictError]), of the options, or the
// cause of a cancelled context; the report then holds what was finished before.
func (p *Plan) Recover(ctx context.Context, src fs.FS, dst *publish.Dir, opt RecoverOptions) (_ *templates.Report, err error) {
	if opt.Jobs < 0 {
		return nil, fmt.Errorf("jobs: must be 0 (all cores) or more, is %d", opt.Jobs)
	}
	tree, err := templates.OpenDir(dst.Path())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, tree.Close()) }()
	r := recovery{src: src, dst: dst, tree: tree, opt: opt}
	return p.carryOut(ctx, r.recover)
}

// carryOut does one thing with every planned action, in order.
func (p *Plan) carryOut(ctx context.Context, do func(context.Context, *Action, *templates.Item) error) (*templates.Report, error) {
	if len(p.Conflicts) > 0 {
		return p.Report(), &templates.ConflictError{Conflicts: p.Conflicts}
	}
	report := new(templates.Report)
	for i := range p.Actions {
		a := &p.Actions[i]
		if ctx.Err() != nil {
			return report, context.Cause(ctx)
		}
		it := a.item()
		if a.State == templates.Planned {
			if err := do(ctx, a, &it); err != nil {
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

// check refuses an action that was changed into something no plan would say.
func (a *Action) check() error {
	if err := templates.CheckTemplate(a.Template); err != nil {
		return err
	}
	if err := templates.CheckVersion(a.Version); err != nil {
		return err
	}
	return templates.CheckHandle(a.Handle)
}

// unchangedSince says whether the file is still the one that was scanned.
func (a *Action) unchangedSince(fi fs.FileInfo) error {
	if fi.Size() != a.Size || !fi.ModTime().Equal(a.ModTime) {
		return fmt.Errorf("%s: changed since it was scanned (%d bytes, now %d); stop what writes to it and scan again",
			templates.Quote(a.Source), a.Size, fi.Size())
	}
	return nil
}
