package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/examples/internal/fatdisk"
	"github.com/tplkit/tplkit/examples/internal/sample"
	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/xzpack"
)

// session is one run of the example.
type session struct {
	out      io.Writer
	writeErr error

	store, cache, tree string
}

func (s *session) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil && s.writeErr == nil {
		s.writeErr = err
	}
}

func (s *session) makeCaches(context.Context) error {
	for _, c := range []struct {
		dir  string
		fill func(string, int64) error
	}{{s.store, sample.LagoStore}, {s.cache, sample.KubeVirtCache}} {
		if err := os.Mkdir(c.dir, 0o755); err != nil {
			return err
		}
		if err := c.fill(c.dir, sample.DiskSize); err != nil {
			return err
		}
		if err := s.show(c.dir); err != nil {
			return err
		}
	}
	return nil
}

// show prints the files below dir.
func (s *session) show(dir string) error {
	s.printf("   %s\n", dir)
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		st, err := d.Info()
		if err != nil {
			return err
		}
		s.printf("     %-34s %10d bytes\n", filepath.ToSlash(rel), st.Size())
		return nil
	})
}

func (s *session) showTree(context.Context) error {
	if err := s.show(s.tree); err != nil {
		return err
	}
	for _, name := range []string{"repo.metadata", "index", "el8.2-base.hash"} {
		path := filepath.Join(s.tree, templates.RepoDir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		s.printf("\n   %s/%s:\n", templates.RepoDir, name)
		for line := range strings.Lines(string(text)) {
			s.printf("     | %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
	return nil
}

// counter tells how much of a file was read.
type counter struct {
	io.ReaderAt
	bytes int64
}

func (c *counter) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.bytes += int64(n)
	return n, err
}

// readBack opens a published .xz as a disk: its partition table, its file
// system, a file. Only the blocks that hold these are read and decoded.
func (s *session) readBack(context.Context) error {
	path := filepath.Join(s.tree, templates.RepoDir, "el8.2-base.xz")
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	read := &counter{ReaderAt: f}
	disk, err := xzpack.Open(read, st.Size(), xzpack.OpenOptions{})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	text, err := fatdisk.ReadFile(disk, sample.Release)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s.printf("   %s: a disk of %d bytes in %d blocks\n", filepath.Base(path), disk.Size(), len(disk.Blocks()))
	s.printf("   partition 1, %s:\n", sample.Release)
	for line := range strings.Lines(string(text)) {
		s.printf("     | %s\n", strings.TrimSuffix(line, "\n"))
	}
	s.printf("   read for that: %d of %d packed bytes\n", read.bytes, st.Size())
	return nil
}

func (s *session) whatNext(kept bool) {
	s.printf("\nWhat next\n\n")
	if kept {
		s.printf("   The same with the command, where it finds that all is done already:\n")
		s.printf("     go run ./cmd/tplkit recover %s %s --tree %s \\\n", s.store, s.cache, s.tree)
		s.printf("         --repo-name %s --base-url %s --name windows2016=win_16.img\n", repoName, baseURL)
		s.printf("   Break a byte of an image and run:\n     go run ./cmd/tplkit verify-hashes %s\n", s.tree)
	} else {
		s.printf("   go run ./examples/quickstart -keep      leaves the files, and tells how to go on with the command\n")
	}
	s.printf("   go run ./cmd/tplkit --help              the commands\n")
	s.printf("   examples/embed                          the same from a program of yours\n")
	s.printf("   go doc github.com/tplkit/tplkit         which package does what\n")
}
