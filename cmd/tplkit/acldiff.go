package main

import (
	"github.com/tplkit/tplkit/templates/webserve/acl"
)

type aclDiffCmd struct {
	Old string `arg:"" complete:"file" help:"A policy file."`
	New string `arg:"" complete:"file" help:"The policy file that is to take its place."`
}

func (aclDiffCmd) Help() string {
	return `Compares what two policies mean, however they are written: for each zone the prefixes that gain (+) and lose (-) access, then the same for the proxies that are trusted, and the status of refusals. Included files are read, too.

The exit status is 0 if both mean the same, 3 if they differ.

Examples:

    tplkit acl diff /etc/tplkit/access.conf access.conf.new
    tplkit acl diff --json old.conf new.conf | jq '.changes[] | select(.gained != [])'`
}

// Run compares.
func (c *aclDiffCmd) Run(s *session) error {
	before, err := acl.ParseFile(c.Old)
	if err != nil {
		return err
	}
	after, err := acl.ParseFile(c.New)
	if err != nil {
		return err
	}
	changes := acl.Diff(before, after)
	if s.JSON {
		err = s.document(newACLDiffDocument(changes, nil))
	} else if !s.Quiet {
		err = printACLDiff(s, changes)
	}
	if err != nil || len(changes) == 0 {
		return err
	}
	return &outcome{exitFault, "the policies differ: " + count(len(changes), "change")}
}

func printACLDiff(s *session, changes []acl.Change) error {
	p := &printer{w: s.stdout}
	for _, c := range changes {
		p.printf("%s\n", c)
	}
	return p.err
}

// aclDiffDocument is the JSON document of acl diff.
type aclDiffDocument struct {
	Changes []aclChange `json:"changes"`
	Error   string      `json:"error,omitempty"`
}

// aclChange is one difference. The first three fields are always there.
type aclChange struct {
	What    string   `json:"what"` // zone, trusted-proxies, proxy-protocol or denied
	Gained  []string `json:"gained"`
	Lost    []string `json:"lost"`
	Zone    string   `json:"zone,omitempty"`
	Added   bool     `json:"added,omitempty"`   // only the new policy names the zone
	Removed bool     `json:"removed,omitempty"` // only the old policy names the zone
	Old     int      `json:"old,omitempty"`     // statuses of refusals
	New     int      `json:"new,omitempty"`
}

func newACLDiffDocument(changes []acl.Change, err error) aclDiffDocument {
	d := aclDiffDocument{Changes: []aclChange{}}
	for _, c := range changes {
		d.Changes = append(d.Changes, aclChange{
			What: c.What, Zone: c.Zone, Added: c.Added, Removed: c.Removed, Old: c.Old, New: c.New,
			Gained: prefixTexts(c.Gained), Lost: prefixTexts(c.Lost),
		})
	}
	if err != nil {
		d.Error = err.Error()
	}
	return d
}
