package imagespec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tplkit/tplkit/templates"
)

// debianPackages tells what to install for a tool.
var debianPackages = map[string]string{
	"virt-builder":     "guestfs-tools",
	"virt-customize":   "guestfs-tools",
	"virt-filesystems": "guestfs-tools",
	"virt-inspector":   "guestfs-tools",
	"virt-sparsify":    "guestfs-tools",
	"virt-sysprep":     "guestfs-tools",
	"guestfish":        "libguestfs-tools",
	"qemu-img":         "qemu-utils",
}

// MissingToolError says that a tool is not there.
type MissingToolError struct {
	Tool string
	Err  error
}

func (e *MissingToolError) Error() string {
	hint := "install it"
	if p := debianPackages[e.Tool]; p != "" {
		hint = "install the package that has it (on Debian " + p + ")"
	}
	return fmt.Sprintf("%s: %v: %s", e.Tool, e.Err, hint)
}

// Unwrap returns Err.
func (e *MissingToolError) Unwrap() error { return e.Err }

const (
	// versionTimeout is far above what a tool needs to say its version, also on
	// a machine that has to read it from a slow disk.
	versionTimeout = time.Minute

	// maxVersionText is how much a tool may say when it is asked for its
	// version, in bytes.
	maxVersionText = 64 << 10
)

// askVersion runs a tool with --version.
func askVersion(ctx context.Context, r Runner, t Tool) (string, error) {
	out, log := &cappedBuffer{limit: maxVersionText}, &tail{}
	err := r.Run(ctx, Command{
		Tool: t, Args: []string{"--version"}, Env: []string{"LC_ALL=C"},
		Stdout: out, Log: log, Timeout: versionTimeout,
	})
	if err != nil && ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	if err != nil {
		return "", fmt.Errorf("%s is at %s, but does not tell its version: install it again: %w%s", t.Name, t.Path, err, indented(log.text()))
	}
	version, err := parseVersion(out.String())
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", t.Path, err)
	}
	return version, nil
}

// parseVersion takes the version out of "virt-builder 1.48.2" or "qemu-img
// version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)": the first word of the first
// line that begins with a digit.
func parseVersion(text string) (string, error) {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	for _, word := range strings.Fields(line) {
		if word[0] >= '0' && word[0] <= '9' {
			return strings.TrimRight(harmless(word), ",;"), nil
		}
	}
	return "", fmt.Errorf("expected a version, as in \"NAME 1.2.3\", found %s", templates.Quote(line))
}

// indented sets a text off below a message.
func indented(text string) string {
	if text == "" {
		return ""
	}
	return "\n\t" + strings.ReplaceAll(text, "\n", "\n\t")
}

// cappedBuffer holds what is written to it and fails beyond limit bytes.
type cappedBuffer struct {
	bytes.Buffer
	limit int
}

var errTooMuch = errors.New("more output than expected")

func (b *cappedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		return 0, fmt.Errorf("%w: %d bytes are the limit", errTooMuch, b.limit)
	}
	return b.Buffer.Write(p)
}
