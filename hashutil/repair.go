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

// Written makes the report say what is true after the repairs were written:
// every result that their sidecars speak of becomes ok, or a mismatch where an
// H has another content than the H.xz beside it. What was repaired has the
// earlier status in its reason.
func (r *VerifyReport) Written(repairs ...Repair) {
	for _, repair := range repairs {
		for i := range r.Files {
			f := &r.Files[i]
			if f.Sidecar != repair.Sidecar || f.Algorithm != repair.Algorithm || f.Got == "" {
				continue
			}
			f.Reason = "its sidecar was written; it was " + string(f.Status)
			f.Want, f.Status = repair.Digest, StatusOK
			if f.Got != repair.Digest {
				f.Status = StatusMismatch
				f.Reason += ", and speaks of " + quote(path.Base(repair.Path))
			}
		}
	}
	r.Summary = summarize(r.Files)
}
