package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shell finds a shell, or skips the test.
func shell(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if requireClients() {
			t.Fatalf("%s is required; install the Debian package %s", name, name)
		}
		t.Skipf("%s is not installed (Debian package %s)", name, name)
	}
	return path
}

func completionScript(t *testing.T, sh string) string {
	t.Helper()
	code, out, errs := runs(t, "completion", sh)
	require.Equal(t, exitOK, code, errs)
	require.Empty(t, errs)
	file := filepath.Join(t.TempDir(), "completion")
	require.NoError(t, os.WriteFile(file, []byte(out), 0o644))
	return file
}

func TestBashCompletion(t *testing.T) {
	bash := shell(t, "bash")
	script := completionScript(t, "bash")
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "el8 base.img"), nil, 0o644))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "el9"), 0o755))

	for _, tc := range []struct {
		name  string
		words []string // the last one is being completed
		want  []string
	}{
		{"commands", []string{"tplkit", "ver"}, []string{"verify-hashes", "version"}},
		{"all commands", []string{"tplkit", ""}, []string{"acl", "bench", "build", "completion", "index", "normalize", "pack", "recover", "serve", "unpack", "verify-hashes", "version", "xz-list"}},
		{"flags of a command", []string{"tplkit", "pack", "--b"}, []string{"--block-size"}},
		{"flags of every command", []string{"tplkit", "unpack", "--qu"}, []string{"--quiet"}},
		{"flags before the command", []string{"tplkit", "--js"}, []string{"--json"}},
		{"a command behind a flag", []string{"tplkit", "-q", "unp"}, []string{"unpack"}},
		{"words of a flag", []string{"tplkit", "pack", "--level", "f"}, []string{"fast"}},
		{"words after =", []string{"tplkit", "pack", "--level", "=", "b"}, []string{"balanced", "best"}},
		{"words after a bare =", []string{"tplkit", "pack", "--level", "="}, []string{"balanced", "best", "fast"}},
		{"no words for a number", []string{"tplkit", "pack", "-j", ""}, nil},
		{"files", []string{"tplkit", "pack", "el"}, []string{"el8 base.img", "el9"}},
		{"directories", []string{"tplkit", "pack", "-o", "el"}, []string{"el9"}},
		{"words of an argument", []string{"tplkit", "completion", "z"}, []string{"zsh"}},
		{"commands of a group", []string{"tplkit", "acl", "expl"}, []string{"explain"}},
		{"commands of a group behind a flag", []string{"tplkit", "acl", "-q", "d"}, []string{"diff"}},
		{"flags of a group's command", []string{"tplkit", "-q", "acl", "explain", "--c"}, []string{"--config"}},
		{"no flags of its neighbours", []string{"tplkit", "acl", "diff", "--c"}, nil},
		{"flags of a group", []string{"tplkit", "acl", "--c"}, []string{"--config"}},
		{"files for a group's command", []string{"tplkit", "acl", "diff", "el"}, []string{"el8 base.img", "el9"}},
		{"a group's command by itself is none", []string{"tplkit", "explain", "a"}, []string{"acl"}},
		{"nothing to say", []string{"tplkit", "version", ""}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := exec.Command(bash, "--norc", "-c", `
				source "$1"; shift
				COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
				_tplkit
				for r in "${COMPREPLY[@]}"; do printf '%s\n' "$r"; done`, "bash", script)
			cmd.Args = append(cmd.Args, tc.words...)
			cmd.Dir = dir
			out, err := cmd.Output()
			require.NoError(t, err)
			var got []string
			if len(out) > 0 {
				got = strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			}
			sort.Strings(got)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestZshCompletionParses(t *testing.T) {
	out, err := exec.Command(shell(t, "zsh"), "-n", completionScript(t, "zsh")).CombinedOutput()
	require.NoError(t, err, string(out))
}

func TestFishCompletionParses(t *testing.T) {
	out, err := exec.Command(shell(t, "fish"), "-n", completionScript(t, "fish")).CombinedOutput()
	require.NoError(t, err, string(out))
}

// sampleSets has a flag and argument of every kind.
func sampleSets() []wordSet {
	quiet := word{Long: "quiet", Short: "q", Help: "Say [nothing]: none; really."}
	return []wordSet{
		{Flags: []word{quiet}},
		{Command: "pack", Help: "Don't wait.", Arg: word{Value: true, Kind: completeFile, Many: true}, Flags: []word{
			{Long: "output", Short: "o", Value: true, Kind: completeDir, Help: "Where"},
			{Long: "level", Value: true, Values: []string{"fast", "best"}, Help: "How"},
			{Long: "name", Value: true, Many: true, Help: "Who"},
			{Long: "names-from", Value: true, Kind: completeFile, Help: "Which"},
			quiet,
		}},
		{Command: "sh", Arg: word{Value: true, Values: []string{"a", "b"}}},
		{Command: "acl", Arg: word{Values: []string{"diff", "show"}}, Sub: []wordSet{{Command: "diff"}, {Command: "show"}}},
	}
}

func TestCompletionScripts(t *testing.T) {
	for _, tc := range []struct {
		shell string
		write func(w io.Writer, sets []wordSet) error
		want  []string
	}{
		{"zsh", zshCompletion, []string{
			"#compdef tplkit\n",
			`'(--quiet -q)--quiet[Say \[nothing\]\: none]' '(--quiet -q)-q[Say \[nothing\]\: none]'`,
			`'pack:Don'\''t wait'`,
			`'(--output -o)--output=[Where]:output:_files -/' '(--output -o)-o[Where]:output:_files -/'`,
			`'--level=[How]:level:(fast best)'`,
			`'*--name=[Who]:name: '`,
			`'--names-from=[Which]:names-from:_files'`,
			`'*:argument:_files' ;;`,
			`'*:argument:(a b)' ;;`,
			"'1:command:(diff show)' \\\n                '*:argument:_files' ;;",
		}},
		{"fish", fishCompletion, []string{
			"complete -c tplkit -n 'not __fish_seen_subcommand_from pack sh acl' -a pack -d 'Don\\'t wait'\n",
			"complete -c tplkit -n 'not __fish_seen_subcommand_from pack sh acl' -l quiet -s q -d 'Say [nothing]: none'\n",
			"complete -c tplkit -n '__fish_seen_subcommand_from pack' -l output -s o -r -a \"(__fish_complete_directories)\" -d 'Where'\n",
			"complete -c tplkit -n '__fish_seen_subcommand_from pack' -l level -r -a 'fast best' -d 'How'\n",
			"complete -c tplkit -n '__fish_seen_subcommand_from pack' -l name -r -d 'Who'\n",
			"complete -c tplkit -n '__fish_seen_subcommand_from pack' -F\n",
			"complete -c tplkit -n '__fish_seen_subcommand_from sh' -a 'a b'\n",
			"complete -c tplkit -n '__fish_seen_subcommand_from diff show' -F\n",
		}},
	} {
		t.Run(tc.shell, func(t *testing.T) {
			var out strings.Builder
			require.NoError(t, tc.write(&out, sampleSets()))
			for _, want := range tc.want {
				require.Contains(t, out.String(), want)
			}
		})
	}
	require.ErrorIs(t, bashCompletion(failingWriter{}, sampleSets()), io.ErrClosedPipe)
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
