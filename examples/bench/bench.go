//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/tplkit/tplkit/cmd/tplkit/measure"
)

const blockSize = 16 * mib // of everything that is packed here

type bench struct {
	config
	out, log io.Writer
	tplkit   string // the command that was built
	self     string // this program, for its children
	bounds   []bound
	peaks    map[string]peak // by level
}

// peak is the most memory a worker took.
type peak struct {
	memory int64 // bytes
	on     string
}

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// figures are the medians of a table, by command.
type figures map[string]measure.Cost

// table runs commands and prints what they cost. content is the length of what
// they pack or unpack, in bytes; the command against is what the others are
// compared with.
func (b *bench) table(ctx context.Context, content int64, against string, commands []measure.Command) (figures, error) {
	return b.tableOf(ctx, b.runs, content, against, commands)
}

// tableOfMany is table for what takes some seconds: so short a time is a matter
// of chance, and more runs of it cost little.
func (b *bench) tableOfMany(ctx context.Context, content int64, against string, commands []measure.Command) (figures, error) {
	runs := 3 * b.runs
	b.heading("Medians of %d.", runs)
	return b.tableOf(ctx, runs, content, against, commands)
}

func (b *bench) tableOf(ctx context.Context, runs int, content int64, against string, commands []measure.Command) (figures, error) {
	results, err := measure.Run(ctx, commands, runs, func(run int, name string) {
		fmt.Fprintf(b.log, "run %d of %d: %s\n", run, runs, name)
	})
	if err != nil {
		return nil, err
	}
	got := make(figures)
	for i, r := range results {
		got[r.Name] = r.Cost
		if commands[i].Once && runs > 1 {
			results[i].Name += " †"
		}
	}
	fmt.Fprintln(b.out)
	return got, measure.Table(b.out, results, content, against)
}

// heading prints a heading and what there is to say below it.
func (b *bench) heading(format string, args ...any) { fmt.Fprintf(b.out, "\n"+format+"\n", args...) }

// once has a command run in the first round alone.
func once(c measure.Command) measure.Command {
	c.Once = true
	return c
}

// keep leaves what a command makes, for those behind it.
func keep(c measure.Command) measure.Command {
	c.Keep = true
	return c
}

func xzName(threads int) string { return fmt.Sprintf("xz -9 -T%d", threads) }

// xz packs as the servers always have.
func (b *bench) xz(threads int, in, out string) measure.Command {
	return measure.Command{
		Name: xzName(threads), Stdout: b.path(out),
		Args: []string{"xz", "-9", "-T" + strconv.Itoa(threads), "--block-size=16777216", "-c", b.path(in)},
	}
}

func (b *bench) xzUnpack(threads int, in, out string) measure.Command {
	c := measure.Command{Name: fmt.Sprintf("xz -dc -T%d", threads), Args: []string{"xz", "-dc", "-T" + strconv.Itoa(threads), b.path(in)}}
	if out != "" {
		c.Name += " > file"
		c.Stdout = b.path(out)
	}
	return c
}

// way is a way to pack with tplkit.
type way struct {
	level string
	proof bool
	jobs  int
}

func (w way) name() string {
	name := fmt.Sprintf("tplkit %s -j%d", w.level, w.jobs)
	if !w.proof {
		name += ", no proof"
	}
	return name
}

// pack packs with tplkit as xz does it: no digests, nothing forced to disk.
func (b *bench) pack(w way, in, out string) measure.Command {
	args := []string{b.tplkit, "bench-step", "-j", strconv.Itoa(w.jobs), "--level", w.level, "pack", b.path(in), b.path(out)}
	if !w.proof {
		args = append(args, "--no-proof")
	}
	return measure.Command{Name: w.name(), Made: b.path(out), Args: args}
}

func (b *bench) discardName(jobs int) string { return fmt.Sprintf("tplkit -j%d", jobs) }

func (b *bench) discard(jobs int, in string) measure.Command {
	return measure.Command{Name: b.discardName(jobs), Args: []string{b.tplkit, "bench-step", "-j", strconv.Itoa(jobs), "discard", b.path(in)}}
}

func (b *bench) command(name string, args ...string) measure.Command {
	return measure.Command{Name: name, Dir: b.dir, Args: slices.Concat([]string{b.tplkit}, args, []string{"-q", "-j", strconv.Itoa(b.jobs)})}
}

// shell is a command line that is run where the inputs are.
func (b *bench) shell(name, line string) measure.Command {
	return measure.Command{Name: name, Dir: b.dir, Args: []string{"/bin/sh", "-c", line}}
}
