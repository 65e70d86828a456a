package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/alecthomas/kong"

	"github.com/tplkit/tplkit/templates"
)

// Run is the whole program: it reads args (without the program's name), does
// what they say, writes to stdout and stderr and returns the exit status.
// Cancelling ctx ends the command at once with 130.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	s := &session{stdout: stdout, stderr: stderr}
	err := s.run(ctx, args)
	code := exitCode(ctx, err)
	if err == nil && s.stopped {
		code = exitOK // for a server the signal is the order to end
	}
	if code == exitInterrupted {
		err = interruption(ctx, err)
	}
	if err != nil && s.JSON && !s.documented {
		err = errors.Join(err, s.document(failureDocument(s.command, err)))
	}
	if err != nil {
		s.complain(err)
	}
	return code
}

// session is what a command works with besides its own flags: where it writes
// and how much.
type session struct {
	globals
	stdout, stderr io.Writer
	command        string // as in "tplkit COMMAND --help"; empty until parsed
	documented     bool   // the JSON document has been written
	stopped        bool   // the command has ended as it should, because it was told to
}

// failureDocument is the JSON document of a command that ended before it had
// anything to report, in the command's own shape.
func failureDocument(command string, err error) any {
	switch command {
	case "", "version", "completion", "bench-step", "serve", "acl", "acl export", "acl import":
		return map[string]string{"error": err.Error()}
	case "verify-hashes":
		return newVerifyDocument(nil, err)
	case "xz-list":
		return newXZListDocument(nil, err)
	case "acl explain":
		return explainDocument{Rules: []explainRule{}, Error: err.Error()}
	case "acl diff":
		return newACLDiffDocument(nil, err)
	case "bench":
		return newBenchFailure(err)
	}
	return newReportDocument(&templates.Report{}, err)
}

func (s *session) run(ctx context.Context, args []string) error {
	var c cli
	exited := false
	var helpErr error
	parser, err := newParser(&c, func(int) { exited = true }, kong.Writers(s.stdout, s.stderr),
		kong.Help(func(opt kong.HelpOptions, kctx *kong.Context) error {
			helpErr = printHelp(opt, kctx)
			return nil
		}))
	if err != nil {
		return err
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	kctx, err := parser.Parse(args)
	if exited {
		return helpErr
	}
	if err != nil {
		s.JSON = jsonAsked(args)
		var pe *kong.ParseError
		if errors.As(err, &pe) && pe.Context.Selected() != nil {
			s.command = commandName(pe.Context.Selected())
		}
		return &usageError{err.Error()}
	}
	s.globals = c.globals
	s.command = commandName(kctx.Selected())
	kctx.BindTo(ctx, (*context.Context)(nil))
	return kctx.Run(s, parser.Model)
}

// commandName is what stands between "tplkit" and the arguments: "pack",
// "acl diff".
func commandName(n *kong.Node) string {
	name := n.Name
	for n = n.Parent; n != nil && n.Parent != nil; n = n.Parent {
		name = n.Name + " " + name
	}
	return name
}

// jsonAsked looks for --json where the command line as a whole is not
// understood.
func jsonAsked(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json")
}

// document writes the one JSON document of a command.
func (s *session) document(v any) error {
	s.documented = true
	enc := json.NewEncoder(s.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// complain tells on standard error what went wrong and what to do about it.
func (s *session) complain(err error) {
	fmt.Fprintf(s.stderr, "tplkit: %v\n", err)
	if hint := hintFor(err, s.command); hint != "" {
		fmt.Fprintf(s.stderr, "hint: %s\n", hint)
	}
}

// note tells on standard error what is no fault but worth knowing.
func (s *session) note(format string, args ...any) {
	if !s.Quiet {
		fmt.Fprintf(s.stderr, "note: "+format+"\n", args...)
	}
}

// interruption makes sure that an interrupted command says so, whatever the
// step it was in made of it.
func interruption(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return cause
}
