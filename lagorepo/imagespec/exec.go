package imagespec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Exec is the [Runner] that starts tools as they are, never through a shell.
// The zero value is ready.
//
// Each tool leads a process group of its own. When it has to end, by its context
// or its time limit, the group gets SIGTERM, and what is left of it after Grace
// SIGKILL; so does what a tool leaves behind when it exits. On Linux a tool also
// gets SIGTERM when this process dies. Where there are no process groups only
// the tool itself is ended.
type Exec struct {
	Env   []string      // NAME=VALUE; nil: the process's own
	Grace time.Duration // between SIGTERM and SIGKILL; 0: 5 seconds
}

// defaultGrace is enough for the tools of libguestfs to end their appliance.
const defaultGrace = 5 * time.Second

var _ Runner = Exec{}

// Find looks for the tool in the PATH of Env, and runs it with --version.
func (e Exec) Find(ctx context.Context, name string) (Tool, error) {
	if ctx.Err() != nil {
		return Tool{}, context.Cause(ctx)
	}
	path, err := e.lookPath(name)
	if err != nil {
		return Tool{}, &MissingToolError{Tool: name, Err: err}
	}
	tool := Tool{Name: name, Path: path}
	if tool.Version, err = askVersion(ctx, e, tool); err != nil {
		return Tool{}, err
	}
	return tool, nil
}

// lookPath finds the absolute path of a program. Relative directories in PATH
// are no place for a tool: another working directory would make another tool of
// it.
func (e Exec) lookPath(name string) (string, error) {
	if e.Env == nil || filepath.Base(name) != name {
		path, err := exec.LookPath(name)
		if err != nil {
			return "", err
		}
		return filepath.Abs(path)
	}
	list := ""
	for _, pair := range e.Env {
		if v, ok := strings.CutPrefix(pair, "PATH="); ok {
			list = v
		}
	}
	for _, dir := range filepath.SplitList(list) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", exec.ErrNotFound
}

// Run runs a tool as [Runner] has it.
func (e Exec) Run(ctx context.Context, c Command) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fail := func(code int, err error) error {
		return &ToolError{Tool: c.Tool.Name, Args: c.Args, ExitCode: code, Err: err}
	}
	if !filepath.IsAbs(c.Tool.Path) {
		return fail(-1, fmt.Errorf("expected the absolute path of the tool, found %q: ask Find for it", c.Tool.Path))
	}
	run, end := context.WithCancelCause(ctx)
	defer end(nil)
	if c.Timeout > 0 {
		limit := time.AfterFunc(c.Timeout, func() { end(ErrTimeout) })
		defer limit.Stop()
	}
	cmd := exec.CommandContext(run, c.Tool.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, e.environ(c)
	out, log := newOutput(c.Stdout, end), newOutput(c.Log, end)
	if log != nil {
		cmd.Stderr, cmd.Stdout = log, log
	}
	if out != nil {
		cmd.Stdout = out
	}
	err := runGroup(cmd, e.grace())
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case out.failed() != nil || log.failed() != nil:
		return fail(-1, fmt.Errorf("ended because what it prints could not be kept: %w", errors.Join(out.failed(), log.failed())))
	case err != nil && errors.Is(context.Cause(run), ErrTimeout):
		return &ToolError{Tool: c.Tool.Name, Args: c.Args, ExitCode: -1, Timeout: c.Timeout, Err: ErrTimeout}
	case cmd.ProcessState == nil:
		return fail(-1, fmt.Errorf("could not be started: %w", err))
	case cmd.ProcessState.Success():
		return nil // whatever became of what it left behind
	case cmd.ProcessState.ExitCode() < 0:
		return fail(-1, fmt.Errorf("%w: it was ended from outside: see whether memory ran out", err))
	}
	return fail(cmd.ProcessState.ExitCode(), err)
}

// runGroup runs cmd in a process group of its own and ends all of the group.
func runGroup(cmd *exec.Cmd, grace time.Duration) error {
	// Linux tells the child about the death of the thread that started it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	group := leadGroup(cmd, grace)
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return err
	}
	err := cmd.Wait()
	group.end()
	return err
}

func (e Exec) grace() time.Duration {
	if e.Grace <= 0 {
		return defaultGrace
	}
	return e.Grace
}

// environ is the whole environment of a command; the last value of a name
// counts.
func (e Exec) environ(c Command) []string {
	own := (&exec.Cmd{Env: e.Env}).Environ() // the process's own where Env is nil
	if c.Dir != "" {
		own = append(own, "PWD="+c.Dir)
	}
	env := append(own, c.Env...)
	set := make(map[string]bool, len(env))
	for _, pair := range env {
		name, _, _ := strings.Cut(pair, "=")
		set[name] = true
	}
	for _, pair := range c.Defaults {
		if name, _, _ := strings.Cut(pair, "="); !set[name] {
			env = append(env, pair)
		}
	}
	return env
}

// output hands on what a tool prints. The first failure ends the tool, and what
// it prints after that is dropped, so that it can end in peace.
type output struct {
	w   io.Writer
	end func(error)
	err error
}

func newOutput(w io.Writer, end func(error)) *output {
	if w == nil {
		return nil
	}
	return &output{w: w, end: end}
}

func (o *output) Write(p []byte) (int, error) {
	if o.err == nil {
		n, err := o.w.Write(p)
		if err == nil && n < len(p) {
			err = io.ErrShortWrite
		}
		if err != nil {
			o.err = err
			o.end(err)
		}
	}
	return len(p), nil
}

// failed is what went wrong in writing; a missing output never fails. It is
// asked for when the tool has ended.
func (o *output) failed() error {
	if o == nil {
		return nil
	}
	return o.err
}
