package bash_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg/internal/bash"
)

// recorder notes every command called "show", one line for each argument: "value" where it is known, else "value?why".
type recorder struct {
	shown    []string
	assigned []string
}

func (r *recorder) Assign(name string, v bash.Value, _ int) {
	r.assigned = append(r.assigned, name+"="+v.Text)
}

func (r *recorder) Command(c bash.Command) bool {
	if c.Args[0].Text != "show" {
		return false
	}
	for _, a := range c.Args[1:] {
		text := a.Text
		if !a.Known {
			text += "?"
		}
		r.shown = append(r.shown, text)
	}
	if c.Stdout != nil {
		r.shown = append(r.shown, ">"+c.Stdout.Text)
	}
	return true
}

func shown(t *testing.T, script string) string {
	t.Helper()
	prog, err := bash.Parse([]byte(script))
	require.NoError(t, err)
	r := &recorder{}
	used, err := prog.Run(map[string]string{"SET": "set", "EMPTY": ""}, r, bash.MaxSteps)
	require.NoError(t, err)
	require.LessOrEqual(t, used, bash.MaxSteps)
	return strings.Join(r.shown, "|")
}

func TestRun(t *testing.T) {
	tests := map[string]struct{ script, want string }{
		"words":                     {`show a 'b c' "d e" f\ g "" h"i"'j'`, "a|b c|d e|f g||hij"},
		"escapes":                   {`show \$a "\$b \a \"" '\c' "x\` + "\n" + `y" z\`, `$a|$b \a "|\c|xy|z\`},
		"dollars":                   {`show $ "a$" $'x y' $"z" a$'b\n'`, `$|a$|x y|z|a$(…)?`},
		"UTF-8":                     {`show é "ö"`, "é|ö"},
		"variables":                 {`a=1 b=x$a; show $a ${a} "$a$b" $ab ${b}c`, "1|1|1x1|${ab}?|x1c"},
		"assignment for a command":  {`a=1; a=2 true; show $a`, "1"},
		"splitting":                 {`a=" x  y "; show $a "$a" z$a`, "x|y| x  y |z x  y "},
		"an empty word vanishes":    {`show $EMPTY a "$EMPTY"`, "a|"},
		"defaults":                  {`show ${N:-d} ${N-d} ${EMPTY:-d} "${EMPTY-d}" ${SET:-d} "${N:-"q r"}"`, "d|d|d||set|q r"},
		"alternatives":              {`show "${N:+d}" "${EMPTY:+d}" ${EMPTY+d} ${SET:+d}`, "||d|d"},
		"required":                  {`show ${SET:?no} ${N:?no}`, "set|${N}?"},
		"set by default":            {`show ${N:=d} $N ${EMPTY:=e} $EMPTY ${SET=x} $SET`, "d|d|e|e|set|set"},
		"unknown with a default":    {`a=$(x); show ${a:-d} ${a:+d}`, "$(…)?|$(…)?"},
		"nested defaults":           {`show ${N:-${M:-$SET}/x}`, "set/x"},
		"trimming":                  {`a=x/y/z.tar.gz; show ${a##*/} ${a#*/} ${a%%.*} ${a%.*} ${a%?} ${a%q} ${a#"*/"}`, "z.tar.gz|y/z.tar.gz|x/y/z|x/y/z.tar|x/y/z.tar.g|x/y/z.tar.gz|x/y/z.tar.gz"},
		"trimming what is unknown":  {`show ${N%/} ${SET%$N}`, "${N%…}?|${SET%…}?"},
		"left to the shell":         {`show ${#SET} ${SET/s/t} ${SET:1} ${SET^^} ${!SET} ${SET[1]} $((1+1)) $(a) ` + "`b`", "${…}?|${SET…}?|${SET…}?|${SET…}?|${…}?|${SET…}?|$(…)?|$(…)?|$(…)?"},
		"special parameters":        {`show $1 $? $# "$@" $$`, "${1}?|${?}?|${#}?|${@}?|${$}?"},
		"appending":                 {`a=x; a+=y; b+=z; show $a $b`, "xy|z"},
		"arrays":                    {"a=(x\n y); b[1]=z; a+=(q); show $a $b", "${a}?|${b}?"},
		"redirections":              {`show a >out 2>err </dev/null; show b >>"$SET"; show c 2>&1 >&2; show d &>e; show <<<x`, "a|>out|b|>set|c|d|>e"},
		"here-documents":            {"show a <<X b <<-'Y Z'\nshow no\nX\n\tshow no\n\tY Z\nshow c", "a|b|c"},
		"comments":                  {"show a # b\n# c\nshow d#e 'f#g' # h\\\nshow i", "a|d#e|f#g|i"},
		"separators":                {"show a; show b & show c\n\nshow d;", "a|b|c|d"},
		"and":                       {`true && show a; false && show b; x && show c`, "a|c"},
		"or":                        {`true || show a; false || show b; x || show c`, "b|c"},
		"and, or":                   {`false && show a || show b; x && true || show c; x && false || show d`, "b|c|d"},
		"what a maybe sets":         {`a=1; x && a=2; show $a; b=1; x && b=1; show $b`, "${a}?|1"},
		"exit after or":             {`a=1; x || exit 1; show $a; x && { a=2; exit; }; show $a`, "1|1"},
		"pipelines":                 {`a=1; show p | show q; x | a=2; show $a; ! false && show n; ! true || show m`, "p|q|1|n|m"},
		"time":                      {`time show a`, "a"},
		"if":                        {`if true; then show a; else show b; fi; if false; then show c; elif true; then show d; else show e; fi`, "a|d"},
		"if unknown":                {`if x; then show a; b=1; else show c; b=1; d=2; fi; show $b $d`, "a|c|1|${d}?"},
		"if leaves":                 {`a=1; if x; then a=2; exit; elif y; then a=3; exit; fi; show $a`, "1"},
		"all leave":                 {`if x; then exit; else return; fi; show a`, ""},
		"an if's status":            {`if x; then true; else true; fi && show a; if true; then false; fi && show b`, "a"},
		"case":                      {`case $SET in a) show a;; s?t|b) show b;; *) show c;; esac; case x in "*") show d;; [!a-w]) show e; esac`, "b|e"},
		"case unknown":              {`case $N in a) show a; v=1;; b) show b; v=1;; esac; show $v`, "a|b|${v}?"},
		"case falls":                {"case a in a) show a;& b) show b;; esac; case a in a) show c;;& *) show d;; esac", "a|c|d"},
		"case classes":              {`case '[' in [) show a;; esac; case ']' in [^x]) show b;; esac`, "a|b"},
		"test":                      {`[[ a == a ]] && show a; [[ a != a ]] || show b; [[ ab == a* ]] && show c; [[ ab == "a*" ]] || show d; [[ ab = a? ]] && show e`, "a|b|c|d|e"},
		"test =~":                   {`[[ xaby =~ a.y?$ ]] || show a; [[ xab =~ (ab|cd)$ ]] && show b; [[ 'a.b' =~ "." ]] && show c; [[ axb =~ 'a.b' ]] || show d`, "b|c|d"},
		"test unary":                {`[[ -n $SET ]] && show a; [[ -z $SET ]] || show b; [[ -z "" ]] && show c; [[ $SET ]] && show d; [[ -n x$N ]] && show e; [[ -n ${N}x ]] && show f`, "a|b|c|d|e|f"},
		"test asks the system":      {`[[ -f /x ]] && show a; [[ -f /x ]] || show b; [[ 1 -lt 2 ]] && show c; [[ a < b ]] || show d`, "a|b|c|d"},
		"test logic":                {`[[ a == a && ! ( b == c || d == e ) ]] && show a; [[ -f x && a == b ]] || show b; [[ -f x || a == a ]] && show c; [[ -f x && a == a ]] && show d`, "a|b|c|d"},
		"test unknown pattern":      {`[[ a == $N ]] && show a; [[ a =~ a{1} ]] && show b; [[ a =~ [ ]] && show c`, "a|b|c"},
		"brackets":                  {`[ a = a ] && show a; [ ! a == b ] && show b; test a != a || show c; [ -n "$SET" ] && show d; [ "$N" = x ] && show e; [ $SET ] && show f; [ a = a -a b = b ] && show g`, "a|b|c|d|e|f|g"},
		"functions":                 {`f() { show $1 "$2" "$@"; }; f a "b c"; function g { show $#; }; g; function h() (show h); h`, "a|b c|a|b c|${#}?|h"},
		"function arguments":        {`f() { shift; show $1 $2; a="$*"; show "$a"; shift; shift; show $1; }; f x y z`, "y|z|y z|${1}?"},
		"locals":                    {`a=1; b=1; f() { local a=2 c d=3; declare e=4; b=2; show $a "$c"; }; f; show $a $b $d $e`, "2|${c}?|1|2|${d}?|${e}?"},
		"early return":              {`f() { if x; then a=1; return; fi; a=2; }; f; show $a; g() { if x; then b=1; return; fi; b=1; }; g; show $b`, "${a}?|1"},
		"return or exit":            {`f() { if x; then a=1; return; fi; exit 1; }; f; show $a`, "1"},
		"a function that exits":     {`f() { exit; }; f; show a`, ""},
		"a status from a function":  {`f() { true; }; f && show a; f || show b; g() { return 1; }; g && show c`, "a|c"},
		"a subshell":                {`a=1; (a=2; show $a; exit); show $a; f() ( a=3; return ); f; show $a`, "2|1|1"},
		"a group":                   {`a=1; { a=2; show $a; } > out; show $a`, "2|2"},
		"for":                       {`for a in x "y z" $SET; do show "$a"; done; show $a`, "x|y z|set|set"},
		"for with break":            {`for a in 1 2 3; do show $a; break; done; for a in 1 2; do continue; show no; done`, "1"},
		"for with a maybe break":    {`for a in 1 2; do b=$a; if x; then break; fi; c=1; done; show $a $b $c`, "${a}?|${b}?|${c}?"},
		"for unknown":               {`for a in $(x); do show $a; b=1; done; show $a $b; for c; do show $c; done; select d in a; do show $d; done`, "${a}?|${a}?|${b}?|${c}?|${d}?"},
		"for arithmetic":            {`for ((i=0; i<(3); i++)); do show $i; done`, "${i}?"},
		"for exits":                 {`for a in 1 2; do exit; done; show a`, ""},
		"while":                     {`a=1; while x; do show $a; a=$b; b=2; done; show $a; until x; do break; done`, "${a}?|${a}?"},
		"while true":                {`while true; do if x; then a=1; break; fi; exit 1; done; show $a`, "${a}?"},
		"arithmetic":                {`((a=1+(2))); show $a`, "${a}?"},
		"builtins that set":         {`read -r a b; printf -v c %s x; mapfile d; getopts ab e; show $a $b $c $d $e; printf f; show ${f:-no}`, "${a}?|${b}?|${c}?|${d}?|${e}?|no"},
		"unset, export, readonly":   {`a=1; unset a; export b=2 c; readonly -x d=3; typeset e; show $a $b $c $d`, "${a}?|2|${c}?|3"},
		"prefixes":                  {`sudo show a; command show b; exec show c; exec {fd}< x; sudo`, "a|b|c"},
		"an unknown command":        {`$(x) show a; $N show b; show c`, "c"},
		"process substitution":      {`show <(a; (b)) x >(c) y`, "$(…)?|x|$(…)?|y"},
		"extended patterns":         {`case ab in +(a|b)) show a;; esac; [[ a == !(b) ]] && show b`, "a|b"},
		"continued":                 {"sh\\\now a \\\n  b", "a|b"},
		"negations":                 {`! ! true && show a; [[ ! ! a == a ]] && show b`, "a|b"},
		"functions on other lines":  {"f()\n{\n  show a\n}\nf", "a"},
		"operators at line ends":    {"true &&\n# why\nshow a ||\n\nshow b |\nshow c", "a|b|c"},
		"reserved words as words":   {"show if then fi done { }", "if|then|fi|done|{|}"},
		"a function in a condition": {`f() { show in; false; }; if f; then show a; else show b; fi`, "in|b"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, shown(t, test.script))
		})
	}
}

