package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

const description = `Keeps template servers for virtual machines: recovers a lost tree from caches, packs, indexes and verifies disk images for lago, virt-builder and KubeVirt CI.

A first session:

    tplkit recover -n /var/lib/lago/store --tree /srv/templates      # look, change nothing
    tplkit recover /var/lib/lago/store --tree /srv/templates --repo-name phx --base-url http://templates.example/repo/
    tplkit verify-hashes /srv/templates`

// cli is the command line. Each command lives in its own file.
type cli struct {
	globals

	Recover      recoverCmd      `cmd:"" help:"A cache becomes a served tree: repo/ and kubevirt/."`
	Normalize    normalizeCmd    `cmd:"" help:"Give the files of a cache their canonical names; pack nothing."`
	VerifyHashes verifyHashesCmd `cmd:"" help:"Check every image against its sidecar; an .xz by what is inside."`
	Pack         packCmd         `cmd:"" help:"Pack disk images as .xz, the way the clients read them."`
	Unpack       unpackCmd       `cmd:"" help:"Unpack .xz images: in parallel, verified, sparse."`
	XZList       xzListCmd       `cmd:"" name:"xz-list" help:"List what .xz files are made of: blocks, sizes, checks."`
	Index        indexCmd        `cmd:"" help:"Write repo.metadata and virt-builder's index from the files that are there."`
	Build        buildCmd        `cmd:"" help:"Build a repository of images from image-specs."`
	ACL          aclCmd          `cmd:"" name:"acl" help:"Explain, compare and carry over the policies of the server."`
	Serve        serveCmd        `cmd:"" help:"Serve a tree over HTTP: allow-lists, listings, a catalogue of templates."`
	Bench        benchCmd        `cmd:"" help:"Compare packing and unpacking a file with xz and pixz on this machine."`
	BenchStep    benchStepCmd    `cmd:"" hidden:"" help:"Do what bench measures."`
	Version      versionCmd      `cmd:"" help:"Print the version."`
	Completion   completionCmd   `cmd:"" help:"Print a completion script for a shell."`
}

// globals are the flags of every command.
type globals struct {
	Jobs    int  `short:"j" default:"0" placeholder:"N" group:"Flags of every command:" help:"Work on this many cores; 0 means all."`
	JSON    bool `name:"json" group:"Flags of every command:" help:"Print one JSON document on standard output and nothing else there."`
	Quiet   bool `short:"q" xor:"noise" group:"Flags of every command:" help:"No progress and no report; only what failed."`
	Verbose bool `short:"v" xor:"noise" group:"Flags of every command:" help:"Report digests and sizes, and what was found right, too."`
}

// Validate refuses values that parse but mean nothing.
func (g *globals) Validate() error {
	if g.Jobs < 0 {
		return fmt.Errorf("--jobs=%d: must be 0 (all cores) or more", g.Jobs)
	}
	return nil
}

// dryRun is embedded in the commands that write.
type dryRun struct {
	DryRun bool `short:"n" help:"Print what would be done and change nothing."`
}

// newParser builds the command line over c. exit is called by --help.
func newParser(c *cli, exit func(int), opts ...kong.Option) (*kong.Kong, error) {
	base := []kong.Option{
		kong.Name("tplkit"),
		kong.Description(description),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	}
	return kong.New(c, append(base, opts...)...)
}

// printHelp is kong's help with the exit statuses below it.
func printHelp(opt kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(opt, ctx); err != nil {
		return err
	}
	_, err := fmt.Fprintf(ctx.Stdout, "\n%s", exitHelp())
	return err
}
