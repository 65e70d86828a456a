package imagespec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Tool is an external program that was found.
type Tool struct {
	Name    string // as it was asked for: "virt-builder"
	Path    string // absolute
	Version string // as it tells itself, "1.48.2"; never empty
}

// Command is one run of a tool.
type Command struct {
	Tool Tool
	Args []string // without the name of the tool
	Dir  string   // the working directory; empty: that of the process

	// Env are NAME=VALUE pairs that go before those of the runner's own
	// environment; the last of one name counts.
	Env []string
	// Defaults are NAME=VALUE pairs for names that neither Env nor the runner's
	// own environment sets.
	Defaults []string

	Stdout  io.Writer     // standard output; nil: goes where Log goes
	Log     io.Writer     // standard error, and standard output unless Stdout is set; nil: discarded
	Timeout time.Duration // 0: none
}

// Runner finds and runs external tools. Everything in this package that starts
// a program does so through one, so that a caller can put its own sandbox in
// between; [Exec] is the plain one. Its methods are called from several
// goroutines at once.
type Runner interface {
	// Find looks for a tool by its name and asks for its version. The error
	// tells what to install.
	Find(ctx context.Context, name string) (Tool, error)

	// Run runs a command to its end. Standard input is empty. When Run returns,
	// nothing that was started is still running and the writers are no longer
	// written to. The error is a [*ToolError] when the tool could not be
	// started, failed, was killed or ran into the time limit, and
	// [context.Cause] when ctx is done.
	Run(ctx context.Context, c Command) error
}

// ErrTimeout is wrapped by the [ToolError] of a tool that ran into its time
// limit.
var ErrTimeout = errors.New("time limit")

// ToolError says which command failed, and how.
type ToolError struct {
	Tool     string // its name, or path
	Args     []string
	ExitCode int           // -1 where the tool did not exit by itself
	Timeout  time.Duration // the limit it ran into; 0: it did not
	Err      error
}

// Error quotes the command so that it can be pasted into a shell.
func (e *ToolError) Error() string {
	what := e.Err.Error()
	if e.Timeout > 0 {
		what = fmt.Sprintf("ended after %v, its %v: raise the limit if it only needs longer", e.Timeout, e.Err)
	}
	return shellLine(append([]string{e.Tool}, e.Args...)) + ": " + what
}

// Unwrap returns Err.
func (e *ToolError) Unwrap() error { return e.Err }

// shellLine writes words as one would type them in a POSIX shell.
func shellLine(words []string) string {
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(shellWord(w))
	}
	return b.String()
}

// bareInShell are the characters besides letters and digits that mean nothing to
// a shell wherever they stand.
const bareInShell = "-_./:=,+@%"

// shellWord quotes a word if it has to be. Control characters would reach the
// terminal of whoever reads the message: a word with one is written in the
// $'…' form, which POSIX has since 2024 and bash, ksh and zsh for long.
func shellWord(w string) string {
	special, control := w == "", false
	for _, r := range w {
		switch {
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == '\ufffd' || r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			control = true
		case r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune(bareInShell, r):
		default:
			special = true
		}
	}
	switch {
	case control:
		return "$'" + escapeBytes(w) + "'"
	case special:
		return "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return w
}

// escapeBytes writes all that is not plain ASCII as octal escapes, which unlike
// \x end after three digits.
func escapeBytes(w string) string {
	var b strings.Builder
	for _, c := range []byte(w) {
		switch {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
