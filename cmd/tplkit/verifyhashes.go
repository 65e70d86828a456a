package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tplkit/tplkit/hashutil"
	"github.com/tplkit/tplkit/templates"
)

type verifyHashesCmd struct {
	Path   []string `arg:"" complete:"file" help:"Directories or single files: images or their sidecars."`
	Update bool     `help:"Rewrite sidecars that are wrong and write those that are missing; no image is touched."`
	dryRun
}

func (verifyHashesCmd) Help() string {
	return `H.hash is compared with the decompressed content of H.xz (or of H), every other sidecar, as FILE.sha1, with FILE's bytes as they are. An image without a sidecar is a fault too.

Examples:

    tplkit verify-hashes /srv/templates
    tplkit verify-hashes /srv/templates/repo/el8.2-base.xz
    tplkit verify-hashes --json /srv/templates | jq '.files[] | select(.status != "ok")'
    tplkit verify-hashes --update /srv/templates/kubevirt`
}

// Run verifies and, with --update, mends.
func (c *verifyHashesCmd) Run(ctx context.Context, s *session) error {
	m := s.newMeter()
	rep, err := templates.VerifyHashes(ctx, c.Path, templates.VerifyOptions{
		Jobs: s.Jobs, Update: c.Update, DryRun: c.DryRun,
		Progress: func(p hashutil.Progress) { m.Update(p.Path, p.Done, p.Total) },
	})
	m.Close()
	return s.finishVerify(rep, err)
}

// verifyDocument is the JSON document of verify-hashes. The first two fields
// are always there.
type verifyDocument struct {
	Files   []hashutil.FileResult   `json:"files"`
	Summary map[hashutil.Status]int `json:"summary"`
	Error   string                  `json:"error,omitempty"` // of the command as a whole
}

func newVerifyDocument(rep *hashutil.VerifyReport, err error) verifyDocument {
	d := verifyDocument{Files: []hashutil.FileResult{}, Summary: map[hashutil.Status]int{}}
	if rep != nil && len(rep.Files) > 0 {
		d.Files, d.Summary = rep.Files, rep.Summary
	}
	if err != nil {
		d.Error = err.Error()
	}
	return d
}

// finishVerify prints the report and gives the error that stands for its
// outcome: a path that could not be looked at weighs more than a fault.
func (s *session) finishVerify(rep *hashutil.VerifyReport, err error) error {
	if rep == nil {
		rep = hashutil.NewVerifyReport(nil)
	}
	var perr error
	switch {
	case s.JSON:
		perr = s.document(newVerifyDocument(rep, err))
	case s.Quiet:
		perr = printVerify(s.stderr, rep, false, false)
	default:
		perr = printVerify(s.stdout, rep, s.Verbose, true)
	}
	if err := errors.Join(err, perr); err != nil {
		return err
	}
	if rep.OK() {
		return nil
	}
	faults := len(rep.Files) - rep.Summary[hashutil.StatusOK]
	return &outcome{exitFault, fmt.Sprintf("%d of %d at fault", faults, len(rep.Files))}
}

// statusOrder is the order of the counts in the summary.
var statusOrder = []hashutil.Status{
	hashutil.StatusOK, hashutil.StatusMismatch, hashutil.StatusCompressed, hashutil.StatusMissing,
	hashutil.StatusOrphan, hashutil.StatusMalformed, hashutil.StatusUnreadable,
}

// printVerify writes a line for each file that is not ok, or was mended, and of
// every file where all is set.
func printVerify(w io.Writer, rep *hashutil.VerifyReport, all, summary bool) error {
	p := &printer{w: w}
	var t table
	for _, f := range rep.Files {
		if f.Status == hashutil.StatusOK && f.Reason == "" && !all {
			continue
		}
		t.row(string(f.Status), quote(f.Path), string(f.Algorithm), oneLine(f.Reason))
		if all {
			verifyDetails(&t, f)
		}
	}
	t.print(p)
	if !summary {
		return p.err
	}
	if len(rep.Files) == 0 {
		p.printf("no images and no sidecars found\n")
	} else {
		p.printf("%s\n", summaryLine(rep.Summary, statusOrder))
	}
	return p.err
}

// verifyDetails are the lines below a file with --verbose.
func verifyDetails(t *table, f hashutil.FileResult) {
	if f.Sidecar != "" && f.Sidecar != f.Path {
		t.detail("sidecar", quote(f.Sidecar))
	}
	if f.Want != "" && f.Want != f.Got {
		t.detail("want", f.Want)
	}
	if f.Got != "" {
		t.detail("got", f.Got, f.Method)
	}
}
