package lagorepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/publish"
)

// source is the disk an action recovers: a plain image, or a download that is
// still packed.
type source struct {
	action *Action
	fsys   fs.FS
	img    *templates.Image
	sizes  templates.Sizes
	opt    RecoverOptions
}

// openSource opens the action's file and refuses what cannot be published as a
// template's disk.
func (r *recovery) openSource(a *Action) (*source, error) {
	img, err := templates.OpenImage(r.src, a.Source)
	if err != nil {
		return nil, err
	}
	s := &source{action: a, fsys: r.src, img: img, sizes: img.Sizes, opt: r.opt}
	if err := s.check(); err != nil {
		return nil, errors.Join(err, img.Close())
	}
	return s, nil
}

func (s *source) check() error {
	if err := s.action.unchangedSince(s.img.Stat()); err != nil {
		return err
	}
	format := s.img.Info.Format
	if s.action.Packed {
		if format != templates.XZ {
			return fmt.Errorf("%s: was xz when it was scanned, is %s; scan again", templates.Quote(s.action.Source), format)
		}
		info, sizes, err := templates.InspectXZ(s.img, s.img.Stat().Size())
		if err != nil {
			return fmt.Errorf("%s: %w", templates.Quote(s.action.Source), err)
		}
		format, s.sizes = info.Format, sizes
	}
	if format != templates.Raw && format != templates.QCOW2 {
		return fmt.Errorf("%s: must be a disk, raw or qcow2, holds %s data, which lago would convert as if it were a disk; unpack it and scan again",
			templates.Quote(s.action.Source), format)
	}
	return nil
}

func (s *source) Close() error { return s.img.Close() }

// digest computes digests of the disk's content in one read.
func (s *source) digest(ctx context.Context, algs []hashutil.Algorithm) (hashutil.Digests, error) {
	if !s.action.Packed {
		return templates.Digest(ctx, s.img, s.progress(), algs...)
	}
	return digestContent(ctx, s.fsys, s.action.Source, algs, s.opt.Jobs)
}

// publish writes H.xz and computes all digests. A download that is still packed
// is what the server had, and is published as it is.
func (s *source) publish(ctx context.Context, dst *publish.File, content, packed []hashutil.Algorithm) (templates.Sizes, templates.ItemDigests, error) {
	if !s.action.Packed {
		return templates.Pack(ctx, dst, s.img, templates.PackOptions{
			Level: s.opt.Level, BlockSize: s.opt.BlockSize, Jobs: s.opt.Jobs,
			Content: content, Packed: packed, Progress: s.progress(),
		})
	}
	var d templates.ItemDigests
	var err error
	if d.Content, err = s.digest(ctx, content); err != nil {
		return templates.Sizes{}, d, err
	}
	d.Packed, err = templates.Copy(ctx, dst, s.img, s.progress(), packed...)
	return s.sizes, d, err
}

// progress speaks of the entry where templates speaks of the file.
func (s *source) progress() func(templates.Progress) {
	if s.opt.Progress == nil {
		return nil
	}
	item := s.action.Path()
	return func(p templates.Progress) {
		p.Item = item
		s.opt.Progress(p)
	}
}

// digestContent computes digests of a file's content; of an .xz, of what is
// inside.
func digestContent(ctx context.Context, fsys fs.FS, name string, algs []hashutil.Algorithm, jobs int) (sums hashutil.Digests, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := hashutil.NewHasher(algs...)
	if _, err := templates.NewContent(jobs)(ctx, f, h); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w", templates.Quote(name), err)
	}
	return h.Sums(), nil
}
