package virtindex_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

func readTestdata(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return data
}

func TestParseWritten(t *testing.T) {
	x, err := virtindex.Parse(readTestdata(t, "written.index"))
	require.NoError(t, err)

	require.Equal(t, []string{
		"# Templates of the lab. Ask before you change a revision.", "#", "# Second paragraph of the header.",
	}, x.Header)
	require.Equal(t, []string{"# the end"}, x.Footer)
	require.False(t, x.Signed)
	require.Len(t, x.Entries, 3)

	el8 := x.Entries[0]
	require.Equal(t, "el8", el8.ID)
	require.Equal(t, 6, el8.Line)
	require.Equal(t, "x86_64", el8.Arch())
	require.Equal(t, "el8.xz", el8.File())
	require.Equal(t, []string{"# the one everybody uses"}, el8.Comment)
	require.Equal(t, []string{"# belongs to el8"}, el8.Trailer)
	for name, want := range map[[2]string]string{
		{"name", ""}:            "Enterprise Linux 8 (größer als zuvor)",
		{"notes", ""}:           "Enterprise Linux 8.\n\nOnly the @core group is installed.",
		{"notes", "de"}:         "Nur die Gruppe @core\n ist eingerichtet.",
		{"aliases", ""}:         "el8.2 latest",
		{"x_owner", ""}:         "infra=team",
		{"revision", ""}:        "7",
		{"lvexpand", ""}:        "/dev/rhel/root",
		{"size", ""}:            "6442450944",
		{"hidden", ""}:          "false",
		{"osinfo", ""}:          "rhel8.2",
		{"format", ""}:          "qcow2",
		{"expand", ""}:          "/dev/sda3",
		{"compressed_size", ""}: "312345678",
	} {
		got, ok := el8.Get(name[0], name[1])
		require.True(t, ok, name)
		require.Equal(t, want, got, name)
	}
	_, ok := el8.Get("notes", "fr")
	require.False(t, ok)

	require.Equal(t, []string{"# Other architectures", "# come below.", ""}, x.Entries[1].Comment)
	require.Empty(t, x.Entries[2].Comment)
	require.Equal(t, "hidden", x.Entries[2].Fields[3].Name())
	require.Equal(t, "notes[de]", el8.Fields[12].Name())
}

func TestParseGood(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []virtindex.Entry
	}{
		{"nothing", "", nil},
		{"an empty line", "\n", nil},
		{"a comment", "# hello\n", nil},
		{"bare section", "[a]\n", []virtindex.Entry{{ID: "a", Line: 1}}},
		{"blanks behind the header", "[a] \t \n", []virtindex.Entry{{ID: "a", Line: 1}}},
		{"every character of an ID", "[-A.z_9]\n", []virtindex.Entry{{ID: "-A.z_9", Line: 1}}},
		{"every character of a name", "[a]\nK.e_9[d_E,1.x]=v\n", []virtindex.Entry{{ID: "a", Line: 1,
			Fields: []virtindex.Field{{Key: "K.e_9", Sub: "d_E,1.x", Value: "v", Line: 2}}}}},
		{"empty value", "[a]\nk=\n", []virtindex.Entry{{ID: "a", Line: 1, Fields: []virtindex.Field{{Key: "k", Line: 2}}}}},
		{"the value is taken as it is", "[a]\nk= =[x]=#\t \n", []virtindex.Entry{{ID: "a", Line: 1,
			Fields: []virtindex.Field{{Key: "k", Value: " =[x]=#\t ", Line: 2}}}}},
		{"continuation drops one blank", "[a]\nk=1\n  2\n\t\t3\n \n\t\n  \n", []virtindex.Entry{{ID: "a", Line: 1,
			Fields: []virtindex.Field{{Key: "k", Value: "1\n 2\n\t3\n\n\n ", Line: 2}}}}},
		{"comments everywhere", "#h\n\n#s\n[a]\n#f\nk=1\n#c\n 2\n#t\n", []virtindex.Entry{{ID: "a", Line: 4,
			Comment: []string{"#s"}, Trailer: []string{"#t"},
			Fields: []virtindex.Field{{Key: "k", Value: "1\n2", Line: 6, Comment: []string{"#f", "#c"}}}}}},
		{"a repeated field is kept for Check", "[a]\nk=1\nk=2\n", []virtindex.Entry{{ID: "a", Line: 1,
			Fields: []virtindex.Field{{Key: "k", Value: "1", Line: 2}, {Key: "k", Value: "2", Line: 3}}}}},
		{"no empty line between sections", "[a]\nk=1\n# b's\n[b]\n", []virtindex.Entry{
			{ID: "a", Line: 1, Fields: []virtindex.Field{{Key: "k", Value: "1", Line: 2}}},
			{ID: "b", Line: 4, Comment: []string{"# b's"}}}},
		{"empty lines inside a section", "[a]\n\nk=1\n\n 2\n\n# f\n\nl=3\n", []virtindex.Entry{{ID: "a", Line: 1,
			Fields: []virtindex.Field{
				{Key: "k", Value: "1\n2", Line: 3}, {Key: "l", Value: "3", Line: 9, Comment: []string{"# f"}}}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, err := virtindex.Parse([]byte(c.text))
			require.NoError(t, err)
			require.Equal(t, c.want, x.Entries)
		})
	}
}

