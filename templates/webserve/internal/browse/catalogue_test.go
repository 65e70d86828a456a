package browse_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
)

var templatePattern = regexp.MustCompile(`class=name><a href="\?template=([^"]*)"`)

// listedTemplates gives the queries of the templates' pages in their order.
func listedTemplates(body string) []string {
	var out []string
	for _, m := range templatePattern.FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestCatalogueIsATable(t *testing.T) {
	body := get(t, repo(nil), "/repo/?view=templates").Body.String()
	require.Equal(t, []string{
		"el8&amp;version=v2", "el8&amp;version=v1", "gone&amp;version=v1", "lago+Fedora%C2%AE+22&amp;version=v1",
		"virt&amp;version=&amp;arch=aarch64", "virt&amp;version=&amp;arch=x86_64",
	}, listedTemplates(body))
	require.Contains(t, body, `<tr role=row data-k="lvkc"><td role=cell class=name><a href="?template=el8&amp;version=v2">el8</a> <span>v2</span> <b>latest</b> <small>el8-v2</small>`+
		` <small class=note>The base. Of all.</small><td role=cell>rhel8.2<td role=cell>x86_64<td role=cell class=n>6.0 GiB<td role=cell class=n><a href="el8-v2.xz">1.2 GiB</a>`+
		`<td role=cell class=n>2026-11-22<td role=cell><code>0123456789012345678901234567890123456789</code></tr>`)
	require.Contains(t, body, `data-k=""><td role=cell class=name><a href="?template=gone`)
	require.Contains(t, body, `<a href="lago-Fedora-22.xz">image</a>`)
	require.Contains(t, body, `<meta name="robots" content="nofollow">`)
	require.Contains(t, body, `<span class="tab" aria-current="page">Templates</span>`)
	require.Contains(t, body, "4 templates in 6 versions, 1.2 GiB.")
	listing := get(t, repo(nil), "/repo/").Body.String()
	require.Contains(t, listing, `<a class="tab" href="?view=templates">Templates</a>`)
	require.NotContains(t, listing, "robots")
}

func TestCatalogueIsSortedAndSearched(t *testing.T) {
	for query, want := range map[string]string{
		"C=M;O=D":      "el8/v2 el8/v1",
		"C=S;O=D":      "el8/v2 el8/v1 virt/ virt/",
		"q=el8;O=D":    "el8/v2 el8/v1",
		"q=EL8+v1":     "el8/v1",
		"q=fedora":     "lago+Fedora%C2%AE+22/v1",
		"q=aarch64":    "virt/",
		"q=rhel8.2":    "el8/v2",
		"q=0123456789": "el8/v2 el8/v1",
		"q=nobody+can": "gone/v1",
		"q=nothing":    "",
	} {
		t.Run(query, func(t *testing.T) {
			body := get(t, repo(nil), "/repo/?view=templates&"+query).Body.String()
			var got []string
			for _, l := range listedTemplates(body) {
				l = strings.ReplaceAll(l, "&amp;", "&")
				name, rest, _ := strings.Cut(l, "&version=")
				version, _, _ := strings.Cut(rest, "&")
				got = append(got, name+"/"+version)
			}
			require.True(t, strings.HasPrefix(strings.Join(got, " "), want), got)
			if strings.HasPrefix(query, "q=") {
				require.Equal(t, want, strings.Join(got, " "))
			}
		})
	}
	body := get(t, repo(nil), "/repo/?view=templates&q=el8&C=S").Body.String()
	require.Contains(t, body, `<a href="?C=S;O=D;view=templates;q=el8">Download</a>`)
	require.Contains(t, body, `<input type="hidden" name="view" value="templates">`)
	require.Contains(t, body, "2 of 6 templates with “el8”")
}

func TestTemplatePage(t *testing.T) {
	w := get(t, repo(nil), "/repo/?template=el8&version=v2")
	require.Equal(t, http.StatusOK, w.Code)
	body := w.Body.String()
	for _, want := range []string{
		"<title>el8 v2</title>", "<dt>System</dt><dd>rhel8.2</dd>", "6.0 GiB <small>6,442,450,944 bytes</small>", "<dd>2026-11-22 10:07:30 UTC</dd>",
		`<p class="notes">The base.` + "\n" + `Of all.</p>`,
		`<a href="el8-v2.xz">el8-v2.xz</a> <a href="el8-v2.hash">el8-v2.hash</a> <a href="el8-v2.metadata">`,
		`<h2>Other versions</h2>`, `<a href="?template=el8&amp;version=v1">v1</a> 2026-11-22`,
		"virt-builder el8-v2 \\\n", `<h1><a href="../">templates.example.org</a><span class="sep" aria-hidden="true">/</span><a href="./">repo</a>`,
	} {
		require.Contains(t, body, want)
	}
	require.NotContains(t, body, "<form")
	require.NotContains(t, get(t, repo(nil), "/repo/?template=el8&version=v1").Body.String(), "el8.hash", "it is not there")

	require.Contains(t, get(t, repo(nil), "/repo/?template=el8").Body.String(), "<title>el8 v2</title>", "without a version the latest")
	require.Contains(t, get(t, repo(nil), "/repo/?template=lago+Fedora%C2%AE%2022&version=v1").Body.String(), "<title>lago Fedora® 22 v1</title>")
	arm := get(t, repo(nil), "/repo/?template=virt&version=&arch=aarch64").Body.String()
	require.Contains(t, arm, "virt-arm.xz")
	require.Contains(t, arm, `<a href="?template=virt&amp;version=&amp;arch=x86_64">x86_64</a>`)
	require.NotContains(t, arm, "LagoInitFile", "lago does not know it")
	require.NotContains(t, get(t, repo(nil), "/repo/?template=gone").Body.String(), "<pre", "there is nothing to fetch")
}

func TestNoSuchTemplate(t *testing.T) {
	for _, query := range []string{"template=none", "template=el8&version=v9", "template=el8&version=", "template=el8&arch=s390x", "template="} {
		for _, accept := range []string{"text/html", "application/json"} {
			w := get(t, repo(nil), "/repo/?"+query, "Accept", accept)
			require.Equal(t, http.StatusNotFound, w.Code, query)
			require.Empty(t, w.Header().Get("ETag"))
			require.Empty(t, w.Header().Get("Cache-Control"))
			require.Contains(t, w.Body.String(), "no such template")
		}
	}
}

func decode(t *testing.T, p browse.Page, target string, into any) {
	t.Helper()
	w := get(t, p, target, "Accept", "application/json")
	require.Equal(t, http.StatusOK, w.Code)
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), into), w.Body.String())
}

