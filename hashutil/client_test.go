package hashutil_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/hashutil"
)

// awkward are file names that a file system takes and a line of text does not,
// or only just.
var awkward = []string{
	"disk.img", "my disk.img", " leading", "trailing ", " ", "*star", "#hash", `back\slash`, "two\nlines",
	"(a) = (b)", "tab\tbed", "ümlaut", "-", "--tag", "SHA1 (x) = y",
}

// sha1sum is the client that reads and writes the GNU and BSD forms.
func sha1sum(t *testing.T, dir string, args ...string) []byte {
	t.Helper()
	tool, err := exec.LookPath("sha1sum")
	if err != nil {
		if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
			t.Fatal("sha1sum is not there: install the Debian package coreutils")
		}
		t.Skip("sha1sum is not there: install the Debian package coreutils")
	}
	cmd := exec.CommandContext(t.Context(), tool, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return out
}

func writeAwkward(t *testing.T) (dir string, entries []hashutil.Entry) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range awkward {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
		if name == "-" {
			name = "./-" // alone it would be standard input
		}
		entries = append(entries, hashutil.Entry{Algorithm: hashutil.SHA1, Hex: sha1Of(filepath.Base(name)), Name: name})
	}
	return dir, entries
}

func TestSha1sumTakesWhatIsWritten(t *testing.T) {
	for name, kind := range map[string]hashutil.Kind{"gnu": hashutil.GNU, "bsd": hashutil.BSDTag} {
		t.Run(name, func(t *testing.T) {
			dir, entries := writeAwkward(t)
			list := filepath.Join(t.TempDir(), "sums")
			require.NoError(t, os.WriteFile(list, hashutil.FormatSums(kind, entries), 0o600))
			sha1sum(t, dir, "--check", "--strict", "--quiet", list)
		})
	}
}

func TestWhatSha1sumWritesIsRead(t *testing.T) {
	for _, mode := range []string{"--text", "--binary", "--tag"} {
		t.Run(mode, func(t *testing.T) {
			dir, entries := writeAwkward(t)
			args := []string{mode, "--"}
			if mode == "--tag" {
				args = []string{"--binary", "--tag", "--"}
			}
			// A name of blanks alone cannot be told from blanks after a
			// bare digest unless it is escaped, as FormatSums has it.
			entries = slices.DeleteFunc(entries, func(e hashutil.Entry) bool { return e.Name == " " })
			for _, e := range entries {
				args = append(args, e.Name)
			}
			read, err := hashutil.ParseSums(sha1sum(t, dir, args...), hashutil.SHA1)
			require.NoError(t, err)
			require.Len(t, read, len(entries))
			for i, e := range entries {
				require.Equal(t, e.Name, read[i].Name)
				require.Equal(t, e.Hex, read[i].Hex)
			}
		})
	}
}
