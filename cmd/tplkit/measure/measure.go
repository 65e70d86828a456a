// Package measure runs programs and tells what they cost: time on the clock,
// processor time and peak memory of the whole process, as the kernel counts
// them. It serves "tplkit bench" and examples/bench, so that both count alike.
package measure

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// Command is a program to run.
type Command struct {
	Name   string   // for people; names its figures
	Args   []string // the program and its arguments
	Dir    string   // where it runs; "" = here
	Stdout string   // file for its standard output; "" = the null device
	Made   string   // file that it makes, removed before each run; "" = none. Stdout counts as made
	Keep   bool     // leave what the last run made
	Once   bool     // run it in the first round alone
}

// made is the file that the command makes.
func (c *Command) made() string { return cmp.Or(c.Made, c.Stdout) }

// settle sees to it that nothing is left to be written to disk, which would be
// at the cost of the next command: what was made is written now, or is gone. To
// have everything written that waits for it could take minutes on a busy machine.
func (c *Command) settle(last bool) error {
	made := c.made()
	if made == "" {
		return nil
	}
	if !c.Keep || !last {
		return os.Remove(made)
	}
	f, err := os.OpenFile(made, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Cost is what running a program cost.
type Cost struct {
	Wall   time.Duration // time on the clock
	CPU    time.Duration // processor time of all threads, user and system
	Memory int64         // bytes; peak resident set of the largest process; 0 where the system does not tell
	Size   int64         // bytes of the file that was made
}

// Result is the median of each cost of a command.
type Result struct {
	Name string
	Cost
}

// Run runs all commands in turn, runs times, and gives the medians in the order
// of the commands. In turn, so that whatever slows the machine down for a while
// falls on all. tell, which may be nil, hears of each run before it begins.
//
// When ctx is done the program that runs is killed. Its error names the program
// and has what it wrote to its standard error.
func Run(ctx context.Context, commands []Command, runs int, tell func(run int, name string)) ([]Result, error) {
	costs := make([][]Cost, len(commands))
	for run := range runs {
		for i, c := range commands {
			if c.Once && run > 0 {
				continue
			}
			if tell != nil {
				tell(run+1, c.Name)
			}
			cost, err := once(ctx, c)
			last := c.Once || run == runs-1
			if err == nil {
				err = c.settle(last)
			}
			if err != nil {
				_ = c.settle(false)
				return nil, err
			}
			costs[i] = append(costs[i], cost)
		}
	}
	results := make([]Result, len(commands))
	for i, all := range costs {
		results[i] = Result{commands[i].Name, Cost{
			Wall:   median(all, func(c Cost) time.Duration { return c.Wall }),
			CPU:    median(all, func(c Cost) time.Duration { return c.CPU }),
			Memory: median(all, func(c Cost) int64 { return c.Memory }),
			Size:   median(all, func(c Cost) int64 { return c.Size }),
		}}
	}
	return results, nil
}

func once(ctx context.Context, c Command) (Cost, error) {
	if ctx.Err() != nil {
		return Cost{}, context.Cause(ctx)
	}
	if made := c.made(); made != "" {
		if err := os.RemoveAll(made); err != nil {
			return Cost{}, err
		}
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Dir = c.Dir
	cmd.WaitDelay = 5 * time.Second
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if c.Stdout != "" {
		f, err := os.Create(c.Stdout)
		if err != nil {
			return Cost{}, err
		}
		defer f.Close()
		cmd.Stdout = f
	}
	begin := time.Now()
	err := cmd.Run()
	cost := Cost{Wall: time.Since(begin)}
	if ctx.Err() != nil {
		return Cost{}, context.Cause(ctx)
	}
	if err != nil {
		return Cost{}, fmt.Errorf("%s: %w: %.1000s", strings.Join(c.Args, " "), err, strings.TrimSpace(complaint.String()))
	}
	// A child is counted with its parent's memory up to its exec: the caller
	// must stay small.
	cost.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	cost.Memory = peakMemory(cmd.ProcessState)
	if made := c.made(); made != "" {
		st, err := os.Stat(made)
		if err != nil {
			return Cost{}, err
		}
		cost.Size = st.Size()
	}
	return cost, nil
}

func median[T cmp.Ordered](all []Cost, of func(Cost) T) T {
	values := make([]T, 0, len(all))
	for _, c := range all {
		values = append(values, of(c))
	}
	slices.Sort(values)
	return values[(len(values)-1)/2]
}
