package imagespec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogTail(t *testing.T) {
	numbered := func(from, to int) string {
		var lines []string
		for i := from; i < to; i++ {
			lines = append(lines, fmt.Sprintf("line %d", i))
		}
		return strings.Join(lines, "\n")
	}
	long := strings.Repeat("0123456789", 1000)
	tests := map[string]struct{ log, want string }{
		"nothing":               {"", ""},
		"only newlines":         {"\n\r\n\n", ""},
		"one line":              {"a\n", "a"},
		"no newline at the end": {"a\nb", "a\nb"},
		"the last lines":        {numbered(0, 100) + "\n", numbered(80, 100)},
		"empty lines":           {"a\n\n  \n\nb\n", "a\nb"},
		"a progress bar":        {"\r 10%\r 50%\r100%\r\ndone\n", "100%\ndone"},
		"carriage returns":      {"a\r\nb\r\n", "a\nb"},
		"control characters":    {"\x1b[31mred\x1b[0m\a\tx\x00\n", "?[31mred?[0m? x?"},
		"another direction":     {"a\u202eb\u2028c\n", "a?b?c"},
		"no UTF-8":              {"a\xffb\n", "a?b"},
		"other alphabets":       {"zażółć … 漢字\n", "zażółć … 漢字"},
		"long lines":            {"x\n" + long + "\n" + "end\n", "end"},
		"one long line":         {long, "…" + long[len(long)-tailBytes+3:]},
		"an early long line":    {long + "\n" + numbered(0, 3), numbered(0, 3)},
		"many bytes":            {strings.Repeat(strings.Repeat("é", 500)+"\n", 9), strings.TrimSuffix(strings.Repeat(strings.Repeat("é", 500)+"\n", 4), "\n")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for _, step := range []int{1, 7, 1 << 20} {
				l, err := openLog(filepath.Join(t.TempDir(), "log"))
				require.NoError(t, err)
				for rest := tt.log; rest != ""; {
					n, err := l.Write([]byte(rest[:min(step, len(rest))]))
					require.NoError(t, err)
					rest = rest[n:]
				}
				require.Equal(t, tt.want, l.Tail())
				require.LessOrEqual(t, len(l.Tail()), tailBytes)
				require.NoError(t, l.Close())
				require.Equal(t, tt.want, l.Tail(), "also when it is closed")
				text, err := os.ReadFile(l.path)
				require.NoError(t, err)
				require.Equal(t, tt.log, string(text), "the file has it as it was said")
			}
		})
	}
}

func TestLogHasALimit(t *testing.T) {
	l, err := openLog(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	part := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range maxLog/len(part) + 2 {
		n, err := l.Write(part)
		require.NoError(t, err)
		require.Len(t, part, n)
	}
	_, err = l.Write([]byte("the end\n"))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	require.Equal(t, "the end", l.Tail())
	fi, err := os.Stat(l.path)
	require.NoError(t, err)
	require.InDelta(t, maxLog, fi.Size(), 100)
	text, err := os.ReadFile(l.path)
	require.NoError(t, err)
	require.Contains(t, string(text[maxLog:]), "the log ends here")
}

func TestLogIsForSeveralAtOnce(t *testing.T) {
	l, err := openLog(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				_, _ = l.Write([]byte("0123456789\n"))
				_ = l.Tail()
			}
		})
	}
	all.Wait()
	require.NoError(t, l.Close())
	text, err := os.ReadFile(l.path)
	require.NoError(t, err)
	require.Equal(t, strings.Repeat("0123456789\n", 4000), string(text))
}

func TestLogFailures(t *testing.T) {
	_, err := openLog(filepath.Join(t.TempDir(), "missing", "log"))
	require.ErrorIs(t, err, os.ErrNotExist)
	l, err := openLog(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = l.Write([]byte("x"))
	require.ErrorIs(t, err, os.ErrClosed)
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{
		"virt-builder 1.48.2\n": "1.48.2",
		"qemu-img version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c) 2003-2022\n": "7.2.22",
		"\nxz (XZ Utils) 5.4.1\nliblzma 5.4.1\n":                                            "5.4.1",
		"tool 2.0rc1, of 2020":                                                              "2.0rc1",
		"1.2.3\x1b[2J":                                                                      "1.2.3?[2J",
	} {
		got, err := parseVersion(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "\n", "usage: tool", "tool v1"} {
		_, err := parseVersion(text)
		require.ErrorContains(t, err, "expected a version", text)
	}
}
