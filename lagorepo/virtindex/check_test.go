package virtindex_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

// errorsOf returns the problems of severity Error.
func errorsOf(x *virtindex.Index) []virtindex.Problem {
	var bad []virtindex.Problem
	for _, p := range x.Check() {
		if p.Severity == virtindex.Error {
			bad = append(bad, p)
		}
	}
	return bad
}

// good is a section that every client accepts, less what the cases take away.
const good = "[a]\narch=x86_64\nfile=a.xz\nsize=512\n"

var sum = strings.Repeat("0123456789abcdef", 8)

// badFiles parse, and Check finds an error in each. Together with those that do
// not parse they are also given to the real clients, which never refuse more.
var badFiles = []struct {
	name, text string
	line       int
	want       string
}{
	{"no arch", "[a]\nfile=a.xz\nsize=512\n", 1, "missing"},
	{"no file", "[a]\narch=x86_64\nsize=512\n", 1, "missing"},
	{"no size", "[a]\narch=x86_64\nfile=a.xz\n", 1, "missing"},
	{"empty section", "[a]\n", 1, "missing"},
	{"empty arch", "[a]\narch=\nfile=a.xz\nsize=512\n", 2, "empty"},
	{"arch of two words", "[a]\narch=x86_64 i686\nfile=a.xz\nsize=512\n", 2, "one word"},
	{"arch with a blank behind it", "[a]\narch=x86_64 \nfile=a.xz\nsize=512\n", 2, "ends with a blank"},
	{"arch with brackets only", "[a]\narch[x]=x86_64\nfile=a.xz\nsize=512\n", 1, "missing"},
	{"same ID and arch", good + "\n" + good, 6, "stands twice, first in line 1"},
	{"same field", good + "name=x\nname=y\n", 6, "twice"},
	{"same field with brackets", good + "notes[de]=x\nnotes[de]=y\n", 6, "twice"},
	{"empty file name", "[a]\narch=x86_64\nfile=\nsize=512\n", 3, "empty"},
	{"absolute file", "[a]\narch=x86_64\nfile=/srv/a.xz\nsize=512\n", 3, "absolute"},
	{"file is a URL", "[a]\narch=x86_64\nfile=http://example.com/a.xz\nsize=512\n", 3, "URL"},
	{"file climbs", "[a]\narch=x86_64\nfile=../a.xz\nsize=512\n", 3, "climbs"},
	{"file climbs inside", "[a]\narch=x86_64\nfile=x/../../a.xz\nsize=512\n", 3, "climbs"},
	{"file with a dot element", "[a]\narch=x86_64\nfile=./a.xz\nsize=512\n", 3, "names nothing"},
	{"file is a directory", "[a]\narch=x86_64\nfile=a/\nsize=512\n", 3, "names nothing"},
	{"file with a blank", "[a]\narch=x86_64\nfile=a b.xz\nsize=512\n", 3, "blank in it"},
	{"file begins with a blank", "[a]\narch=x86_64\nfile= a.xz\nsize=512\n", 3, "blank in it"},
	{"file on two lines", "[a]\narch=x86_64\nfile=a.xz\n b.xz\nsize=512\n", 3, "more than one line"},
	{"indented field", "[a]\narch=x86_64\n file=a.xz\nsize=512\n", 1, "missing"},
	{"line of blanks at the end", good + " \n", 4, "more than one line"},
	{"absolute sig", good + "sig=/a.xz.sig\n", 5, "absolute"},
	{"sig is a URL", good + "sig=http://example.com/a.sig\n", 5, "URL"},
	{"empty sig", good + "sig=\n", 5, "empty"},
	{"size with a unit", "[a]\narch=x86_64\nfile=a.xz\nsize=6G\n", 4, "number of bytes"},
	{"size zero", "[a]\narch=x86_64\nfile=a.xz\nsize=0\n", 4, "number of bytes"},
	{"size negative", "[a]\narch=x86_64\nfile=a.xz\nsize=-1\n", 4, "number of bytes"},
	{"size too large", "[a]\narch=x86_64\nfile=a.xz\nsize=9223372036854775808\n", 4, "number of bytes"},
	{"size begins with a blank", "[a]\narch=x86_64\nfile=a.xz\nsize= 512\n", 4, "number of bytes"},
	{"size in hex", "[a]\narch=x86_64\nfile=a.xz\nsize=0x200\n", 4, "number of bytes"},
	{"size empty", "[a]\narch=x86_64\nfile=a.xz\nsize=\n", 4, "number of bytes"},
	{"compressed_size of text", good + "compressed_size=12.5\n", 5, "number of bytes"},
	{"revision of text", good + "revision=v2\n", 5, "integer"},
	{"revision empty", good + "revision=\n", 5, "integer"},
	{"revision zero", good + "revision=0\n", 5, "integer"},
	{"revision negative", good + "revision=-1\n", 5, "integer"},
	{"revision beyond OCaml", good + "revision=4611686018427387904\n", 5, "integer"},
	{"hidden yes", good + "hidden=yes\n", 5, "true or false"},
	{"hidden True", good + "hidden=True\n", 5, "true or false"},
	{"hidden empty", good + "hidden=\n", 5, "true or false"},
	{"format vmdk", good + "format=vmdk\n", 5, "raw or qcow2"},
	{"format empty", good + "format=\n", 5, "raw or qcow2"},
	{"checksum too short", good + "checksum[sha512]=" + sum[:127] + "\n", 5, "128 lower-case"},
	{"checksum is a sha256", good + "checksum=" + sum[:64] + "\n", 5, "found 64 characters"},
	{"checksum upper case", good + "checksum=" + strings.ToUpper(sum) + "\n", 5, "lower-case"},
	{"checksum with a file name", good + "checksum=" + sum + "  a.xz\n", 5, "128 lower-case"},
	{"aliases with two blanks", good + "aliases=b  c\n", 5, "single blanks"},
	{"aliases with a tab", good + "aliases=b\tc\n", 5, "single blanks"},
	{"aliases empty", good + "aliases=\n", 5, "single blanks"},
	{"alias twice", good + "aliases=b c b\n", 5, "twice"},
	{"expand of two words", good + "expand=/dev/sda1 /dev/sda2\n", 5, "one word"},
	{"lvexpand empty", good + "lvexpand=\n", 5, "empty"},
	{"CR inside a value", good + "name=x\ry\n", 5, "U+000D"},
	{"control character", good + "name=\x1b[31mred\n", 5, "U+001B"},
	{"control character in a comment", good + "# \x1b[31mred\n", 1, "U+001B"},
	{"control character in the header", "# \x1b[31mred\n\n" + good, 0, "header"},
	{"blank at the end of a note", good + "notes=x \n", 5, "ends with a blank"},
	{"no empty line between sections", good + strings.ReplaceAll(good, "[a]", "[b]"), 5, "no empty line"},
	{"empty line inside a section", "[a]\narch=x86_64\n\nfile=a.xz\nsize=512\n", 3, "empty line inside"},
	{"empty line below the header", "[a]\n\narch=x86_64\nfile=a.xz\nsize=512\n", 2, "empty line inside"},
	{"long note", good + "notes=x\n" + strings.Repeat(" y\n", 9992), 5, "memory exhausted"},
	{"many sections", strings.Repeat("[a]\n\n", 2500), 1, "missing"},
	{"many empty lines at the beginning", strings.Repeat("\n", 9998) + good, 1, "memory exhausted"},
	{"many empty lines at the end", good + strings.Repeat("\n", 9996), 5, "memory exhausted"},
	{"empty line before a continuation", good + "notes=x\n\n y\n", 6, "empty line inside"},
}

