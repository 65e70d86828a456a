package kubevirtimg_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/kubevirtimg"
)

// lines writes names as "LINE DIR=IMAGE TARGET,…", an asterisk for a directory that is the target.
func lines(s *kubevirtimg.ScriptNames) []string {
	var out []string
	for _, n := range s.Names {
		text := fmt.Sprintf("%d %s", n.Line, n.Name())
		if n.ByTarget {
			text += "*"
		}
		if n.Targets != nil {
			text += " " + strings.Join(n.Targets, ",")
		}
		out = append(out, text)
	}
	return out
}

func TestNamesFromScriptFixtures(t *testing.T) {
	want := map[string]struct{ names, unread []string }{
		"kubevirt-2018.sh": {names: []string{"36 windows2016=win01.img"}},
		"kubevirt-2021.sh": {names: []string{
			"51 rhel7=rhel7.img os-,okd-,ocp-",
			"60 windows2012_syspreped=windows2012_syspreped.img windows_sysprep",
			"64 windows2016=win01.img windows",
		}},
		"common-templates-2019.sh": {names: []string{
			"50 rhel=rhel6.qcow2 rhel6", "54 rhel=rhel7.img rhel7", "58 rhel=rhel8.qcow2 rhel8",
			"70 windows2016=win_16.img windows2016",
		}},
		"common-templates-2020.sh": {
			names: []string{
				"35 rhel6=rhel6.qcow2* rhel6", "39 rhel7=rhel7.img* rhel7", "43 rhel8=rhel8.qcow2* rhel8",
				"53 windows2012=win_12.qcow2* windows2012", "57 windows2016=win_16.img* windows2016",
				"61 windows2019=win_19_2.qcow2* windows2019", "65 windows10=win_10.qcow2* windows10",
			},
			unread: []string{"not the server"},
		},
		"directory-for-each-target.sh": {names: []string{
			"9 rhel7=rhel7.img rhel7,centos7", "9 rhel8=rhel8.qcow2 rhel8", "9 windows10=win_10.qcow2 windows10",
		}},
	}
	files, err := filepath.Glob("testdata/scripts/*.sh")
	require.NoError(t, err)
	require.Len(t, files, len(want), "every fixture has its expectation")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			got, err := kubevirtimg.NamesFromScript(data)
			require.NoError(t, err)
			require.Equal(t, want[filepath.Base(file)].names, lines(got))
			require.Len(t, got.Unread, len(want[filepath.Base(file)].unread))
			for i, reason := range want[filepath.Base(file)].unread {
				require.Contains(t, got.Unread[i].Reason, reason)
			}

			// Saved by a Windows editor it says the same.
			crlf, err := kubevirtimg.NamesFromScript([]byte(strings.ReplaceAll(string(data), "\n", "\r\n")))
			require.NoError(t, err)
			require.Equal(t, got, crlf)
		})
	}
}

const cacheDir = "/var/lib/stdci/shared/kubevirt-images"

