package browse_test

import (
	"encoding/json"
	"html"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
)

func queryEscape(s string) string { return url.QueryEscape(s) }

func mustDecode(t testing.TB, data []byte, into any) {
	t.Helper()
	require.NoError(t, json.Unmarshal(data, into), "%s", data)
}

// tags lists the names of the tags in HTML: everything that begins with "<",
// less what a style and a script hold.
func tags(body string) []string {
	for _, tag := range []string{"style", "script"} {
		before, rest, _ := strings.Cut(body, "<"+tag+">")
		_, after, _ := strings.Cut(rest, "</"+tag+">")
		body = before + after
	}
	var out []string
	for _, part := range strings.Split(body, "<")[1:] {
		name := strings.FieldsFunc(part+" ", func(r rune) bool { return r == ' ' || r == '>' || r == '\n' })
		out = append(out, name[0])
	}
	return out
}

// checkListing makes sure that a listing of one name has one link, that leads to
// it, and the markup of any other listing.
func checkListing(t testing.TB, name string, dir bool) {
	t.Helper()
	e := fileEntry(name, 5)
	plain := fileEntry("plain", 5)
	e.Dir, plain.Dir = dir, dir
	body := get(t, bundles(e), "/bundles/").Body.String()
	require.True(t, utf8.ValidString(body))
	require.Equal(t, tags(get(t, bundles(plain), "/bundles/").Body.String()), tags(body))

	_, table, _ := strings.Cut(body, "</thead>")
	refs, texts := links(table)
	require.Len(t, refs, 2, table)
	base, err := url.Parse("https://templates.example.org/bundles/")
	require.NoError(t, err)
	u, err := base.Parse(refs[1])
	require.NoError(t, err)
	want := "/bundles/" + name
	if dir {
		want += "/"
	}
	require.Equal(t, want, u.Path)
	require.Equal(t, "templates.example.org", u.Host)
	require.Empty(t, u.RawQuery+u.Fragment)
	for _, r := range texts[1] {
		require.False(t, r < ' ' || r == 0x7f || r == '\u202e', "%q", texts[1])
	}
	if !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r >= 0x7f }) {
		require.Equal(t, name, strings.TrimSuffix(texts[1], "/"))
	}

	var list []struct{ Name, URL string }
	mustDecode(t, get(t, bundles(e), "/bundles/", "Accept", "application/json").Body.Bytes(), &list)
	u, err = base.Parse(list[0].URL)
	require.NoError(t, err)
	require.Equal(t, want, u.Path)
}

var hostileNames = append([]string{
	"a:b", ":", "javascript:alert(1)", "data:,x", "http:", "C:", "a\nb", "\t", "a\x00b", "\xff\xfe", "a\xc3", "\u202egnp.exe", "a\u0085b", "%2e%2e", "%2F", "..%2f",
	"a?b", "a#b", "?C=N;O=D", "&lt;", "-->", "<!--", "]]>", "{{.}}", "a\\b", "a//", "a ", " a", strings.Repeat("ü", 127), ".hidden", "index.html", "+", "a+b", "a%20b",
}, hostile...)

func TestHostileNames(t *testing.T) {
	for _, name := range hostileNames {
		if strings.Contains(name, "/") {
			continue // none in a name
		}
		checkListing(t, name, false)
		checkListing(t, name, true)
	}
}

func FuzzListing(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if strings.Contains(name, "/") || name == "" || name == "." || name == ".." {
			return
		}
		checkListing(t, name, len(name)%2 == 0)
	})
}

// Whatever a catalogue holds, its pages have the markup of any other's.
func FuzzTemplate(f *testing.F) {
	for _, name := range hostileNames {
		f.Add(name, name, name, name, name)
	}
	f.Add("el8", "v1", "el8.xz", "x86_64", "Notes.\nMore.")
	f.Add("el8", "v1", "//host", "x86_64", "")
	f.Add("el8", "v1", "/../a:b", "x86_64", "")
	f.Fuzz(func(t *testing.T, name, version, file, arch, notes string) {
		p := templates.Published{Name: name, Version: version, Handle: strings.TrimSuffix(file, ".xz"), File: file, Arch: arch, Osinfo: arch, Distro: arch,
			SHA1: version, SHA512: version, VirtBuilder: name, Notes: notes, PackedSize: 1, VirtualSize: 1}
		page := browse.Page{Path: "/repo/", BaseURL: "https://h", Catalogue: func() ([]templates.Published, error) { return []templates.Published{p}, nil }}
		allowed := map[string]bool{}
		for _, tag := range strings.Fields("!DOCTYPE html head meta title link body a header h1 span nav form label input button main p table caption thead tr th tbody td small b code dl div dt dd section h2 pre ul li footer") {
			allowed[tag], allowed["/"+tag] = true, true
		}
		for _, target := range []string{"/repo/?view=templates&q=" + queryEscape(notes), "/repo/?view=templates", "/repo/?template=" + queryEscape(name), "/repo/?template=" + queryEscape(notes)} {
			w := get(t, page, target)
			body := w.Body.String()
			require.True(t, utf8.ValidString(body))
			for _, tag := range tags(body) {
				require.True(t, allowed[tag], "<%s in %s", tag, target)
			}
			refs, _ := links(body)
			for _, ref := range refs {
				u, err := url.Parse(ref)
				require.NoError(t, err, ref)
				require.Empty(t, u.Scheme+u.Host+u.RawQuery, ref)
			}
		}
		for kind, text := range snippetsOf(t, "https://h", p) {
			require.False(t, strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\n' || r == 0x7f }), "%s: %q", kind, text)
			require.NotEqual(t, byte('-'), path.Base(file)[0])
		}
	})
}

func TestTextIsWhatItWas(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", `<&>"'`: `<&>"'`, "ä日": "ä日", "a\nb": "a␊b", "\x7f": "␡", "\xff": "\uFFFD", "\u009b": "\uFFFD", "a\u202eb": "a\uFFFDb", "\uFFFD": "\uFFFD",
	} {
		_, texts := links(get(t, bundles(fileEntry(in, 1)), "/bundles/").Body.String())
		require.Equal(t, want, html.UnescapeString(texts[len(texts)-1]))
	}
}
