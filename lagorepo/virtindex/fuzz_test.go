package virtindex_test

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/virtindex"
)

func addIndexes(f *testing.F) {
	files, err := filepath.Glob("testdata/*.index")
	require.NoError(f, err)
	require.NotEmpty(f, files)
	for _, name := range files {
		data, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(data)
	}
	for _, text := range []string{signedHead + good + signedTail, "#h\n\n#s\n[a]\n#f\nk=1\n#c\n 2\n#t\n\n#e\n", "[a]\n\nk=1\n\n 2\n[b]\n"} {
		f.Add([]byte(text))
	}
}

// withoutLines returns the index as another file with the same meaning has it.
func withoutLines(x *virtindex.Index) virtindex.Index {
	c := virtindex.Index{Header: x.Header, Footer: x.Footer}
	for _, e := range x.Entries {
		e.Line = 0
		e.Fields = slices.Clone(e.Fields)
		for i := range e.Fields {
			e.Fields[i].Line = 0
		}
		c.Entries = append(c.Entries, e)
	}
	return c
}

// What parses is either refused by Format for a stated reason, or written so that
// it parses to the same, is written the same, and has no error left.
func FuzzParse(f *testing.F) {
	addIndexes(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := virtindex.Parse(data)
		if err != nil {
			var perr *virtindex.ParseError
			require.ErrorAs(t, err, &perr)
			require.Positive(t, perr.Line)
			require.LessOrEqual(t, perr.Line, bytes.Count(data, []byte{'\n'})+1)
			return
		}
		text, err := x.Format()
		if err != nil {
			var invalid *virtindex.InvalidError
			require.ErrorAs(t, err, &invalid)
			require.NotEmpty(t, errorsOf(x))
			return
		}
		again, err := virtindex.Parse(text)
		require.NoError(t, err)
		require.Empty(t, errorsOf(again))
		require.Equal(t, withoutLines(x), withoutLines(again))
		text2, err := again.Format()
		require.NoError(t, err)
		require.Equal(t, string(text), string(text2))
	})
}

// Whatever the old index: a second update changes nothing, no entry without its
// file survives, no revision falls, and comments do not vanish unless their entry
// does.
func FuzzUpdate(f *testing.F) {
	addIndexes(f)
	templates := []virtindex.Template{template("el8", "x86_64", sum1), template("a", "i686", sum2), template("el7-base", "", sum3)}
	here := func(file string) bool { return strings.HasSuffix(file, "a.xz") || strings.HasPrefix(file, "el") }
	opt := virtindex.UpdateOptions{Present: here}
	f.Fuzz(func(t *testing.T, data []byte) {
		old, err := virtindex.Parse(data)
		if err != nil {
			return
		}
		x, changes, err := virtindex.Update(old, templates, opt)
		if err != nil {
			return
		}
		dropped := false
		for _, c := range changes {
			require.True(t, c.Action != virtindex.Added || c.Revision != "")
			dropped = dropped || c.Action == virtindex.Dropped
		}
		for _, e := range old.Entries {
			for i := range x.Entries {
				n := &x.Entries[i]
				if n.ID == e.ID && n.Arch() == e.Arch() && n.File() == e.File() && len(errorsOf(old)) == 0 {
					before, _ := e.Get("revision", "")
					after, _ := n.Get("revision", "")
					require.True(t, revision(t, after).Cmp(revision(t, before)) >= 0, "%s after %s", after, before)
				}
			}
		}
		if !dropped {
			require.Equal(t, comments(old), comments(x))
		}
		text, err := x.Format()
		if err != nil {
			return
		}
		parsed, err := virtindex.Parse(text)
		require.NoError(t, err)
		require.Equal(t, withoutLines(x), withoutLines(parsed))
		again, _, err := virtindex.Update(parsed, templates, opt)
		require.NoError(t, err)
		require.Equal(t, withoutLines(x), withoutLines(again))
	})
}

// revision reads what a revision field says; clients take a missing one for 1.
func revision(t *testing.T, text string) *big.Int {
	t.Helper()
	if text == "" {
		return big.NewInt(1)
	}
	n, ok := new(big.Int).SetString(text, 10)
	require.True(t, ok, "%q", text)
	return n
}

// comments counts the comment lines, those that Update itself writes left out.
func comments(x *virtindex.Index) int {
	n := 0
	add := func(lines []string) {
		for _, l := range lines {
			if l != "" && !strings.HasPrefix(l, "# gone: ") {
				n++
			}
		}
	}
	add(x.Header)
	add(x.Footer)
	for _, e := range x.Entries {
		add(e.Comment)
		add(e.Trailer)
		for _, f := range e.Fields {
			add(f.Comment)
		}
	}
	return n
}