func TestNamesFromScript(t *testing.T) {
	const server = "S=https://templates.example.org/kubevirt\n"
	tests := map[string]struct {
		script string
		want   []string
	}{
		"nothing": {"", nil},
		"a URL under a target and nothing else": {
			`if [[ $TARGET =~ rhel8.* ]]; then rhel_image_url="${TEMPLATES_SERVER}/rhel8.qcow2"; fi`,
			[]string{"1 rhel8=rhel8.qcow2* rhel8"},
		},
		"a pair of variables": {
			"export WINDOWS_NFS_DIR=${WINDOWS_NFS_DIR:-" + cacheDir + "/windows2016}\n" +
				"win_image_url=\"${TEMPLATES_SERVER}/win01.img\"\nwin_image=\"$WINDOWS_NFS_DIR/disk.img\"",
			[]string{"2 windows2016=win01.img"},
		},
		"a pair in the other order": {
			server + "a=" + cacheDir + "\nwin_image=\nwin_image=$a/one/disk.img\nwin_image_url=\nwin_image_url=$S/1.img",
			[]string{"6 one=1.img"},
		},
		"pairs for each target": {
			server + "if [[ $TARGET =~ one ]]; then x_image=/c/1/disk.img; x_image_url=$S/1.img\n" +
				"elif [[ $TARGET =~ two ]]; then x_image=/c/2/disk.img; x_image_url=$S/2.img; fi",
			[]string{"2 1=1.img one", "3 2=2.img two"},
		},
		"a pair with a choice": {
			server + "x_image=/c/d/disk.img\nif test -f /x; then x_image_url=$S/a.img; else x_image_url=$S/b.img; fi",
			[]string{"3 d=a.img", "3 d=b.img"},
		},
		"a download is worth more than a pair": {
			server + "x_image=/c/pair/disk.img\nx_image_url=$S/x.img\nsafe_download lock $x_image_url /c/real/disk.img",
			[]string{"3 real=x.img"},
		},
		"safe_download": {server + `safe_download "$LOCK" "$S/a.img" /c/a/disk.img 60 || exit 1`, []string{"2 a=a.img"}},
		"if ! safe_download": {
			server + `if ! safe_download "$LOCK" "$S/a.img" /c/a/disk.img; then exit 1; fi`, []string{"2 a=a.img"},
		},
		"curl -o":             {server + `curl -fL -o /c/a/disk.img $S/a.img`, []string{"2 a=a.img"}},
		"curl -Lo, retries":   {server + `curl --retry 5 -H "X: $S/no.img" -Lo /c/a/disk.img $S/a.img`, []string{"2 a=a.img"}},
		"curl -oFILE":         {server + `curl $S/a.img -o/c/a/disk.img`, []string{"2 a=a.img"}},
		"curl --output":       {server + `curl "$S/a.img" --output "/c/a/disk.img"`, []string{"2 a=a.img"}},
		"curl --output=":      {server + `curl --output=/c/a/disk.img "$S/a.img"`, []string{"2 a=a.img"}},
		"curl >":              {server + `sudo curl -s $S/a.img > /c/a/disk.img`, []string{"2 a=a.img"}},
		"curl -m":             {server + `curl -m 30 $S/a.img 2>/dev/null >/c/a/disk.img`, []string{"2 a=a.img"}},
		"wget -O":             {server + `wget -q $S/a.img -O /c/a/disk.img`, []string{"2 a=a.img"}},
		"wget -qO":            {server + `/usr/bin/wget -qO /c/a/disk.img $S/a.img`, []string{"2 a=a.img"}},
		"gsutil cp":           {"TEMPLATES_SERVER=gs://bucket\n" + `gsutil -m cp $TEMPLATES_SERVER/a.img /c/a/disk.img`, []string{"2 a=a.img"}},
		"continued line":      {server + "curl \\\n  $S/a.img \\\n  -o /c/a/disk.img", []string{"3 a=a.img"}},
		"a slash too many":    {server + `D=/c/a/; curl $S/a.img -o $D/disk.img`, []string{"2 a=a.img"}},
		"relative directory":  {server + `curl $S/a.img -o rhel8/disk.img`, []string{"2 rhel8=a.img"}},
		"two slashes":         {"S=https://x/kubevirt/\n" + `curl $S//a.img -o /c/a/disk.img`, []string{"2 a=a.img"}},
		"slash taken away":    {"S=https://x/kubevirt/\n" + `curl ${S%/}/a.img -o /c/a/disk.img`, []string{"2 a=a.img"}},
		"unknown parents":     {`curl $SERVER/a.img -o "$CACHE/a/disk.img"`, []string{"1 a=a.img"}},
		"single quotes":       {`curl 'https://x/kubevirt/a.img' -o '/c/a/disk.img'`, []string{"1 a=a.img"}},
		"a target in the URL": {server + `[[ $TARGET == rhel8 ]] && curl "$S/$TARGET.qcow2" -o "/c/$TARGET/disk.img"`, []string{"2 rhel8=rhel8.qcow2 rhel8"}},
		"case": {
			server + "case \"$TARGET\" in\n  rhel[67]*) u=$S/old.img ;;\n  (rhel8|centos8) u=$S/new.img ;;\nesac\nsafe_download l $u /c/rhel/disk.img",
			[]string{"3 rhel=old.img rhel6,rhel7", "4 rhel=new.img rhel8,centos8"},
		},
		"test and [": {
			server + "if [ \"$TARGET\" = \"a\" ]; then u=$S/a.img; elif test \"$TARGET\" == b; then u=$S/b.img; else exit 1; fi\ncurl $u -o disk.img",
			[]string{"2 a=a.img* a", "2 b=b.img* b"},
		},
		"elif and else": {
			server + "if [[ $TARGET =~ one ]]; then d=one\nelif [[ $TARGET =~ two ]]; then d=two\nelse d=other\nfi\ncurl $S/x.img -o /c/$d/disk.img",
			[]string{"6 one=x.img one", "6 two=x.img two"},
		},
		"both ways give the same": {
			server + "if curl -s http://probe; then u=$S/a.img; else u=$S/a.img; fi\ncurl $u -o /c/a/disk.img",
			[]string{"2 a=a.img"},
		},
		"both branches download": {
			server + "if [[ -f /x ]]; then curl $S/a.img -o /c/a/disk.img; else curl $S/b.img -o /c/b/disk.img; fi",
			[]string{"2 a=a.img", "2 b=b.img"},
		},
		"a function": {
			server + "get() { local n=$1; curl \"$S/$n.img\" --output \"/c/$n/disk.img\"; }\nget one\nget two",
			[]string{"2 one=one.img", "2 two=two.img"},
		},
		"a loop over words": {
			server + "for os in rhel6 rhel7; do safe_download l $S/$os.img /c/$os/disk.img || return 1; done",
			[]string{"2 rhel6=rhel6.img", "2 rhel7=rhel7.img"},
		},
		"a default that is set": {server + ": ${D:=/c/a}\ncurl $S/a.img -o $D/disk.img", []string{"3 a=a.img"}},
		"joined with +=":        {server + "u=$S/a\nu+=.img\ncurl $u -o /c/a/disk.img", []string{"3 a=a.img"}},
		"declare":               {"declare -r S=https://x/kubevirt D=/c/a\ncurl $S/a.img -o $D/disk.img", []string{"2 a=a.img"}},
		"the other side left":   {server + "u=$S/a.img\nif [[ ! -d /c ]]; then u=; exit 1; fi\ncurl $u -o /c/a/disk.img", []string{"2 a=a.img"}},
		"never reached":         {server + "exit 0\ncurl $S/a.img -o /c/a/disk.img", nil},
		"only defined":          {server + "get() { curl $S/a.img -o /c/a/disk.img; }", nil},
		"a comment":             {server + "# curl $S/a.img -o /c/a/disk.img", nil},
		"text":                  {server + "cat <<EOF\ncurl $S/a.img -o /c/a/disk.img\nEOF\necho 'curl x/a.img -o /c/a/disk.img'", nil},
		"another file":          {server + `curl -Lo virtctl https://example.org/kubevirt/virtctl`, nil},
		"the sidecar":           {server + `curl $S/a.img.sha1 -o /c/a/disk.img.sha1`, nil},
		"an upload":             {`gsutil cp /c/a/disk.img gs://bucket/a.img`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := kubevirtimg.NamesFromScript([]byte(test.script))
			require.NoError(t, err)
			require.Equal(t, test.want, lines(got))
			require.Empty(t, got.Unread)
		})
	}
}

