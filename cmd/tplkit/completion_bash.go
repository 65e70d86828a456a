package main

import (
	"io"
	"strings"
)

// bashCompletion writes a completion function that needs nothing but bash
// itself (not the bash-completion package).
func bashCompletion(w io.Writer, sets []wordSet) error {
	p := &printer{w: w}
	p.printf("# bash completion for tplkit\n_tplkit() {\n")
	p.printf("    local cur=${COMP_WORDS[COMP_CWORD]} prev= cmd= i words= kind=\n")
	p.printf("    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}\n")
	// bash makes "=" a word of its own: --level = fast.
	p.printf("    if [[ $cur == = ]]; then cur=\n")
	p.printf("    elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n")
	p.printf("    for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"$cmd ${COMP_WORDS[i]}\" in\n")
	p.printf("        %s) cmd=${cmd:+$cmd }${COMP_WORDS[i]} ;;\n        esac\n    done\n", bashCommands(sets))
	p.printf("    case $cmd:$prev in\n")
	for _, set := range flattened(sets) {
		for _, f := range set.Flags {
			if f.Value {
				p.printf("    %s) %s ;;\n", bashPattern(set.Command, f), bashValue(f))
			}
		}
	}
	p.printf("    *)\n        case $cmd in\n")
	for _, set := range flattened(sets) {
		p.printf("        %s)\n            if [[ $cur == -* ]]; then words=%s\n", shellQuote(set.Command), shellQuote(strings.Join(spellings(set.Flags), " ")))
		if set.Command == "" {
			p.printf("            else words=%s; fi ;;\n", shellQuote(strings.Join(commandNames(sets), " ")))
			continue
		}
		p.printf("            else %s; fi ;;\n", bashValue(set.Arg))
	}
	p.printf("        esac ;;\n    esac\n")
	p.printf("    COMPREPLY=()\n    case $kind in\n")
	p.printf("    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n")
	p.printf("    dir) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n")
	p.printf("    *) mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\") ;;\n    esac\n}\n")
	p.printf("complete -F _tplkit tplkit\n")
	return p.err
}

// bashCommands matches a command behind what is known of it: nothing or its
// group.
func bashCommands(sets []wordSet) string {
	var alts []string
	for _, set := range flattened(sets[1:]) {
		name := set.Command
		if !strings.Contains(name, " ") {
			name = " " + name
		}
		alts = append(alts, shellQuote(name))
	}
	return strings.Join(alts, "|")
}

// bashPattern matches "COMMAND:FLAG" in any spelling of the flag.
func bashPattern(command string, f word) string {
	var alts []string
	for _, s := range f.dashed() {
		alts = append(alts, shellQuote(command+":"+s))
	}
	return strings.Join(alts, "|")
}

func bashValue(v word) string {
	switch {
	case v.Kind != "":
		return "kind=" + v.Kind
	case len(v.Values) > 0:
		return "words=" + shellQuote(strings.Join(v.Values, " "))
	}
	return "words="
}

func commandNames(sets []wordSet) []string {
	var out []string
	for _, s := range sets {
		if s.Command != "" {
			out = append(out, s.Command)
		}
	}
	return out
}

func spellings(flags []word) []string {
	var out []string
	for _, f := range flags {
		out = append(out, f.dashed()...)
	}
	return out
}
