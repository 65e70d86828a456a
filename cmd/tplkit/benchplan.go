package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

// debianPackage has the programs that bench compares with, if they are there.
var debianPackage = map[string]string{"xz": "xz-utils", "pixz": "pixz"}

// benchPlan is what bench runs.
type benchPlan struct {
	workers int
	missing []string // programs to compare with that are not there
	parts   []benchPart
}

// benchPart are commands that do the same.
type benchPart struct {
	name     string
	commands []measure.Command
	against  string // the command that the others are compared with
	unpacks  bool
	made     bool // the commands of a part that unpacks make a file
}

// benchMaker knows what all commands have in common.
type benchMaker struct {
	dir, file, self string
	threads         string // as the user said: 0 is all
	xz, pixz        bool
}

func newBenchPlan(c *benchCmd, dir string, jobs int) (benchPlan, error) {
	self, err := os.Executable()
	if err != nil {
		return benchPlan{}, fmt.Errorf("this program is to run itself: %w", err)
	}
	file, err := filepath.Abs(c.File)
	if err != nil {
		return benchPlan{}, err
	}
	p := benchPlan{workers: jobs, missing: []string{}}
	if jobs == 0 {
		p.workers = runtime.GOMAXPROCS(0)
	}
	installed := func(tool string) bool {
		_, err := exec.LookPath(tool)
		if err != nil {
			p.missing = append(p.missing, tool)
		}
		return err == nil
	}
	m := benchMaker{dir: dir, file: file, self: self, threads: strconv.Itoa(jobs), xz: installed("xz"), pixz: installed("pixz")}
	p.parts = []benchPart{m.packing(c.Level, p.workers > 1), m.unpacking(p.workers > 1), m.unpackingToFile()}
	return p, nil
}

func (m *benchMaker) path(name string) string { return filepath.Join(m.dir, name) }

// reference is the packed file that is unpacked: that of the first command that
// packs.
func (m *benchMaker) reference() string { return m.path("reference.xz") }

func (m *benchMaker) packing(levels []string, parallel bool) benchPart {
	p := benchPart{name: "packing", against: "xz -9 -T" + m.threads}
	if m.xz {
		xz := func(threads string) {
			p.commands = append(p.commands, measure.Command{
				Name: "xz -9 -T" + threads, Stdout: m.path("xz.xz"),
				Args: []string{"xz", "-9", "-T" + threads, "--block-size=16MiB", "-c", m.file},
			})
		}
		xz(m.threads)
		if parallel {
			xz("1")
		}
	}
	if m.pixz {
		p.commands = append(p.commands, measure.Command{
			Name: "pixz -9", Made: m.path("pixz.xz"),
			Args: append(m.pixzArgs(), "-9", "-i", m.file, "-o", m.path("pixz.xz")),
		})
	}
	for _, level := range levels {
		args := []string{m.self, "bench-step", "-j", m.threads, "--level", level, "pack", m.file, m.path("tplkit.xz")}
		p.commands = append(p.commands,
			measure.Command{Name: "tplkit " + level, Made: m.path("tplkit.xz"), Args: args},
			measure.Command{Name: "tplkit " + level + ", no proof", Made: m.path("tplkit.xz"), Args: append(args, "--no-proof")})
	}
	first := &p.commands[0]
	first.Keep = true
	if first.Stdout != "" {
		first.Stdout = m.reference()
	} else {
		first.Made = m.reference()
		first.Args[len(first.Args)-1] = m.reference()
	}
	return p
}

// pixzArgs are those that pixz always gets. Without a number it uses all cores.
func (m *benchMaker) pixzArgs() []string {
	args := []string{"pixz", "-t"} // not an archive of tar
	if m.threads != "0" {
		args = append(args, "-p", m.threads)
	}
	return args
}

func (m *benchMaker) unpacking(parallel bool) benchPart {
	p := benchPart{name: "unpacking to nowhere", unpacks: true, against: "xz -dc -T" + m.threads}
	threads := []string{m.threads}
	if parallel {
		threads = append(threads, "1")
	}
	for _, n := range threads {
		if m.xz {
			p.commands = append(p.commands, measure.Command{Name: "xz -dc -T" + n, Args: []string{"xz", "-dc", "-T" + n, m.reference()}})
		}
	}
	if m.pixz {
		p.commands = append(p.commands, measure.Command{Name: "pixz -d", Args: append(m.pixzArgs(), "-d", "-i", m.reference(), "-o", os.DevNull)})
	}
	for _, n := range threads {
		p.commands = append(p.commands, measure.Command{Name: "tplkit -j" + n, Args: []string{m.self, "bench-step", "-j", n, "discard", m.reference()}})
	}
	return p
}

func (m *benchMaker) unpackingToFile() benchPart {
	p := benchPart{name: "unpacking to a sparse file", unpacks: true, made: true, against: "xz -dc -T" + m.threads}
	out := m.path("unpacked")
	if m.xz {
		// xz leaves holes in a regular file, even where that is its standard output.
		p.commands = append(p.commands, measure.Command{Name: p.against, Stdout: out, Args: []string{"xz", "-dc", "-T" + m.threads, m.reference()}})
	}
	p.commands = append(p.commands, measure.Command{
		Name: "tplkit -j" + m.threads, Made: out, Args: []string{m.self, "bench-step", "-j", m.threads, "unpack", m.reference(), out},
	})
	return p
}

// check finds a program that did not do its work, and therefore was fast.
func (p *benchPart) check(results []measure.Result, content int64) error {
	for _, r := range results {
		if p.made && r.Size != content {
			return fmt.Errorf("%s: %s: expected %d bytes of content, found %d", p.name, r.Name, content, r.Size)
		}
	}
	return nil
}
