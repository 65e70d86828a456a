package hashutil

import (
	"path"
	"slices"
	"strings"
)

// Repair is one sidecar to write, so that it says what its image holds.
type Repair struct {
	Sidecar   string // where to write
	Path      string // the image it speaks of
	Algorithm Algorithm
	Digest    string // of the image, in lower-case hex
	Was       Status // what is wrong now: mismatch, compressed, malformed or missing
	Content   []byte // the sidecar's whole text
}

// Repairs tells what to write so that mismatch, compressed, malformed and
// missing sidecars become ok, in the order of Sidecar. Nothing is proposed for
// sums files, nor for H.hash by a file H that stands beside an H.xz: lago asks
// for H.xz first, so the sidecar is that file's.
//
// A repair makes the sidecar agree with the image as it is now. Whether the
// image is the right one nobody can tell from that.
func (r *VerifyReport) Repairs() []Repair {
	var repairs []Repair
	for _, f := range r.Files {
		if f.Kind == 0 || f.Got == "" {
			continue
		}
		switch f.Status {
		case StatusMismatch, StatusCompressed, StatusMalformed, StatusMissing:
			repairs = append(repairs, Repair{
				Sidecar:   f.Sidecar,
				Path:      f.Path,
				Algorithm: f.Algorithm,
				Digest:    f.Got,
				Was:       f.Status,
				Content:   FormatSidecar(f.Kind, f.Algorithm, f.Got, path.Base(f.Path)),
			})
		}
	}
	slices.SortFunc(repairs, func(a, b Repair) int { return strings.Compare(a.Sidecar, b.Sidecar) })
	return repairs
}
