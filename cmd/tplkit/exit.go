package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// The exit statuses scripts rely on.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitFault       = 3
	exitInterrupted = 130
)

// exitTable is the one place that explains them; --help prints it.
var exitTable = []struct {
	Code    int
	Meaning string
}{
	{exitOK, "done"},
	{exitFailed, "something failed; the report says what, and the rest was still done"},
	{exitUsage, "wrong use: nothing was done"},
	{exitFault, "a verification found a fault, or what was compared differs"},
	{exitInterrupted, "interrupted by SIGINT or SIGTERM"},
}

func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit status:\n")
	for _, e := range exitTable {
		fmt.Fprintf(&b, "  %-5d %s\n", e.Code, e.Meaning)
	}
	return b.String()
}

// usageError is wrong use that only the command itself can see.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// outcome is the error of a command whose report has been printed: it carries
// the exit status and one closing line.
type outcome struct {
	code int
	msg  string
}

func (o *outcome) Error() string { return o.msg }

// exitCode maps the outcome of a command to its exit status. An interrupted run
// is never a success, even where the signal came after the last step.
func exitCode(ctx context.Context, err error) int {
	var use *usageError
	var out *outcome
	switch {
	case ctx.Err() != nil || errors.Is(err, context.Canceled):
		return exitInterrupted
	case err == nil:
		return exitOK
	case errors.As(err, &use):
		return exitUsage
	case errors.As(err, &out):
		return out.code
	}
	return exitFailed
}
