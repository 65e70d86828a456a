package main

import (
	"context"

	"github.com/tplkit/tplkit/templates"
)

type unpackCmd struct {
	Image  []string `arg:"" name:"image.xz" complete:"file" help:"Packed images; they stay."`
	Output string   `short:"o" placeholder:"DIR" complete:"dir" help:"Write there instead of beside each image."`
	Force  bool     `help:"Replace an output that exists."`
	dryRun
}

func (unpackCmd) Help() string {
	return `IMAGE.xz becomes IMAGE beside it: on all cores, every check verified, with holes where the image holds zeros. A name without .xz needs -o, where the output keeps the name.

Examples:

    tplkit unpack el8.2-base.xz
    tplkit unpack -o /var/tmp /srv/templates/repo/el8.2-base.xz
    tplkit unpack -n /srv/templates/repo/*.xz        # the unpacked sizes, nothing written`
}

// Run unpacks.
func (c *unpackCmd) Run(ctx context.Context, s *session) error {
	m := s.newMeter()
	rep, err := templates.UnpackFiles(ctx, c.Image,
		templates.FilesOptions{Dir: c.Output, Force: c.Force, DryRun: c.DryRun},
		templates.UnpackOptions{Jobs: s.Jobs, Progress: meterFunc(m)})
	m.Close()
	return s.finish(rep, err)
}
