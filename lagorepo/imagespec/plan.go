package imagespec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tplkit/tplkit/lagorepo"
	"github.com/tplkit/tplkit/templates"
)

// Step is one image to be built.
type Step struct {
	Spec  *Spec
	Base  Base
	After []string // the IDs of the specs it stands on, nearest first
}

// Plan is what is to be built, in an order in which it can be: a step comes
// after all those it stands on. Steps that do not stand on each other can be
// built at the same time. It is plain data, to be printed or compared.
type Plan struct {
	Steps []Step
}

// PlanOptions say what the specs have to be fit for. The zero value means all
// clients.
type PlanOptions struct {
	Format lagorepo.IndexFormat // "": all
}

// MissingBaseError says that a spec stands on what is not there.
type MissingBaseError struct {
	ID   string // of the spec that wants it
	Path string // of that spec
	Base Base
	Err  error // for a file: why it cannot be used
}

// Error says who wants what, and what to do.
func (e *MissingBaseError) Error() string {
	ref := templates.Quote(e.Base.Ref)
	var why string
	switch {
	case e.Base.Kind == BaseSpec:
		why = fmt.Sprintf("stands on %s, and there is no spec of that name: give that spec, too, or write layer:PATH for a file", ref)
	case !errors.Is(e.Err, fs.ErrNotExist):
		why = fmt.Sprintf("is made from the file %s, which %v", ref, e.Err)
	case e.Base.Kind == BaseLayer && filepath.Base(e.Base.Ref) == e.Base.Ref:
		why = fmt.Sprintf("stands on %s, and there is neither a spec nor a file of that name: give that spec, too, or the path from the working directory", ref)
	default:
		why = fmt.Sprintf("is made from the file %s, which does not exist: give the path from the working directory", ref)
	}
	return (&SpecError{Path: e.Path, Line: e.Base.Line, Reason: e.ID + " " + why}).Error()
}

// Unwrap returns Err.
func (e *MissingBaseError) Unwrap() error { return e.Err }

// NewPlan puts specs, in whatever order, into the order in which they are built.
// The same specs give the same plan.
//
// All that can be known beforehand to go wrong is an error, since building takes
// long: the error joins what [Spec.Check] and [Spec.Base] say of every spec, a
// [*MissingBaseError] for each base that is no spec of the plan or no regular
// file, a [*CycleError] for each cycle, and a [*templates.ConflictError] for
// specs that want one name in an index. Files of bases are looked at, but not
// opened; URLs and the templates of virt-builder are not asked for.
func NewPlan(specs []*Spec, opt PlanOptions) (*Plan, error) {
	format, err := lagorepo.ParseIndexFormat(string(opt.Format))
	if err != nil {
		return nil, err
	}
	specs = slices.Clone(specs)
	sortSpecs(specs)
	if conflicts := sameIDs(specs); len(conflicts) > 0 {
		return nil, &templates.ConflictError{Conflicts: conflicts}
	}
	known := make(map[string]bool)
	for _, s := range specs {
		known[s.ID] = true
	}
	var steps []Step
	var errs []error
	for _, s := range specs {
		if err := s.Check(format); err != nil {
			errs = append(errs, err)
		}
		b, err := s.wanted(known)
		if err != nil {
			errs = append(errs, err)
		}
		steps = append(steps, Step{Spec: s, Base: b})
	}
	steps, err = inOrder(steps)
	errs = append(errs, err)
	if conflicts := sameNames(specs, format); len(conflicts) > 0 {
		errs = append(errs, &templates.ConflictError{Conflicts: conflicts})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Plan{Steps: steps}, nil
}

// wanted gives what a spec stands on, and looks whether it is there as far as
// this machine knows. With an error the base is none, so that the order of the
// others can be looked at all the same; a spec without a base has none either,
// which Check tells.
func (s *Spec) wanted(known map[string]bool) (Base, error) {
	if p, _ := s.Get(KeyBase); p.Value == "" {
		return Base{}, nil
	}
	b, err := s.Base(func(id string) bool { return known[id] })
	if err != nil {
		return Base{}, err
	}
	missing := &MissingBaseError{ID: s.ID, Path: s.Path, Base: b}
	switch {
	case b.Kind == BaseSpec && !known[b.Ref]:
		return Base{}, missing
	case b.Kind == BaseSpec, b.Kind == BaseLibguestfs, b.Remote():
		return b, nil
	}
	fi, err := os.Stat(b.Ref)
	switch {
	case err != nil:
		missing.Err = fmt.Errorf("cannot be looked at: %w", err)
		return Base{}, missing
	case !fi.Mode().IsRegular():
		missing.Err = fmt.Errorf("must be a regular file, is %s", templates.TypeName(fi.Mode()))
		return Base{}, missing
	}
	return b, nil
}
