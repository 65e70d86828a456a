package hashutil

import (
	"cmp"
	"slices"
)

// Status is what verification says about one file and one sidecar.
type Status string

// The statuses.
const (
	StatusOK         Status = "ok"         // the digests agree
	StatusMismatch   Status = "mismatch"   // they do not
	StatusCompressed Status = "compressed" // H.hash holds the digest of H.xz itself, which lago refuses
	StatusMissing    Status = "missing"    // an image that no sidecar speaks of
	StatusOrphan     Status = "orphan"     // a sidecar whose image is not there
	StatusMalformed  Status = "malformed"  // a sidecar that cannot be read, or that its client refuses
	StatusUnreadable Status = "unreadable" // an image or sidecar that cannot be read or decoded
)

// FileResult says what was found out about one file by one sidecar. Fields that
// do not apply are empty, and absent from JSON.
type FileResult struct {
	// Path is the file that was checked. For an orphan it is the file that
	// a sums file lists, else the sidecar itself.
	Path string `json:"path"`

	// Sidecar is the sidecar or sums file that speaks of Path; for a
	// missing one, the name that it should have.
	Sidecar string `json:"sidecar,omitempty"`

	// Algorithm is the one that the sidecar calls for.
	Algorithm Algorithm `json:"algorithm,omitempty"`

	// Want is the sidecar's digest in lower case; Got is the right one, as
	// computed. A malformed sidecar has a Want if a digest could be made
	// out in it.
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`

	Status Status `json:"status"`

	// Reason is a sentence for every status but ok.
	Reason string `json:"reason,omitempty"`

	// Method says how Got was computed: over the bytes as they are, or what
	// the [ContentFunc] called it.
	Method string `json:"method,omitempty"`

	// Kind is the form in which the sidecar is to be written; 0 if it is
	// not to be written: a sums file is its publisher's.
	Kind Kind `json:"-"`
}

// VerifyReport is the result of [Verify]. Files are ordered by path, sidecar
// and algorithm, whatever the order in which they were read.
type VerifyReport struct {
	Files   []FileResult   `json:"files"`
	Summary map[Status]int `json:"summary"`
}

// NewVerifyReport puts results into the report's order and counts them.
func NewVerifyReport(files []FileResult) *VerifyReport {
	r := &VerifyReport{Files: slices.Clone(files), Summary: summarize(files)}
	if r.Files == nil {
		r.Files = []FileResult{} // an empty list in JSON, not null
	}
	slices.SortStableFunc(r.Files, func(a, b FileResult) int {
		return cmp.Or(
			cmp.Compare(a.Path, b.Path),
			cmp.Compare(a.Sidecar, b.Sidecar),
			cmp.Compare(a.Algorithm, b.Algorithm),
			cmp.Compare(a.Want, b.Want),
			cmp.Compare(a.Reason, b.Reason),
		)
	})
	return r
}

func summarize(files []FileResult) map[Status]int {
	summary := map[Status]int{}
	for _, f := range files {
		summary[f.Status]++
	}
	return summary
}

// OK reports whether every result is ok. It is true for a report without
// results: there was nothing that a sidecar could have been wrong about.
func (r *VerifyReport) OK() bool { return r.Summary[StatusOK] == len(r.Files) }