func TestCheckErrors(t *testing.T) {
	for _, c := range badFiles {
		t.Run(c.name, func(t *testing.T) {
			x, err := virtindex.Parse([]byte(c.text))
			require.NoError(t, err)
			bad := errorsOf(x)
			require.NotEmpty(t, bad)
			require.Contains(t, bad[0].Text, c.want)
			require.Equal(t, c.line, bad[0].Line, bad[0])
			if c.line > 0 && !strings.HasPrefix(c.want, "memory") {
				require.NotEmpty(t, bad[0].Section)
			}
		})
	}
}

// sections returns an index of n sections with four fields each.
func sections(n int) string {
	texts := make([]string, n)
	for i := range texts {
		texts[i] = strings.Replace(good, "[a]", fmt.Sprintf("[a%d]", i), 1) + "checksum=" + sum + "\n"
	}
	return strings.Join(texts, "\n")
}

func TestCheckDepth(t *testing.T) {
	x, err := virtindex.Parse([]byte(sections(2499)))
	require.NoError(t, err)
	bad := errorsOf(x)
	require.Len(t, bad, 1)
	require.Equal(t, "a2498", bad[0].Section)
	require.Equal(t, "checksum", bad[0].Field)
	require.Contains(t, bad[0].Text, "memory exhausted")
	_, err = x.Format()
	require.ErrorContains(t, err, "memory exhausted")

	x, err = virtindex.Parse([]byte(sections(2600)))
	require.NoError(t, err)
	require.Len(t, errorsOf(x), 1)
}