func TestNamesFromScriptUnread(t *testing.T) {
	const server = "S=https://templates.example.org/kubevirt\n"
	tests := map[string]struct {
		script string
		line   int
		reason string
	}{
		"command substitution":  {"u=$(pick)\ncurl $u -o /c/a/disk.img", 2, "command substitution on line 1 is left to the shell"},
		"backquotes":            {"u=`pick`\ncurl $u -o /c/a/disk.img", 2, "command substitution on line 1"},
		"in the image":          {server + `curl "$S/$(uname).img" -o /c/a/disk.img`, 2, "command substitution on line 2"},
		"never set":             {`curl $URL -o /c/a/disk.img`, 1, "URL is not set in the script"},
		"two values":            {server + "if [[ -f /x ]]; then u=$S/a.img; else u=$S/b.img; fi\ncurl $u -o /c/a/disk.img", 3, "depends on the condition on line 2"},
		"one branch sets it":    {server + "u=$S/a.img\n[[ -f /x ]] && u=$S/b.img\ncurl $u -o /c/a/disk.img", 4, "depends on the condition on line 3"},
		"set in a loop":         {server + "u=$S/a.img\nwhile read -r x; do u=$S/b.img; done\ncurl $u -o /c/a/disk.img", 4, "depends on the condition on line 3"},
		"set by the loop":       {server + "for u in $(list); do curl $u -o /c/a/disk.img; done", 2, "it is set by the loop on line 2"},
		"at the top":            {server + `[[ $TARGET == a ]] && curl $S/a.img -o /disk.img`, 2, "in no directory of a cache"},
		"read from somewhere":   {server + "read -r u\ncurl $u -o /c/a/disk.img", 3, "read on line 2 sets it"},
		"an array":              {server + "u=(a b)\ncurl $u -o /c/a/disk.img", 3, "u is an array"},
		"unset":                 {server + "u=$S/a.img\nunset u\ncurl $u -o /c/a/disk.img", 4, "u is not set"},
		"left to the shell":     {server + "u=$S/a.img\ncurl ${u/a/b} -o /c/a/disk.img", 3, "${u…}"},
		"the directory":         {server + `safe_download l $S/a.img $(pwd)/disk.img`, 2, "the directory is not known"},
		"part of the directory": {server + `safe_download l $S/a.img /c/rhel$N/disk.img`, 2, "N is not set"},
		"no directory":          {server + `curl $S/a.img -o disk.img`, 2, "names no directory"},
		"not a disk":            {server + `safe_download l $S/a.img /c/a/disk.raw`, 2, "not kept as disk.img"},
		"another server":        {`curl https://other.example.net/images/a.img -o /c/a/disk.img`, 1, "not the server of the templates"},
		"no URL":                {`safe_download l "" /c/a/disk.img`, 1, "the URL is empty"},
		"no path":               {`safe_download l a.img /c/a/disk.img`, 1, "the URL has no path"},
		"a query":               {`curl 'https://x/kubevirt/a.img?b' -o /c/a/disk.img`, 1, "a query"},
		"a directory's URL":     {`curl https://x/kubevirt/ -o /c/a/disk.img`, 1, "must not be empty"},
		"an image that climbs":  {`curl https://x/kubevirt/.. -o /c/a/disk.img`, 1, `must begin with a letter`},
		"a sidecar's name":      {`curl https://x/kubevirt/a.sha1 -o /c/a/disk.img`, 1, `must not end in .sha1`},
		"a directory above":     {server + `curl $S/a.img -o /c/../disk.img`, 2, "must be the name of one directory"},
		"assigned only":         {`rhel_image_url=https://x/kubevirt/rhel8.qcow2`, 1, "names no directory"},
		"one of two places":     {"if test -f /x; then x_image=/c/a/disk.img; else x_image=/c/b/disk.img; fi\nx_image_url=https://x/kubevirt/x.img", 2, "x_image has more than one value"},
		"a place of the shell":  {"x_image=$(a)/disk.img\nx_image_url=https://x/kubevirt/x.img", 2, "the directory is not known"},
		"it grows":              {"a=aaaaaaaaaaaaaaaa\na=$a$a$a$a$a$a$a$a\na=$a$a$a$a$a$a$a$a\na=$a$a$a$a$a$a$a$a\ncurl $a -o /c/a/disk.img", 5, "longer than any name"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := kubevirtimg.NamesFromScript([]byte(test.script))
			require.NoError(t, err)
			require.Empty(t, got.Names)
			require.Len(t, got.Unread, 1)
			require.Equal(t, test.line, got.Unread[0].Line)
			require.Contains(t, got.Unread[0].Reason, test.reason)
			require.Contains(t, got.Unread[0].String(), fmt.Sprintf("line %d: ", test.line))
		})
	}
}

