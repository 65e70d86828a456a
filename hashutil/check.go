package hashutil

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
)

// verdict is a check on its way to a result.
type verdict struct {
	check
	entry *Entry
	// fault is what is wrong with the sidecar's text, closed why the
	// sidecar cannot be read at all.
	fault, closed error
	got, method   string
	packed        string // digest of the .xz itself, where got is of its content
	err           error  // the image cannot be read
}

// check compares one file with everything that speaks of it. It fails only when
// cancelled.
func (v *verifier) check(ctx context.Context, t *target) ([]FileResult, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	verdicts := make([]*verdict, len(t.checks))
	for i, c := range t.checks {
		verdicts[i] = &verdict{check: c, entry: c.entry}
		if c.entry == nil && !c.missing {
			v.readSidecar(verdicts[i], t)
		}
	}
	img, err := v.openImage(t)
	if err != nil {
		for _, d := range verdicts {
			d.err = err
		}
	} else {
		img.digest(ctx, verdicts)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	results := make([]FileResult, len(verdicts))
	for i, d := range verdicts {
		results[i] = d.result(t, img)
	}
	v.done(t.path)
	return results, nil
}

// readSidecar reads and judges the sidecar's text, and decides the form in
// which it would be written anew: the one that it has, if its client takes it.
func (v *verifier) readSidecar(d *verdict, t *target) {
	switch {
	case d.hash:
		d.kind = LagoHash
	case d.exact, d.alg == SHA1:
		d.kind = KubeVirtSHA1
	default:
		d.kind = GNU
	}
	data, err := readSmall(v.fsys, d.sidecar, d.mode, MaxSidecar)
	if err != nil {
		d.closed = err
		return
	}
	e, err := ParseSidecar(data, d.alg)
	if err != nil {
		d.fault = err
		return
	}
	d.entry = &e
	switch {
	case d.hash:
		d.fault = e.CheckLago()
	case d.exact:
		d.fault = e.CheckKubeVirt()
	case e.Form == Bare:
		d.kind = KubeVirtSHA1
	case e.Form == BSD:
		d.kind = BSDTag
	default:
		d.kind = GNU
	}
	if d.fault == nil && !speaksOf(e.Name, t.path) {
		d.fault = fmt.Errorf("expected the file name %s beside the digest, found %s", quote(path.Base(t.path)), quote(e.Name))
	}
}

// speaksOf reports whether the name beside a digest, if there is one, is that
// of the image. Directories before it are the ones of the machine it was made
// on, blanks after it an editor's, and "-" is standard input.
func speaksOf(name, image string) bool {
	base := path.Base(image)
	trimmed := strings.Trim(name, blanks)
	return name == "" || trimmed == "-" || path.Base(name) == base || path.Base(trimmed) == base
}

// digest reads the image: once for its content, if a .hash speaks of an .xz,
// and once for its bytes.
func (m *image) digest(ctx context.Context, verdicts []*verdict) {
	var inside, outside []*verdict
	for _, d := range verdicts {
		switch {
		case !d.hash || !strings.HasSuffix(m.path, xzSuffix):
			outside = append(outside, d)
		case !m.xz:
			d.err = errors.New("it is named .xz but does not begin as an xz file does: lago could not decompress it")
		default:
			inside = append(inside, d)
		}
	}
	var both []*verdict // for which the .xz's own digest is of interest too
	if len(inside) > 0 {
		sums, method, err := m.content(ctx, algorithms(inside))
		for _, d := range inside {
			d.got, d.method, d.err = sums[d.alg], method, err
			if err == nil && d.entry != nil && d.entry.Hex != d.got {
				both = append(both, d)
			}
		}
	}
	if len(outside)+len(both) == 0 {
		return
	}
	sums, method, err := m.bytes(ctx, algorithms(append(both, outside...)))
	for _, d := range outside {
		d.got, d.method, d.err = sums[d.alg], method, err
	}
	for _, d := range both {
		d.packed = sums[d.alg]
		if err != nil {
			d.err = err
		}
	}
}

func algorithms(verdicts []*verdict) []Algorithm {
	var algs []Algorithm
	for _, d := range verdicts {
		algs = append(algs, d.alg)
	}
	return algs
}
