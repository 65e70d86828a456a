package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

type aclExportCmd struct {
	Format     string `required:"" enum:"httpd,nginx,caddy" help:"The web server: ${enum}."`
	Root       string `default:"/var/www/html" placeholder:"DIR" complete:"dir" help:"The directory that the server serves (${default})."`
	ServerName string `placeholder:"HOST" help:"The host name to answer to; by default any."`
	Listen     string `placeholder:"ADDRESS" help:"The port, or address and port, to listen on; by default 80, and for httpd whatever it listens on already."`
	NoListing  bool   `help:"Refuse to list directories."`
	Output     string `short:"o" placeholder:"FILE" complete:"file" help:"Write there instead of on standard output."`
	policyFlags
}

func (aclExportCmd) Help() string {
	return `Writes the policy as the configuration of another web server that is to serve the tree in tplkit's stead. It is never laxer than tplkit: the zones and nothing else, GET and HEAD, no symbolic links, no hidden files, nothing packed on the way. (Caddy cannot refuse symbolic links; what is written for it says so.)

Change the policy, not what was written, and write it again. tplkit acl import reads it back, for httpd and nginx.

Examples:

    tplkit acl export --format httpd --config access.conf -o /etc/httpd/conf.d/templates.conf && apachectl configtest
    tplkit acl export --format nginx --config access.conf --root /srv/templates --server-name templates.example.org -o /etc/nginx/conf.d/templates.conf
    tplkit acl export --format nginx --allow-kubevirt 192.0.2.0/24`
}

// Run exports.
func (c *aclExportCmd) Run(s *session) error {
	if s.JSON {
		return usagef("acl export writes the configuration of a web server, which has no JSON form; leave --json away")
	}
	p, err := c.policy()
	if err != nil {
		return err
	}
	out, err := frontend.Export(frontend.Format(c.Format), p, frontend.ExportOptions{
		Root: c.Root, ServerName: c.ServerName, Listen: c.Listen, NoListing: c.NoListing,
	})
	if err != nil {
		return err
	}
	return s.output(c.Output, out)
}

// output writes to a file, which is there as a whole or not at all, or to
// standard output if path is "".
func (s *session) output(path string, text []byte) (err error) {
	if path == "" {
		_, err := s.stdout.Write(text)
		return err
	}
	// With a dot in front, no server takes it for one of its files meanwhile.
	f, err := os.CreateTemp(filepath.Dir(path), ".tplkit-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
