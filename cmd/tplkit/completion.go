package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"The shell: bash, zsh or fish."`
}

func (completionCmd) Help() string {
	return `Commands, flags, the values of flags that take one of a few words, and file names are completed.

Examples:

    source <(tplkit completion bash)                                        # this shell only
    tplkit completion bash > /etc/bash_completion.d/tplkit
    tplkit completion zsh > "${fpath[1]}/_tplkit"
    tplkit completion fish > ~/.config/fish/completions/tplkit.fish`
}

// Run prints the script for the shell.
func (c completionCmd) Run(s *session, app *kong.Application) error {
	write := map[string]func(io.Writer, []wordSet) error{
		"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion,
	}[c.Shell]
	if s.JSON {
		return usagef("completion prints a script for a shell, which has no JSON form; leave --json away")
	}
	return write(s.stdout, wordSets(app))
}

// The kinds of value a flag or argument takes, as the completers need to know
// them. The tag complete:"…" in a command says which; "" is free text.
const (
	completeFile = "file"
	completeDir  = "dir"
)

// wordSet is what can follow one command.
type wordSet struct {
	Command string // "" for the program itself
	Help    string
	Flags   []word
	Arg     word // all positional arguments of a command are of one kind
	// Sub are the commands of a group. Its Flags are those of all of them, its Arg
	// is their names.
	Sub []wordSet
}

// word is a flag or an argument.
type word struct {
	Long   string // without dashes; empty for an argument
	Short  string // without dash; may be empty
	Help   string
	Value  bool // takes a value
	Many   bool // may be given more than once
	Values []string
	Kind   string // completeFile, completeDir or ""
}

// wordSets reads the model of the command line: the program first, then its
// commands.
func wordSets(app *kong.Application) []wordSet {
	root := wordSet{Help: app.Help, Flags: words(app.Node)}
	if app.HelpFlag != nil && len(root.Flags) == 0 {
		root.Flags = []word{flagWord(app.HelpFlag)}
	}
	sets := []wordSet{root}
	for _, cmd := range app.Children {
		if !cmd.Hidden {
			sets = append(sets, commandSet(cmd, root.Flags))
		}
	}
	return sets
}

// commandSet reads the model of a command or group. The flags of every command
// are common.
func commandSet(n *kong.Node, common []word) wordSet {
	set := wordSet{Command: n.Name, Help: n.Help, Flags: words(n)}
	if len(n.Positional) > 0 {
		set.Arg = valueWord(n.Positional[0])
	}
	for _, child := range n.Children {
		if child.Hidden {
			continue
		}
		sub := commandSet(child, common)
		set.Sub = append(set.Sub, sub)
		set.Arg.Values = append(set.Arg.Values, sub.Command)
		for _, f := range words(child) {
			if !slices.ContainsFunc(set.Flags, func(g word) bool { return g.Long == f.Long }) {
				set.Flags = append(set.Flags, f)
			}
		}
	}
	set.Flags = append(set.Flags, common...)
	return set
}

// flattened puts the commands of groups behind their groups, named "GROUP
// COMMAND".
func flattened(sets []wordSet) []wordSet {
	var out []wordSet
	for _, set := range sets {
		out = append(out, set)
		for _, sub := range set.Sub {
			sub.Command = set.Command + " " + sub.Command
			out = append(out, sub)
		}
	}
	return out
}

func words(n *kong.Node) []word {
	var out []word
	for _, f := range n.Flags {
		if !f.Hidden {
			out = append(out, flagWord(f))
		}
	}
	return out
}

func flagWord(f *kong.Flag) word {
	w := valueWord(f.Value)
	w.Long, w.Value = f.Name, !f.IsBool()
	if f.Short != 0 {
		w.Short = string(f.Short)
	}
	return w
}

func valueWord(v *kong.Value) word {
	w := word{Help: v.Help, Value: true, Many: v.IsCumulative(), Kind: v.Tag.Get("complete")}
	if v.Enum != "" {
		for _, val := range v.EnumSlice() {
			if val != "" {
				w.Values = append(w.Values, val)
			}
		}
	}
	return w
}

// dashed gives the spellings of a flag.
func (w word) dashed() []string {
	out := []string{"--" + w.Long}
	if w.Short != "" {
		out = append(out, "-"+w.Short)
	}
	return out
}

// shellQuote makes s one word of any of the three shells.
func shellQuote(s string) string {
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// firstSentence keeps descriptions to one line of a menu.
func firstSentence(help string) string {
	if i := strings.IndexAny(help, ".;\n"); i > 0 {
		return help[:i]
	}
	return help
}

// printer collects the first write error, so that the generators read as text.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}