// strangeFiles are accepted by all clients, and Check warns.
var strangeFiles = []struct {
	name, text, field, want string
}{
	{"no checksum", good, "checksum[sha512]", "missing"},
	{"only a sha256", good + "checksum[sha256]=" + sum[:64] + "\n", "checksum[sha256]", "silently ignore"},
	{"unknown algorithm", good + "checksum[sha3]=x\n", "checksum[sha3]", "silently ignore"},
	{"two checksums that differ", good + "checksum[sha512]=" + sum + "\nchecksum=" + strings.Repeat("0", 128) + "\n", "checksum", "differs"},
	{"sig", good + "sig=a.xz.sig\n", "sig", "deprecated"},
	{"unknown field", good + "x_owner=infra\n", "x_owner", "unknown field"},
	{"misspelt field", good + "compressed.size=1\n", "compressed.size", "unknown field"},
	{"brackets where none belong", good + "name[de]=x\n", "name[de]", "without brackets"},
	{"name begins with a blank", good + "name= x\n", "name", "begins with a blank"},
	{"file with a per cent", "[a]\narch=x86_64\nfile=a%2fb.xz\nsize=512\n", "file", "URL"},
	{"alias of itself", good + "aliases=b a\n", "aliases", "own ID"},
	{"alias hides a section", good + "aliases=b\n\n" + strings.ReplaceAll(good, "[a]", "[b]"), "aliases", "hides"},
	{"alias of two sections", good + "aliases=x\n\n" + strings.ReplaceAll(good, "[a]", "[b]") + "aliases=x\n", "aliases", "already"},
}

func TestCheckWarnings(t *testing.T) {
	for _, c := range strangeFiles {
		t.Run(c.name, func(t *testing.T) {
			x, err := virtindex.Parse([]byte(c.text))
			require.NoError(t, err)
			require.Empty(t, errorsOf(x))
			var texts []string
			for _, p := range x.Check() {
				require.Equal(t, virtindex.Warning, p.Severity)
				if p.Field == c.field {
					texts = append(texts, p.Text)
				}
			}
			require.Contains(t, strings.Join(texts, "\n"), c.want)
			_, err = x.Format()
			require.NoError(t, err)
		})
	}
}

// flawlessFiles are accepted by all clients, and Check has nothing to say.
var flawlessFiles = []struct{ name, text string }{
	{"nothing", ""},
	{"comments only", "# a\n\n# b\n"},
	{"one entry", good + "checksum=" + sum + "\n"},
	{"two architectures", good + "checksum=" + sum + "\n\n" + strings.ReplaceAll(good, "x86_64", "i686") + "checksum=" + sum + "\naliases=x\n"},
	{"both checksums", good + "checksum=" + sum + "\nchecksum[sha512]=" + sum + "\n"},
	{"all fields", good + "name=N\nosinfo=debian12\nrevision=12\nchecksum[sha512]=" + sum + "\nformat=raw\n" +
		"compressed_size=9223372036854775807\nexpand=/dev/sda1\nlvexpand=/dev/vg/lv\nnotes=a\tb\n \n  c\nnotes[de_DE.UTF_8]=ä\n" +
		"aliases=b c\nhidden=true\n"},
	{"file in a directory", strings.ReplaceAll(good, "a.xz", "x86_64/a+b~1.xz") + "checksum=" + sum + "\n"},
	{"as many sections as clients can hold", sections(2498)},
	{"as long a note as clients can hold", good + "checksum=" + sum + "\nnotes=x\n" + strings.Repeat(" y\n", 9990)},
	{"as many empty lines as clients can hold", strings.Repeat("\n", 9990) + good + "checksum=" + sum + "\n"},
	{"many empty lines", "\n\n\n" + good + "checksum=" + sum + "\n\n\n\n# c\n\n\n"},
}

func TestCheckFlawless(t *testing.T) {
	for _, c := range flawlessFiles {
		t.Run(c.name, func(t *testing.T) {
			x, err := virtindex.Parse([]byte(c.text))
			require.NoError(t, err)
			require.Empty(t, x.Check())
		})
	}
}

func TestProblemString(t *testing.T) {
	x, err := virtindex.Parse([]byte("[a]\narch=x86_64\nfile=a.xz\nsize=6G\n"))
	require.NoError(t, err)
	bad := errorsOf(x)
	require.Len(t, bad, 1)
	require.Equal(t, `line 4: section "a": field "size": expected a number of bytes, found "6G" (error)`, bad[0].String())
}

func TestCheckIsInTheOrderOfTheLines(t *testing.T) {
	x, err := virtindex.Parse([]byte("[a]\nsize=x\n[b]\n\nsize=y\n"))
	require.NoError(t, err)
	last := 0
	for _, p := range x.Check() {
		require.GreaterOrEqual(t, p.Line, last)
		last = p.Line
	}
	require.Positive(t, last)
}
