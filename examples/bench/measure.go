//go:build linux

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// command is one line of a table: a shell command that is run in the directory
// of the images. Out is the file it makes, "" for none.
type command struct {
	name string
	line string
	out  string
}

type cost struct {
	wall, cpu time.Duration
	memory    int64 // peak resident set of the largest process, bytes
	size      int64 // of the file made
}

type bench struct {
	config
	out, log io.Writer
	tplkit   string
	targets  []target
}

// measure runs all commands in turn, as often as wanted, and gives the medians.
// In turn, so that whatever slows the machine down for a while falls on all.
func (b *bench) measure(ctx context.Context, commands []command) (map[string]cost, error) {
	costs := make(map[string][]cost)
	for i := range b.runs {
		for _, c := range commands {
			fmt.Fprintf(b.log, "run %d of %d: %s\n", i+1, b.runs, c.name)
			got, err := b.once(ctx, c)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.line, err)
			}
			costs[c.name] = append(costs[c.name], got)
		}
	}
	medians := make(map[string]cost)
	for name, all := range costs {
		medians[name] = cost{
			wall:   median(all, func(c cost) time.Duration { return c.wall }),
			cpu:    median(all, func(c cost) time.Duration { return c.cpu }),
			memory: median(all, func(c cost) int64 { return c.memory }),
			size:   median(all, func(c cost) int64 { return c.size }),
		}
	}
	return medians, nil
}

func (b *bench) once(ctx context.Context, c command) (cost, error) {
	if c.out != "" {
		if err := os.RemoveAll(b.path(c.out)); err != nil {
			return cost{}, err
		}
	}
	// What the command before has left to be written is not this one's business.
	syscall.Sync()
	// The shell's children are waited for by it, so the kernel adds them to its
	// account; of their memory it keeps the largest. This process is counted
	// with them up to the exec, and stays small for that reason.
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", c.line)
	cmd.Dir = b.dir
	cmd.Env = append(os.Environ(), "TPLKIT="+b.tplkit, fmt.Sprintf("JOBS=%d", b.jobs))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	got := cost{wall: time.Since(begin)}
	if err != nil {
		return got, fmt.Errorf("%w\n%s", err, out)
	}
	got.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		got.memory = usage.Maxrss << 10
	}
	if c.out != "" {
		st, err := os.Stat(b.path(c.out))
		if err != nil {
			return got, err
		}
		got.size = st.Size()
	}
	return got, nil
}

func median[T cmp.Ordered](all []cost, of func(cost) T) T {
	values := make([]T, 0, len(all))
	for _, c := range all {
		values = append(values, of(c))
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