func TestRunLimits(t *testing.T) {
	long := strings.Repeat("x", 5000)
	require.Equal(t, "…?", shown(t, "show "+long))
	require.Equal(t, "…?", shown(t, "a="+long[:3000]+"; show $a$a"))
	require.Equal(t, "", shown(t, "show "+strings.Repeat("a ", 2000)), "no command has so many words")

	var many strings.Builder
	for i := range 2000 {
		many.WriteString("a" + strings.Repeat("b", i%40) + strings.Repeat("c", i/40) + "=1\n")
	}
	prog, err := bash.Parse([]byte(many.String()))
	require.NoError(t, err)
	_, err = prog.Run(nil, &recorder{}, bash.MaxSteps)
	var limit *bash.Error
	require.ErrorAs(t, err, &limit)
	require.Equal(t, 1025, limit.Line)

	prog, err = bash.Parse([]byte("a=1\nb=2\n"))
	require.NoError(t, err)
	_, err = prog.Run(nil, &recorder{}, 1)
	require.ErrorContains(t, err, "too involved")
}

func TestRunTellsAssignments(t *testing.T) {
	prog, err := bash.Parse([]byte("a=1; export b=$a; for c in x; do :; done; while read d; do e=1; done"))
	require.NoError(t, err)
	r := &recorder{}
	_, err = prog.Run(nil, r, bash.MaxSteps)
	require.NoError(t, err)
	require.Equal(t, []string{"a=1", "b=1", "c=x", "d=${d}", "e=1"}, r.assigned)
}