func TestNamesFromScriptRefuses(t *testing.T) {
	tests := map[string]struct{ script, want string }{
		"if without fi":        {"if true; then\n  x=1\n", `line 1: "if" has no "fi"`},
		"if without then":      {"if true\nfi", `line 2: "fi" is not expected here: "if" of line 1 has no "then"`},
		"fi alone":             {"x=1\nfi\n", `line 2: "fi" is not expected here`},
		"case without esac":    {"case $x in\na) b ;;\n", "line 3: a pattern"},
		"case item unclosed":   {"case $x in\na b ;;\nesac", `line 2: a pattern of "case" of line 1 has no ")"`},
		"case without a word":  {"case ;", `line 1: "case" has no word`},
		"for without do":       {"for x in a b\necho\ndone", `line 2: "echo" is not expected here`},
		"for without variable": {"for 1x in a; do b; done", `line 1: "for" has no variable`},
		"while without done":   {"while true; do x", `line 1: "while" has no "done"`},
		"double quote":         {"a=\"b\nc", "line 1: a double quote is never closed"},
		"single quote":         {"\na='b\nc", "line 2: a single quote is never closed"},
		"ansi quote":           {"a=$'b\\'", "line 1: a single quote is never closed"},
		"backquote":            {"a=`b", "line 1: a backquote is never closed"},
		"substitution":         {"a=$(b", "line 1: command substitution is never closed"},
		"process substitution": {"a <(b", "line 1: command substitution is never closed"},
		"arithmetic":           {"a=$((1+(2)", "line 1: arithmetic is never closed"},
		"braces":               {"a=${b:-c", "line 1: ${ is never closed"},
		"subshell":             {"(a; b", "line 1: ( is never closed"},
		"group":                {"{ a; b\n", `line 1: "{" has no "}"`},
		"array":                {"a=(b c", "line 1: an array is never closed"},
		"test":                 {"[[ $a == b", `line 1: "[[" is never closed`},
		"test operand":         {"[[ $a == ]]", `line 1: "[[" lacks an operand`},
		"test unary":           {"[[ -f ]]", `line 1: -f has no operand`},
		"test parenthesis":     {"[[ ( $a ]]", `line 1: "(" within "[[" is never closed`},
		"here-document":        {"cat <<EOF\na\n", `line 1: the here-document up to "EOF" never ends`},
		"redirection":          {"cat >\n", `line 1: ">" has no target`},
		"function body":        {"f() echo", `line 1: the function "f" has no body`},
		"function name":        {"function\n", `line 1: "function" has no name`},
		"parenthesis":          {"echo a (b)", `line 1: "(" is not expected here`},
		"call with words":      {"f(a)", `line 1: "(" is not expected here`},
		"closing":              {"a)", `line 1: ")" is not expected here`},
		"two bars":             {"a | | b", `line 1: a command is expected, not "|"`},
		"NUL":                  {"a\nb\x00c", "line 2: a NUL byte"},
		"latin-1":              {"a=\xe4", "not UTF-8"},
		"nested":               {strings.Repeat("( ", 1000), "more than 128 constructs within each other"},
		"nested words":         {"a=" + strings.Repeat("${a:-", 1000), "more than 128 constructs within each other"},
		"nested tests":         {"[[ " + strings.Repeat("! ", 1000) + "a ]]", "more than 128 constructs within each other"},
		"too large":            {strings.Repeat("a", 1<<20+1), "more than 1048576 are not read"},
		"too many lines":       {strings.Repeat("\n", 10_000), "more than 10000 are not read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := kubevirtimg.NamesFromScript([]byte(test.script))
			require.Nil(t, got)
			require.ErrorContains(t, err, test.want)
		})
	}
}

