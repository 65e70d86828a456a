package templates

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates/publish"
)

// VerifyOptions say how [VerifyHashes] works. The zero value looks and writes
// nothing.
type VerifyOptions struct {
	Jobs     int                     // files, and blocks of .xz files, at a time; 0: all cores
	Update   bool                    // rewrite sidecars that are wrong, write those that are missing
	DryRun   bool                    // with Update: say what would be written
	Progress func(hashutil.Progress) // may be nil; called from one goroutine at a time
}

// VerifyHashes verifies every image below the paths, directories or single
// files, against its sidecar: [hashutil.Verify] on a [Dir], with [NewContent]
// for what is inside an .xz. The paths in the report begin with the path that they
// were found under.
//
// With Update, sidecars with the status mismatch, compressed, malformed or
// missing are then written so that they say what the image holds; no image is
// touched. The report says what is true afterwards; where a sidecar was written,
// the reason says what it was before.
//
// What is wrong with a file is in the report. An error means that a path could
// not be looked at, a sidecar could not be written, or ctx was cancelled (its
// cause); the report then holds what was found up to there.
func VerifyHashes(ctx context.Context, paths []string, opt VerifyOptions) (*hashutil.VerifyReport, error) {
	var all []hashutil.FileResult
	var errs []error
	for _, p := range paths {
		r, err := verifyPath(ctx, p, opt)
		if r != nil {
			all = append(all, r...)
		}
		if err != nil {
			errs = append(errs, err)
		}
		if ctx.Err() != nil {
			return hashutil.NewVerifyReport(all), context.Cause(ctx)
		}
	}
	return hashutil.NewVerifyReport(all), errors.Join(errs...)
}

func verifyPath(ctx context.Context, p string, opt VerifyOptions) ([]hashutil.FileResult, error) {
	base, names, err := splitPath(p)
	if err != nil {
		return nil, err
	}
	dir, err := OpenDir(base)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	abs, err := filepath.Abs(base)
	if err != nil {
		return nil, err
	}
	vo := hashutil.VerifyOptions{
		Jobs:     opt.Jobs,
		Names:    names,
		Content:  NewContent(opt.Jobs),
		KubeVirt: filepath.Base(abs) == KubeVirtDir,
	}
	if opt.Progress != nil {
		vo.Progress = func(pr hashutil.Progress) {
			pr.Path = filepath.Join(base, pr.Path)
			opt.Progress(pr)
		}
	}
	report, err := hashutil.Verify(ctx, dir, vo)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("%s: %w", p, err)
	}
	if opt.Update {
		err = repair(ctx, base, report, opt.DryRun)
	}
	for i := range report.Files {
		f := &report.Files[i]
		f.Path = filepath.Join(base, f.Path)
		if f.Sidecar != "" {
			f.Sidecar = filepath.Join(base, f.Sidecar)
		}
	}
	return report.Files, err
}

// splitPath tells a directory from a file that is to be verified alone.
func splitPath(p string) (dir string, names []string, err error) {
	st, err := os.Stat(p)
	switch {
	case err != nil:
		return "", nil, err
	case st.IsDir():
		return p, nil, nil
	}
	return filepath.Dir(p), []string{filepath.Base(p)}, nil
}

// repair writes what the report proposes and makes it say so.
func repair(ctx context.Context, base string, report *hashutil.VerifyReport, dryRun bool) error {
	var errs []error
	for _, r := range report.Repairs() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if dryRun {
			announce(report, r)
			continue
		}
		if err := writeSidecar(ctx, filepath.Join(base, r.Sidecar), r.Content); err != nil {
			errs = append(errs, err)
			continue
		}
		report.Written(r)
	}
	return errors.Join(errs...)
}

// announce says which sidecar would be written.
func announce(report *hashutil.VerifyReport, r hashutil.Repair) {
	for i := range report.Files {
		if f := &report.Files[i]; f.Sidecar == r.Sidecar && f.Path == r.Path && f.Algorithm == r.Algorithm {
			f.Reason += "; it would be written"
		}
	}
}

func writeSidecar(ctx context.Context, path string, content []byte) error {
	// A link in the sidecar's place would be replaced by the rename, not
	// followed; but whoever put it there meant another file.
	if st, err := os.Lstat(path); err == nil && !st.Mode().IsRegular() {
		return &fs.PathError{Op: "write", Path: path, Err: fmt.Errorf("is %s: %w", TypeName(st.Mode()), ErrNotRegular)}
	}
	return publish.WriteFile(ctx, path, publish.FileOptions{Force: true}, func(f *publish.File) error {
		_, err := f.Write(content)
		return err
	})
}
