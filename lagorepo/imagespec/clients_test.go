package imagespec_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

// Which lines continue others is virt-customize's to say. It names the first
// command that it does not know before it looks for a disk; so in place of a
// property it is given a command, and must find it exactly where Parse finds
// the property.
func TestVirtCustomizeReadsTheSameLines(t *testing.T) {
	program, err := exec.LookPath("virt-customize")
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatal("virt-customize is required: install the Debian package guestfs-tools")
		}
		t.Skip("virt-customize is not installed (Debian package guestfs-tools)")
	}
	for name, before := range map[string]string{
		"nothing":                      "",
		"a comment":                    "# a\n",
		"a command":                    "write /x:a\n",
		"a command that is continued":  "write /x:a\\\n",
		"two backslashes":              "write /x:a\\\\\n",
		"a backslash and a blank":      "write /x:a\\ \n",
		"a command with an empty line": "write /x:a\\\n\n",
		"a command of several lines":   "write /x:a\\\n#b\\\n\\\n",
		"their end":                    "write /x:a\\\n#b\\\n\\\nc\n",
		"a continued comment":          "# a\\\n",
		"the end of one":               "# a\\\nb\n",
		"an empty line":                "\n",
		"a line with a CR":             "write /x:a\rb\n",
	} {
		t.Run(name, func(t *testing.T) {
			spec := parse(t, "a", before+"#probe=1\n")
			file := filepath.Join(t.TempDir(), "a")
			require.NoError(t, os.WriteFile(file, []byte(before+"probe\n"), 0o644))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, program, "--commands-from-file", file)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, "%s", out)
			if _, found := spec.Get("probe"); found {
				require.Contains(t, string(out), "probe")
			} else {
				require.NotContains(t, string(out), "probe")
			}
		})
	}
	_, err = imagespec.Parse("a", []byte("#a=b\\\nprobe\n"))
	require.Error(t, err, "the command would be a part of the comment")
}