// A script made to keep the reader busy ends soon, with an error or without.
func TestNamesFromScriptEndsSoon(t *testing.T) {
	conditions := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "if [[ $TARGET =~ t%d ]]; then v%d=1; fi\n", i, i)
		}
		return b.String()
	}
	tests := map[string]string{
		"doubling":          strings.Repeat("a=$a$a; ", 10_000),
		"functions":         "f() { g;g;g;g;g;g;g;g; }\ng() { h;h;h;h;h;h;h;h; }\nh() { i;i;i;i;i;i;i;i; }\ni() { j;j;j;j;j;j;j;j; }\nj() { k;k;k;k;k;k;k;k; }\nk() { l;l;l;l;l;l;l;l; }\nl() { m;m;m;m;m;m;m; }\nm() { a=b$a; }\n" + strings.Repeat("f\n", 500),
		"recursion":         "f() { f; f; f; f; f; f; }\nf\n" + strings.Repeat("f;", 10_000),
		"loops":             strings.Repeat("for a in 1 2 3 4 5 6 7 8; do ", 30) + "x=$a;" + strings.Repeat("done;", 30),
		"open loops":        strings.Repeat("while a; do ", 30) + "x=$a;" + strings.Repeat("done;", 30),
		"conditions":        conditions(2000),
		"many variables":    func() (s string) { return strings.Repeat("x=1\n", 10) + conditions(5000) }(),
		"trimming":          "a=" + strings.Repeat("x", 500) + "\n" + strings.Repeat("b=${a##*y*y*y*y}\n", 5000),
		"patterns":          "a=" + strings.Repeat("x", 4000) + "\n" + strings.Repeat("[[ $a =~ (x+x+)+y ]]\n", 5000),
		"repetition":        strings.Repeat("[[ $a =~ ((a{1,1000}){1,1000}){1,1000} ]]\n", 1000),
		"classes":           strings.Repeat("[[ $TARGET =~ [a-z][a-z][a-z][a-z][a-z] ]]\n", 1000),
		"subscripts":        "export " + strings.Repeat("a[ ", 300_000),
		"quotes":            strings.Repeat(`\a`, 500_000),
		"alternating words": "a=" + strings.Repeat(`b"c"`, 250_000),
		"here-documents":    strings.Repeat("a <<b;", 100_000),
		"comparisons":       "[[ " + strings.Repeat("a == b && ", 100_000) + "c ]]",
	}
	for name, script := range tests {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := kubevirtimg.NamesFromScript([]byte(script))
			if err != nil {
				require.NotEmpty(t, err.Error())
			}
			require.Less(t, time.Since(start), time.Minute)
			t.Log(time.Since(start), err)
		})
	}
}