// badLines do not parse.
var badLines = []struct {
	name, text string
	line       int
	want       string
}{
	{"CRLF", "[a]\nk=1\r\n", 2, "CR LF"},
	{"CRLF of an empty line", "[a]\n\r\n", 2, "CR LF"},
	{"no LF at the end", "[a]\nk=1", 2, "does not end with LF"},
	{"NUL", "[a]\nk=1\x00\n", 2, "NUL"},
	{"Latin-1", "[a]\nk=gr\xf6\xdfer\n", 2, "not UTF-8"},
	{"byte order mark", "\ufeff[a]\n", 1, "byte order mark"},
	{"hyphen in a key", "[a]\nroot-partition=/dev/sda1\n", 2, "hyphen"},
	{"hyphen in the brackets", "[a]\nnotes[zh-TW]=x\n", 2, "hyphen"},
	{"blank before =", "[a]\nname =x\n", 2, "no blanks"},
	{"blank in a key", "[a]\nfull name=x\n", 2, "letters, digits"},
	{"no key", "[a]\n=x\n", 2, "letters, digits"},
	{"nothing in the brackets", "[a]\nnotes[]=x\n", 2, "nothing in the brackets"},
	{"bracket left open", "[a]\nnotes[de=x\n", 2, "key[sub]=value"},
	{"text behind the bracket", "[a]\nnotes[de]x=x\n", 2, "key[sub]=value"},
	{"two brackets", "[a]\nnotes[a][b]=x\n", 2, "letters, digits"},
	{"no =", "[a]\nname\n", 2, "key=value"},
	{"semicolon comment", "; hello\n", 1, "'#'"},
	{"a page of HTML", "<!DOCTYPE html>\n", 1, "key=value"},
	{"header left open", "[a\n", 1, "no ']'"},
	{"text behind the header", "[a] # mine\n", 1, "behind the section header"},
	{"empty ID", "[]\n", 1, "section ID"},
	{"plus in an ID", "[a+b]\n", 1, "section ID"},
	{"field before the first section", "k=1\n", 1, "before the first section"},
	{"continuation of nothing", "[a]\n k=1\n", 2, "none above it"},
	{"continuation before everything", " x\n", 1, "none above it"},
	{"line of blanks", "[a]\n \t\n", 2, "line of blanks"},
	{"signed message in the middle", "\n-----BEGIN PGP SIGNED MESSAGE-----\n", 2, "first line"},
	{"long line", "[a]\nk=" + strings.Repeat("x", virtindex.MaxLine) + "\n", 2, "longer than"},
	{"many lines", strings.Repeat("\n", virtindex.MaxLines+1), virtindex.MaxLines + 1, "lines"},
	{"large", strings.Repeat("x", virtindex.MaxSize+1), 1, "larger than"},
	{"many sections", strings.Repeat("[a]\n\n", virtindex.MaxEntries+1), 2*virtindex.MaxEntries + 1, "sections"},
	{"many fields", "[a]\n" + strings.Repeat("k=1\n", virtindex.MaxFields+1), virtindex.MaxFields + 2, "fields"},
	{"long text is cut", "[" + strings.Repeat("ö", 500) + "]\n", 1, "…"},
}

func TestParseBad(t *testing.T) {
	for _, c := range badLines {
		t.Run(c.name, func(t *testing.T) {
			x, err := virtindex.Parse([]byte(c.text))
			require.Nil(t, x)
			var perr *virtindex.ParseError
			require.ErrorAs(t, err, &perr)
			require.Equal(t, c.line, perr.Line)
			require.Contains(t, perr.Text, c.want)
			require.Less(t, len(err.Error()), 600)
		})
	}
}

func TestRead(t *testing.T) {
	x, err := virtindex.Read(strings.NewReader("[a]\n"))
	require.NoError(t, err)
	require.Len(t, x.Entries, 1)

	_, err = virtindex.Read(strings.NewReader(strings.Repeat("#\n", virtindex.MaxSize)))
	require.ErrorContains(t, err, "larger than")

	broken := errors.New("connection reset")
	_, err = virtindex.Read(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
}
