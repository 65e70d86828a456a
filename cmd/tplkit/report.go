package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates"
)

// reportDocument is the JSON document of the commands that work on images. The
// first three fields are always there.
type reportDocument struct {
	Items     []templates.Item        `json:"items"`
	Conflicts []templates.Conflict    `json:"conflicts"`
	Summary   map[templates.State]int `json:"summary"`
	Error     string                  `json:"error,omitempty"` // of the command as a whole
}

func newReportDocument(rep *templates.Report, err error) reportDocument {
	d := reportDocument{rep.Items, rep.Conflicts, rep.Summary, ""}
	if d.Items == nil {
		d.Items = []templates.Item{}
	}
	if d.Conflicts == nil {
		d.Conflicts = []templates.Conflict{}
	}
	if d.Summary == nil {
		d.Summary = map[templates.State]int{}
	}
	if err != nil {
		d.Error = err.Error()
	}
	return d
}

// finish prints the report of a command that works on images and gives the
// error that stands for its outcome. rep may be nil where err is not; what was
// done before an error is reported all the same.
func (s *session) finish(rep *templates.Report, err error) error {
	if rep == nil {
		rep = &templates.Report{}
	}
	var clash *templates.ConflictError
	if errors.As(err, &clash) {
		err = nil
		if len(rep.Conflicts) == 0 {
			rep.Conflicts = clash.Conflicts
		}
	}
	var perr error
	switch {
	case s.JSON:
		perr = s.document(newReportDocument(rep, err))
	case s.Quiet:
		perr = printReport(s.stderr, onlyFaults(rep), false)
	default:
		perr = printReport(s.stdout, rep, s.Verbose)
	}
	if err := errors.Join(err, perr); err != nil {
		return err
	}
	return reportOutcome(rep)
}

// reportOutcome is nil where nothing failed.
func reportOutcome(rep *templates.Report) error {
	if n := len(rep.Conflicts); n > 0 {
		msg := count(n, "conflict")
		if !wrote(rep) {
			msg += "; nothing was written"
		}
		return &outcome{exitFailed, msg}
	}
	if n := rep.Summary[templates.Failed]; n > 0 {
		return &outcome{exitFailed, fmt.Sprintf("%d of %d failed", n, len(rep.Items))}
	}
	return nil
}

// wrote says whether anything was written: a conflict between entries is found
// before that, one in an index after the images.
func wrote(rep *templates.Report) bool {
	return slices.ContainsFunc(rep.Items, func(it templates.Item) bool {
		switch it.State {
		case templates.Planned, templates.Unchanged, templates.Skipped, templates.Failed:
			return false
		}
		return true
	})
}

// onlyFaults is what is left of a report with --quiet.
func onlyFaults(rep *templates.Report) *templates.Report {
	out := &templates.Report{Conflicts: rep.Conflicts}
	for _, it := range rep.Items {
		if it.State == templates.Failed {
			out.Items = append(out.Items, it)
		}
	}
	return out
}

// printReport writes a line for each item, aligned, each conflict with all that
// want the name, and a line of counts.
func printReport(w io.Writer, rep *templates.Report, verbose bool) error {
	p := &printer{w: w}
	var t table
	for _, it := range rep.Items {
		t.row(string(it.State), itemName(it), itemNote(it))
		_, log := splitLog(it.Error)
		for _, line := range log {
			t.detail("", line)
		}
		if verbose {
			itemDetails(&t, it)
		}
	}
	t.print(p)
	for _, c := range rep.Conflicts {
		printConflict(p, c)
	}
	if line := summaryLine(rep.Summary, stateOrder); line != "" {
		p.printf("%s\n", line)
	}
	return p.err
}

// itemName is `"source" → "destination"`.
func itemName(it templates.Item) string {
	switch {
	case it.Source == "":
		return quote(it.Destination)
	case it.Destination == "":
		return quote(it.Source)
	}
	return quote(it.Source) + " → " + quote(it.Destination)
}

// itemNote is what an item's line ends with: the error, or sizes and reason.
func itemNote(it templates.Item) string {
	if it.Error != "" {
		msg, _ := splitLog(it.Error)
		return oneLine(withoutSubject(msg, it.Source, it.Destination))
	}
	var notes []string
	if sz := it.Sizes; sz != nil && sz.Apparent > 0 {
		note := bytesText(sz.Apparent)
		if sz.Packed > 0 {
			note += ", packed " + bytesText(sz.Packed)
		}
		notes = append(notes, note)
	}
	if it.Reason != "" {
		notes = append(notes, oneLine(it.Reason))
	}
	return strings.Join(notes, "; ")
}

// splitLog takes what a tool printed out of an error, where it is indented: it
// is shown line by line.
func splitLog(msg string) (text string, log []string) {
	for line := range strings.Lines(msg) {
		if printed, ok := strings.CutPrefix(line, "\t"); ok {
			log = append(log, oneLine(printed))
		} else {
			text += line
		}
	}
	return text, log
}

// itemDetails are the lines below an item with --verbose.
func itemDetails(t *table, it templates.Item) {
	if it.Template != "" {
		t.detail("template", quote(it.Template), it.Version)
	}
	if sz := it.Sizes; sz != nil {
		for _, e := range []struct {
			name string
			n    int64
		}{{"virtual", sz.Virtual}, {"apparent", sz.Apparent}, {"allocated", sz.Allocated}, {"packed", sz.Packed}} {
			if e.n > 0 {
				t.detail(e.name, fmt.Sprintf("%d bytes", e.n))
			}
		}
	}
	if d := it.Digests; d != nil {
		for _, alg := range algorithmOrder(d.Content) {
			t.detail("content", string(alg), d.Content[alg])
		}
		for _, alg := range algorithmOrder(d.Packed) {
			t.detail("packed", string(alg), d.Packed[alg])
		}
	}
}

func printConflict(p *printer, c templates.Conflict) {
	p.printf("conflict: %d entries want %s\n", len(c.Entries), quote(c.Name))
	var t table
	for _, e := range c.Entries {
		when := ""
		if !e.Timestamp.IsZero() {
			when = e.Timestamp.UTC().Format("2006-01-02 15:04:05")
		}
		t.row("  ", quote(e.Source), e.Version, when)
	}
	t.print(p)
	if c.Reason != "" {
		p.printf("  %s\n", oneLine(c.Reason))
	}
}
