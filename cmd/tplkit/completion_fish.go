package main

import (
	"io"
	"strings"
)

// fishCompletion writes one complete line for each command and flag.
func fishCompletion(w io.Writer, sets []wordSet) error {
	p := &printer{w: w}
	p.printf("# fish completion for tplkit\ncomplete -c tplkit -f\n")
	all := strings.Join(commandNames(sets), " ")
	for _, set := range sets[1:] {
		p.printf("complete -c tplkit -n %s -a %s -d %s\n",
			fishQuote("not __fish_seen_subcommand_from "+all), set.Command, fishQuote(firstSentence(set.Help)))
	}
	for _, set := range sets {
		when := "__fish_seen_subcommand_from " + set.Command
		if set.Command == "" {
			when = "not __fish_seen_subcommand_from " + all
		}
		for _, f := range set.Flags {
			p.printf("complete -c tplkit -n %s -l %s", fishQuote(when), f.Long)
			if f.Short != "" {
				p.printf(" -s %s", f.Short)
			}
			p.printf("%s -d %s\n", fishValue(f), fishQuote(firstSentence(f.Help)))
		}
		if set.Command != "" && (set.Arg.Kind != "" || len(set.Arg.Values) > 0) {
			p.printf("complete -c tplkit -n %s%s\n", fishQuote(when), strings.TrimPrefix(fishValue(set.Arg), " -r"))
		}
		if len(set.Sub) > 0 {
			p.printf("complete -c tplkit -n %s -F\n", fishQuote("__fish_seen_subcommand_from "+strings.Join(set.Arg.Values, " ")))
		}
	}
	return p.err
}

// fishValue says what follows a flag: nothing, a word of a list, a file.
func fishValue(v word) string {
	switch {
	case !v.Value:
		return ""
	case v.Kind == completeFile:
		return " -r -F"
	case v.Kind == completeDir:
		return ` -r -a "(__fish_complete_directories)"`
	case len(v.Values) > 0:
		return " -r -a " + fishQuote(strings.Join(v.Values, " "))
	}
	return " -r"
}

// fishQuote makes s one word of fish, which knows other escapes than the other
// shells.
func fishQuote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
