package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/audit"
	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// checkDocument is the JSON document of serve --check and serve --fix-permissions: the report on the tree, and what
// is wrong with the configuration.
type checkDocument struct {
	*audit.Report
	Configuration []string `json:"configuration"`   // faults of policy and certificate
	Error         string   `json:"error,omitempty"` // of the command as a whole
}

// check looks at policy, certificate and tree, and changes nothing. A bad policy does not keep it from the rest.
func (c *serveCmd) check(ctx context.Context, s *session) error {
	opt, err := c.auditOptions()
	if err != nil {
		return err
	}
	faults := []string{}
	policy, err := c.policy()
	if err != nil {
		faults = append(faults, err.Error())
		policy = acl.Default()
	}
	if c.TLSCert != "" {
		if err := daemon.CheckCertificate(c.TLSCert, c.TLSKey); err != nil {
			faults = append(faults, err.Error())
		}
	}
	rep, err := audit.Check(ctx, c.Root, policy, opt)
	return c.finishAudit(s, rep, faults, err)
}

// fixPermissions repairs yum/.
func (c *serveCmd) fixPermissions(ctx context.Context, s *session) error {
	opt, err := c.auditOptions()
	if err != nil {
		return err
	}
	opt.DryRun = c.DryRun
	rep, err := audit.FixPermissions(ctx, c.Root, opt)
	return c.finishAudit(s, rep, []string{}, err)
}

func (c *serveCmd) auditOptions() (opt audit.Options, err error) {
	if c.User != "" {
		if opt.User, err = audit.LookupAccount(c.User); err != nil {
			return opt, usagef("--user: %v", err)
		}
	}
	if c.Owner != "" {
		if opt.Owner, err = audit.LookupAccount(c.Owner); err != nil {
			return opt, usagef("--owner: %v", err)
		}
	}
	return opt, nil
}

// finishAudit prints the report and gives the error that stands for its outcome.
func (c *serveCmd) finishAudit(s *session, rep *audit.Report, faults []string, err error) error {
	if rep == nil {
		rep = &audit.Report{Findings: []audit.Finding{}, Changes: []audit.Change{}}
	}
	if perr := c.printAudit(s, rep, faults, err); perr != nil || err != nil {
		return errors.Join(err, perr)
	}
	if n := rep.Faults + len(faults); n > 0 {
		return &outcome{exitFault, count(n, "fault")}
	}
	return nil
}

func (c *serveCmd) printAudit(s *session, rep *audit.Report, faults []string, err error) error {
	if s.JSON {
		doc := checkDocument{Report: rep, Configuration: faults}
		if err != nil {
			doc.Error = err.Error()
		}
		return s.document(doc)
	}
	p := &printer{w: s.stdout}
	if s.Quiet {
		p.w = s.stderr
	}
	for _, f := range faults {
		p.printf("fault: %s\n", f)
	}
	if !s.Quiet {
		p.printf("%s", rep)
		return p.err
	}
	for _, f := range rep.Findings {
		if f.Severity == audit.Fault {
			p.printf("%s\n", fmt.Sprint(f))
		}
	}
	return p.err
}
