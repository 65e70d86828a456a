package virtindex_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

// entry returns an entry that every client accepts.
func entry(id, arch, file string, more ...virtindex.Field) virtindex.Entry {
	return virtindex.Entry{ID: id, Fields: append([]virtindex.Field{
		{Key: "arch", Value: arch}, {Key: "file", Value: file}, {Key: "size", Value: "512"},
	}, more...)}
}

func TestFormatIsWhatWasWritten(t *testing.T) {
	want := readTestdata(t, "written.index")
	x, err := virtindex.Parse(want)
	require.NoError(t, err)
	got, err := x.Format()
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func TestFormatMendsTheLayout(t *testing.T) {
	text := "\n\n# h\n\n\n\n[a] \n\narch=x86_64\nfile=a.xz\n\nsize=1\n# b\n[b]\narch=x86_64\nfile=b.xz\nsize=1\n\n\n\n# f\n\n"
	x, err := virtindex.Parse([]byte(text))
	require.NoError(t, err)
	require.NotEmpty(t, errorsOf(x))
	got, err := x.Format()
	require.NoError(t, err)
	require.Equal(t, "# h\n\n[a]\narch=x86_64\nfile=a.xz\nsize=1\n\n# b\n[b]\narch=x86_64\nfile=b.xz\nsize=1\n\n# f\n", string(got))
	again, err := virtindex.Parse(got)
	require.NoError(t, err)
	require.Empty(t, errorsOf(again))
}

func TestFormatEmpty(t *testing.T) {
	for _, c := range []struct {
		name string
		x    virtindex.Index
		want string
	}{
		{"nothing", virtindex.Index{}, ""},
		{"header", virtindex.Index{Header: []string{"# h"}}, "# h\n"},
		{"footer", virtindex.Index{Footer: []string{"# f"}}, "# f\n"},
		{"both", virtindex.Index{Header: []string{"", "# h", "", "", "# i", ""}, Footer: []string{"# f"}}, "# h\n\n# i\n\n# f\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.x.Format()
			require.NoError(t, err)
			require.Equal(t, c.want, string(got))
		})
	}
}

func TestFormatRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		e    virtindex.Entry
		want string
	}{
		{"ID", entry("a b", "x86_64", "a.xz"), `section "a b": section ID "a b"`},
		{"long ID", entry(strings.Repeat("a", virtindex.MaxLine), "x86_64", "a.xz"), "longer than"},
		{"key", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "root-partition", Value: "x"}), `section "a": field "root-partition": `},
		{"sub", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "notes", Sub: "]=", Value: "x"}), `field "notes[]=]"`},
		{"CR", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "notes", Value: "x\r\ny"}), "U+000D"},
		{"NUL", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "notes", Value: "x\x00"}), "U+0000"},
		{"escape", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "name", Value: "\x1b[2J"}), "U+001B"},
		{"C1", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "name", Value: "\u009b2J"}), "U+009B"},
		{"not UTF-8", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "name", Value: "\xff"}), "UTF-8"},
		{"trailing blank", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "notes", Value: "x \ny"}), "ends with a blank"},
		{"two lines in one", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "name", Value: "x\n[b]"}), `field "name": value has more than one line`},
		{"long line", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "notes", Value: strings.Repeat("x", virtindex.MaxLine-5)}), "longer than"},
		{"comment", virtindex.Entry{ID: "a", Comment: []string{"[evil]"}}, "does not begin with '#'"},
		{"comment of two lines", virtindex.Entry{ID: "a", Comment: []string{"# x\n[evil]"}}, "U+000A"},
		{"empty line above a field", entry("a", "x86_64", "a.xz", virtindex.Field{Key: "notes", Comment: []string{""}}), "does not begin"},
		{"trailer", virtindex.Entry{ID: "a", Fields: entry("a", "x86_64", "a.xz").Fields, Trailer: []string{""}}, "does not begin"},
		{"missing fields", virtindex.Entry{ID: "a"}, `field "arch": missing, and virt-builder refuses the whole index for it (and 2 more)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := (&virtindex.Index{Entries: []virtindex.Entry{c.e}}).Format()
			require.Nil(t, got)
			var invalid *virtindex.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.ErrorContains(t, err, c.want)
			require.NotContains(t, err.Error(), "(error)")
		})
	}
}

func TestFormatLimits(t *testing.T) {
	many := virtindex.Index{Entries: make([]virtindex.Entry, virtindex.MaxEntries+1)}
	_, err := many.Format()
	require.ErrorContains(t, err, "more than 10000")

	fields := entry("a", "x86_64", "a.xz")
	for len(fields.Fields) <= virtindex.MaxFields {
		fields.Fields = append(fields.Fields, virtindex.Field{Key: "x" + strings.Repeat("y", len(fields.Fields))})
	}
	_, err = (&virtindex.Index{Entries: []virtindex.Entry{fields}}).Format()
	require.ErrorContains(t, err, "more than 256 fields")

	_, err = (&virtindex.Index{Header: make([]string, 3)}).Format()
	require.NoError(t, err)

	comment := make([]string, virtindex.MaxLines+1)
	for i := range comment {
		comment[i] = "#"
	}
	_, err = (&virtindex.Index{Header: comment}).Format()
	require.ErrorContains(t, err, "lines")

	long := make([]string, 300)
	for i := range long {
		long[i] = "#" + strings.Repeat("x", virtindex.MaxLine-1)
	}
	_, err = (&virtindex.Index{Header: long}).Format()
	require.ErrorContains(t, err, "bytes")
}

func TestSet(t *testing.T) {
	e := entry("a", "x86_64", "a.xz")
	e.Fields = append(e.Fields, virtindex.Field{Key: "x_own"}, virtindex.Field{Key: "size", Value: "9"})
	e.Set("size", "", "7")
	e.Set("name", "", "n")
	e.Set("revision", "", "1")
	e.Set("checksum", "sha512", "c")
	e.Set("hidden", "", "true")
	e.Set("notes", "de", "d")
	e.Set("x_new", "", "v")
	e.Delete("file", "")
	var names []string
	for _, f := range e.Fields {
		names = append(names, f.Name()+"="+f.Value)
	}
	require.Equal(t, []string{"name=n", "arch=x86_64", "revision=1", "checksum[sha512]=c", "size=7",
		"notes[de]=d", "hidden=true", "x_own=", "x_new=v"}, names)
}

func TestSectionID(t *testing.T) {
	require.Equal(t, "el8.2-base", virtindex.SectionID("el8.2-base"))
	require.Equal(t, "libstdc---7", virtindex.SectionID("libstdc++-7"))
}
