package hashutil

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
)

// ContentFunc feeds the content of f into dst from beginning to end: for an
// .xz file, told by its magic, the decompressed content; for any other file its
// own bytes, of which holes may go to [Hasher.WriteZeros]. It returns how it
// did that, in a few words for the report. It must not close f.
//
// An error makes the file unreadable, and its text is the reason: for an .xz
// that cannot be decoded it should say in which block, at which offset.
//
// dst is bound to ctx. Where the size of the content is known beforehand,
// [Hasher.Expect] tells it to progress reports, and a stream of another size is
// an error.
type ContentFunc func(ctx context.Context, f fs.File, dst *Hasher) (method string, err error)

// Progress is how far verification has come.
type Progress struct {
	Path    string // the file that is being read
	Done    int64  // bytes of it that were hashed
	Total   int64  // bytes that there will be, 0 where that is not known
	Checked int    // files that are done
	Files   int    // files that there are to check
}

// VerifyOptions says what to verify and how. The zero value verifies every file
// of the tree, but takes .xz files for unreadable where their content counts.
type VerifyOptions struct {
	// Jobs is how many files are read at the same time; 0 means
	// GOMAXPROCS, 1 one after the other in the caller's goroutine.
	Jobs int

	// Names are the files to verify, images or sidecars or sums files, or
	// directories; nil means all. A named image is verified against every
	// sidecar and every sums file beside it, a named sidecar or sums file
	// against every image that it speaks of.
	Names []string

	// Content reads what is inside an image; nil means that bytes are
	// hashed as they are and that no .xz can be decompressed.
	Content ContentFunc

	// KubeVirt says that the root of the tree is a kubevirt directory, or
	// lies in one, where .sha1 files must have the exact form. Below the
	// root, directories called kubevirt are recognised.
	KubeVirt bool

	// Progress, if not nil, is called from time to time, never by two
	// goroutines at once.
	Progress func(Progress)
}

// Verify checks the files of a tree against the sidecars and sums files in it.
//
// H.hash speaks of the decompressed content of H.xz, or of H as it is (and
// H.xz.hash, which lago would look for first, of the content of H.xz); FILE.ALG
// of FILE's bytes as they are; a sums file (see [SumsFile]) of the files that it
// lists, wherever below its directory. Every regular file that no sidecar
// and no sums file speaks of is missing one, except sidecars and sums files
// themselves and their signatures, repo.metadata, index, what ends in
// .metadata, .asc, .sig, .lock, .users, .tmp, .provenance.json or .rpm, what
// lies in a repodata directory, and hidden files and directories, which are not
// looked into at all. A link or special file that would be read is unreadable:
// it is not opened. A missing sidecar should be
//
//	FILE.sha1, digits and newline     in a kubevirt directory
//	FILE.md5, GNU form                in a bundles directory
//	H.hash                            for H.xz (not for a .tar.xz), and for H in a repo
//	                                  directory, beside repo.metadata or H.metadata, or
//	                                  with a lago store's name REPO:TEMPLATE:VERSION
//	FILE.sha1, digits and newline     for everything else
//
// A sidecar that its client would refuse is malformed even where its digest is
// right: see [Entry.CheckLago] for .hash and [Entry.CheckKubeVirt] for .sha1 in
// a kubevirt directory. A file name in a sidecar of any other kind must be that
// of the image, else sha1sum -c and the like would look for another file.
//
// Every file is read once for all digests of its bytes, and once more for those
// of its decompressed content.
//
// Whatever is wrong with a file is in the report and does not stop the others.
// An error means that there is no report: wrong options, a root that cannot be
// listed, or a cancelled context, whose [context.Cause] it is.
func Verify(ctx context.Context, fsys fs.FS, opt VerifyOptions) (*VerifyReport, error) {
	if opt.Jobs < 0 {
		return nil, fmt.Errorf("verify: %d jobs: expected 0 for all processors, or more", opt.Jobs)
	}
	for _, name := range opt.Names {
		if !fs.ValidPath(name) {
			return nil, fmt.Errorf("verify: name %s: expected a path below the root, with slashes and no dots for directories", quote(name))
		}
	}
	t, err := scan(ctx, fsys, opt.Names)
	if err != nil {
		return nil, fmt.Errorf("verify: %w", err)
	}
	p := newPlan(t, opt)
	if err := p.make(ctx); err != nil {
		return nil, err
	}
	v := &verifier{fsys: fsys, opt: opt, files: len(p.targets)}
	checked, err := v.run(ctx, p.ordered())
	if err != nil {
		return nil, err
	}
	return NewVerifyReport(slices.Concat(p.results, checked)), nil
}

// verifier carries out a plan.
type verifier struct {
	fsys  fs.FS
	opt   VerifyOptions
	files int

	mu      sync.Mutex // guards checked, and calls of opt.Progress
	checked int
}

func (v *verifier) run(ctx context.Context, targets []*target) ([]FileResult, error) {
	results := make([][]FileResult, len(targets))
	jobs := v.opt.Jobs
	if jobs == 0 {
		jobs = runtime.GOMAXPROCS(0)
	}
	if jobs == 1 {
		for i, t := range targets {
			var err error
			if results[i], err = v.check(ctx, t); err != nil {
				return nil, err
			}
		}
		return slices.Concat(results...), nil
	}
	var g errgroup.Group
	g.SetLimit(jobs)
	for i, t := range targets {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() (err error) {
			results[i], err = v.check(ctx, t)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return slices.Concat(results...), nil
}

// report tells the caller how far the reading of one file has come.
func (v *verifier) report(p Progress) {
	if v.opt.Progress == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	p.Checked, p.Files = v.checked, v.files
	v.opt.Progress(p)
}

// done counts a file as checked.
func (v *verifier) done(name string) {
	v.mu.Lock()
	v.checked++
	v.mu.Unlock()
	v.report(Progress{Path: name})
}
