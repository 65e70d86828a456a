package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

type aclImportCmd struct {
	File   string `arg:"" complete:"file" help:"A configuration file of Apache httpd or nginx, as /etc/httpd/conf.d/templates.conf."`
	Format string `enum:"auto,httpd,nginx" default:"auto" help:"Whose configuration it is: ${enum}. By default it is seen from the text."`
	Root   string `placeholder:"DIR" complete:"dir" help:"The directory that the server serves; by default what the file says, else /var/www/html."`
	Output string `short:"o" placeholder:"FILE" complete:"file" help:"Write there instead of on standard output."`
}

func (aclImportCmd) Help() string {
	return `Reads the access rules of a configuration of Apache httpd (2.4, or 2.2 with Order, Allow and Deny) or nginx, and prints the policy that they are. The first line that is not known, or that could mean more than one thing, is an error: nothing is skipped and nothing guessed.

Zones that the file says nothing about are denied by the policy; a comment at its top names them.

Examples:

    tplkit acl import /etc/httpd/conf.d/templates.conf
    tplkit acl import old.conf --root /srv/templates -o access.conf && tplkit acl explain 192.0.2.7 / --config access.conf`
}

// Run imports.
func (c *aclImportCmd) Run(s *session) (err error) {
	if s.JSON {
		return usagef("acl import prints a policy file, which has no JSON form; leave --json away")
	}
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	format := c.Format
	if format == "auto" {
		format = ""
	}
	p, err := frontend.Import(c.File, f, frontend.ImportOptions{Format: frontend.Format(format), Root: c.Root})
	if err != nil {
		return err
	}
	return s.output(c.Output, importedPolicy(c.File, p))
}

// importedPolicy is the policy file with what people should know above it.
func importedPolicy(file string, p *acl.Policy) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Imported from %s.\n", quote(file))
	var missing []string
	for _, z := range acl.Default().Zones {
		if !slices.ContainsFunc(p.Zones, func(have acl.Zone) bool { return have.Name == z.Name }) {
			missing = append(missing, z.Name)
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(&b, "# It lets nobody read these zones, or says nothing about them: %s.\n# To open one to everyone write: zone %s, and below it: allow all.\n", strings.Join(missing, ", "), missing[len(missing)-1])
	}
	b.Write(p.Format())
	return b.Bytes()
}