func TestWitnesses(t *testing.T) {
	tests := map[string]struct {
		script string
		want   []string
	}{
		"none":              {`echo a`, nil},
		"a prefix":          {`[[ $TARGET =~ rhel8.* ]]`, []string{"rhel8"}},
		"alternatives":      {`[[ $TARGET =~ (okd|ocp)-.* ]]`, []string{"okd-", "ocp-"}},
		"a class":           {`[[ $TARGET =~ ^rhel[678]$ ]]`, []string{"rhel6", "rhel7", "rhel8"}},
		"a wide class":      {`[[ $TARGET =~ rhel[0-9a-z]+x?. ]]`, []string{"rhel0x"}},
		"quoted":            {`[[ $TARGET =~ "a.b" ]]`, []string{"a.b"}},
		"globs":             {`[[ $T == win* ]]; [[ $T != "x*" ]]; [[ $T = a?c ]]`, []string{"win", "x*", "axc"}},
		"brackets":          {`[ "$T" = a ]; test "$T" != b; [ -n "$T" ]`, []string{"a", "b"}},
		"case":              {`case $T in a|b*) ;; c) ;; *) ;; esac`, []string{"a", "b", "c", ""}},
		"each once":         {`[[ $T =~ a ]]; [[ $T =~ a.* ]]`, []string{"a"}},
		"unknown":           {`[[ $T =~ $X ]]; [[ $T == ${Y:-d} ]]; [[ $T =~ ${Z:=e} ]]`, []string{"d", "e"}},
		"counted":           {`[[ $T =~ a{3} ]]`, nil},
		"wrong":             {`[[ $T =~ [ ]]`, nil},
		"of a substitution": {`x=$([[ $T == a ]]); [[ $T == b ]]`, []string{"b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			prog, err := bash.Parse([]byte(test.script))
			require.NoError(t, err)
			require.Equal(t, test.want, prog.Witnesses(64))
		})
	}
	prog, err := bash.Parse([]byte(`case $T in a|b|c) ;; esac`))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, prog.Witnesses(2))
}

func TestShown(t *testing.T) {
	c := bash.Command{Args: []bash.Value{{Text: "curl"}, {Text: strings.Repeat("é", 100)}}}
	require.Equal(t, "curl "+strings.Repeat("é", 27)+"…", c.Shown())
}

func TestError(t *testing.T) {
	require.Equal(t, "line 3: why", (&bash.Error{Line: 3, Reason: "why"}).Error())
	require.Equal(t, "why", (&bash.Error{Reason: "why"}).Error())
}
