package main

import (
	"io"
	"strings"
)

// zshCompletion writes a function for zsh's own completion system.
func zshCompletion(w io.Writer, sets []wordSet) error {
	p := &printer{w: w}
	p.printf("#compdef tplkit\n_tplkit() {\n")
	p.printf("    local context state state_descr line\n    typeset -A opt_args\n")
	p.printf("    _arguments -C \\\n")
	for _, f := range sets[0].Flags {
		p.printf("        %s \\\n", zshFlag(f))
	}
	p.printf("        '1: :->command' '*:: :->argument'\n")
	p.printf("    case $state in\n    command)\n        local -a commands=(\n")
	for _, set := range sets[1:] {
		p.printf("            %s\n", shellQuote(set.Command+":"+firstSentence(set.Help)))
	}
	p.printf("        )\n        _describe -t commands command commands ;;\n")
	p.printf("    argument)\n        case $words[1] in\n")
	for _, set := range sets[1:] {
		p.printf("        %s)\n            _arguments -s \\\n", set.Command)
		for _, f := range set.Flags {
			p.printf("                %s \\\n", zshFlag(f))
		}
		if len(set.Sub) > 0 {
			p.printf("                %s \\\n", shellQuote("1:command:"+zshAction(set.Arg)))
			set.Arg = word{Kind: completeFile}
		}
		p.printf("                %s ;;\n", shellQuote("*:argument:"+zshAction(set.Arg)))
	}
	p.printf("        esac ;;\n    esac\n}\n")
	// Both ways of loading work: autoloaded from fpath, and sourced.
	p.printf("if [[ $funcstack[1] == _tplkit ]]; then _tplkit \"$@\"; else compdef _tplkit tplkit; fi\n")
	return p.err
}

// zshFlag is the _arguments spec of a flag, one word for each spelling.
func zshFlag(f word) string {
	var out []string
	for _, s := range f.dashed() {
		spec := s
		if f.Many {
			spec = "*" + spec
		} else if f.Short != "" {
			spec = "(" + strings.Join(f.dashed(), " ") + ")" + spec
		}
		if f.Value && strings.HasPrefix(s, "--") {
			spec += "="
		}
		spec += "[" + zshText(firstSentence(f.Help)) + "]"
		if f.Value {
			spec += ":" + f.Long + ":" + zshAction(f)
		}
		out = append(out, shellQuote(spec))
	}
	return strings.Join(out, " ")
}

func zshAction(v word) string {
	switch {
	case v.Kind == completeFile:
		return "_files"
	case v.Kind == completeDir:
		return "_files -/"
	case len(v.Values) > 0:
		return "(" + strings.Join(v.Values, " ") + ")"
	}
	return " "
}

// zshText escapes what ends the description in a spec.
func zshText(s string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(s)
}
