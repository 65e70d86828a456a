package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// Severity says what a [Finding] means for those who serve the tree.
type Severity string

const (
	// Fault is what leaks, breaks a client, or lets somebody else decide what
	// is served.
	Fault Severity = "fault"
	// Warning is what is served well enough, or is not served at all, and is
	// probably not what was meant.
	Warning Severity = "warning"
)

// Kind says what a [Finding] is about. The words are part of the interface for
// scripts and do not change.
type Kind string

// The kinds of findings.
const (
	KindZone       Kind = "zone"       // a zone's directory is missing, or is none
	KindUnknown    Kind = "unknown"    // a top-level name that is no zone: never served
	KindName       Kind = "name"       // a name that no request can reach
	KindLink       Kind = "link"       // a symbolic link: never followed
	KindSpecial    Kind = "special"    // a fifo, socket or device: never served
	KindHardLink   Kind = "hardlink"   // a file with more names than one
	KindMount      Kind = "mount"      // another file system: never served
	KindUnreadable Kind = "unreadable" // the serving user, or this process, cannot read it
	KindWritable   Kind = "writable"   // everyone on the machine can write it
	KindOwner      Kind = "owner"      // in yum/: not its uploader's
	KindMode       Kind = "mode"       // in yum/: not writable as uploads need it
	KindShadow     Kind = "shadow"     // lago would take it for another file
	KindIndex      Kind = "index"      // the virt-builder index is wrong, or names what is not there
	KindMetadata   Kind = "metadata"   // repo.metadata is wrong, or names what is not there
	KindStaging    Kind = "staging"    // left by a publisher that was stopped, or in use by one
	KindLimit      Kind = "limit"      // more than was looked at
)

// Finding is one thing that is wrong with the tree.
type Finding struct {
	Severity Severity `json:"severity"`
	Kind     Kind     `json:"kind"`
	// Path is the name below the root, with "/" between its elements and "."
	// for the root; of a directory above the root, its absolute path.
	Path  string `json:"path"`
	Found string `json:"found"` // what is wrong with it, with what was expected
	Todo  string `json:"todo"`  // what to do about it
}

// String is the finding in one line, as in
//
//	fault: "yum/el8": mode 0755, expected 2775: chmod 2775 it
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %s", f.Severity, templates.Quote(f.Path), f.Found, f.Todo)
}

// Change is one thing that [FixPermissions] repaired, or would repair.
type Change struct {
	Path string `json:"path"`
	From string `json:"from"` // as "owner 0:0, mode 0755"
	To   string `json:"to"`
	Done bool   `json:"done"` // false: a dry run
}

// String is the change in one line.
func (c Change) String() string {
	verb := "changed"
	if !c.Done {
		verb = "would change"
	}
	return fmt.Sprintf("%s: %s from %s to %s", templates.Quote(c.Path), verb, c.From, c.To)
}

// Report is what was found. Equal trees give equal reports.
type Report struct {
	Findings []Finding `json:"findings"` // faults first; then by path and kind
	Changes  []Change  `json:"changes"`  // of [FixPermissions], from the top down

	Faults   int `json:"faults"`   // all of them, those that are left out included
	Warnings int `json:"warnings"` // likewise
	// Omitted counts the findings beyond [Options.MaxFindings], which are not
	// in Findings.
	Omitted int `json:"omitted"`

	Files       int `json:"files"`       // regular files looked at
	Directories int `json:"directories"` // directories looked at
}

// OK says that no fault was found. Warnings do not count.
func (r *Report) OK() bool { return r.Faults == 0 }

// String lists all findings and changes, a line each, and a line that counts
// them.
func (r *Report) String() string {
	var b strings.Builder
	for _, c := range r.Changes {
		fmt.Fprintln(&b, c)
	}
	for _, f := range r.Findings {
		fmt.Fprintln(&b, f)
	}
	if r.Omitted > 0 {
		fmt.Fprintf(&b, "%d more findings are not listed\n", r.Omitted)
	}
	fmt.Fprintf(&b, "%d faults, %d warnings in %d files and %d directories\n", r.Faults, r.Warnings, r.Files, r.Directories)
	return b.String()
}

// collector gathers findings up to a number of each severity.
type collector struct {
	rep  *Report
	most int
}

func newCollector(most int) *collector {
	return &collector{&Report{Findings: []Finding{}, Changes: []Change{}}, most}
}

func (c *collector) add(s Severity, k Kind, path, found, todo string) {
	n := &c.rep.Warnings
	if s == Fault {
		n = &c.rep.Faults
	}
	*n++
	if *n > c.most {
		c.rep.Omitted++
		return
	}
	c.rep.Findings = append(c.rep.Findings, Finding{s, k, path, found, todo})
}

// done puts the worst first.
func (c *collector) done() *Report {
	slices.SortStableFunc(c.rep.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), strings.Compare(a.Path, b.Path), cmp.Compare(a.Kind, b.Kind))
	})
	return c.rep
}