func TestListingAsJSON(t *testing.T) {
	far := fileEntry("far", 1)
	far.ModTime = stamp.AddDate(9000, 0, 0)
	var list []map[string]any
	decode(t, bundles(fileEntry("a:b c", 12), far, dirEntry("sub")), "/bundles/?C=N", &list)
	require.Equal(t, []map[string]any{
		{"name": "sub", "type": "directory", "size": 0., "mtime": "Sun, 22 Nov 2026 11:07:30 GMT",
			"url": "./sub/", "mod_time": "2026-11-22T11:07:30Z", "mode": 2147484141., "is_dir": true, "is_symlink": false},
		{"name": "a:b c", "type": "file", "size": 12., "mtime": "Sun, 22 Nov 2026 10:07:30 GMT",
			"url": "./a:b%20c", "mod_time": "2026-11-22T10:07:30Z", "mode": 420., "is_dir": false, "is_symlink": false},
	}, list[:2])
	require.Equal(t, "0001-01-01T00:00:00Z", list[2]["mod_time"], "JSON has no form for the year 11026")
	require.Equal(t, "[]\n", get(t, bundles(), "/", "Accept", "application/json").Body.String())
	decode(t, bundles(fileEntry("a", 1), fileEntry("b", 1)), "/bundles/?q=b", &list)
	require.Len(t, list, 1)
}

func TestCatalogueAsJSON(t *testing.T) {
	type tmpl struct {
		Name, Version, Handle, URL, SHA1, SHA512, Notes string
		Latest                                          bool
		VirtualSize                                     int64  `json:"virtual_size"`
		VirtBuilder                                     string `json:"virt_builder"`
		Snippets                                        map[string]string
	}
	var c struct {
		Templates []tmpl
		Problems  []string
	}
	decode(t, repo(errors.New("index: broken")), "/repo/?view=templates&C=S;O=D", &c)
	require.Len(t, c.Templates, 6)
	require.Equal(t, []string{"index: broken"}, c.Problems)
	require.Equal(t, "https://templates.example.org/repo/el8-v2.xz", c.Templates[0].URL)
	require.EqualValues(t, 6<<30, c.Templates[0].VirtualSize)
	require.Empty(t, c.Templates[0].Snippets)

	var one tmpl
	decode(t, repo(nil), "/repo/?template=el8&version=v2", &one)
	require.Len(t, one.Snippets, 4)
	require.Contains(t, one.Snippets["curl"], "https://templates.example.org/repo/el8-v2.xz")

	empty := repo(nil)
	empty.Catalogue = func() ([]templates.Published, error) { return nil, nil }
	require.Equal(t, `{"templates":[],"problems":[]}`+"\n", get(t, empty, "/repo/?view=templates", "Accept", "application/json").Body.String())
	require.Contains(t, get(t, empty, "/repo/?view=templates").Body.String(), "Nothing is here.")
}

// Every link of the catalogue to a template leads to that template.
func TestLinksLeadToTheirTemplates(t *testing.T) {
	all := published()
	all = append(all, templates.Published{Name: `a"b&c=d;e'<f>#?%2f+ ü`, Version: "v+1&x;", Handle: "h", File: "h.xz"})
	p := repo(nil)
	p.Catalogue = func() ([]templates.Published, error) { return all, nil }
	found := listedTemplates(get(t, p, "/repo/?view=templates").Body.String())
	require.Len(t, found, len(all))
	seen := map[string]bool{}
	for _, link := range found {
		var one struct{ Name, Version, Handle string }
		decode(t, p, "/repo/?template="+strings.ReplaceAll(link, "&amp;", "&"), &one)
		seen[one.Handle] = true
		require.Contains(t, link, url.QueryEscape(one.Name))
	}
	require.Len(t, seen, len(all))
}
