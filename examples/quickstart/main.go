// Command quickstart shows what tplkit does, with nothing but Go:
//
//	go run ./examples/quickstart
//
// It makes what is left of a lost template server, a store of lago and an image
// cache of KubeVirt CI, in a temporary directory; recovers a tree from them that
// the real clients could use; verifies it, shows it, and reads a file out of a
// packed image without unpacking it. -keep leaves everything to look at.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(out)
	keep := flags.Bool("keep", false, "leave the directory, to look at it and to try the command on it")
	dir := flags.String("dir", "", "work in this directory and leave it; it is made, and must be empty (default: a temporary one)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("argument %q: only flags are known", flags.Arg(0))
	}
	work := *dir
	if work == "" {
		if work, err = os.MkdirTemp("", "tplkit-quickstart-"); err != nil {
			return err
		}
		if !*keep {
			defer os.RemoveAll(work)
		}
	} else if err := makeEmpty(work); err != nil {
		return err
	}
	s := &session{
		out:   out,
		store: filepath.Join(work, "lago-store"),
		cache: filepath.Join(work, "kubevirt-images"),
		tree:  filepath.Join(work, "templates"),
	}
	for i, step := range []struct {
		title, what string
		do          func(context.Context) error
	}{
		{"What is left", "The store that lago keeps on a CI node, with names no server has, and KubeVirt's image cache.", s.makeCaches},
		{"Recover lago's templates", "A scan changes nothing, a plan is only data, and then the images are packed and hashed in one read.", s.recoverLago},
		{"Recover KubeVirt's images", "Served as they are, under the names that KubeVirt's scripts ask for.", s.recoverKubeVirt},
		{"Write the indexes", "Last, so that they never name what is not there.", s.writeIndexes},
		{"Verify", "Every image against its digest; of an .xz what is inside, as lago does.", s.verify},
		{"The tree", "A directory for any web server.", s.showTree},
		{"Read a file out of a packed image", "An .xz of independent blocks is read like a disk, without unpacking it.", s.readBack},
	} {
		s.printf("\n%d. %s\n   %s\n\n", i+1, step.title, step.what)
		if err := step.do(ctx); err != nil {
			return err
		}
	}
	s.whatNext(*keep || *dir != "")
	return s.writeErr
}

func makeEmpty(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s: must be empty, holds %q", dir, entries[0].Name())
	}
	return err
}
