package browse_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
)

var stamp = time.Date(2026, 11, 22, 10, 7, 30, 0, time.UTC)

func fileEntry(name string, size int64) browse.Entry {
	return browse.Entry{Name: name, Size: size, ModTime: stamp, Mode: 0o644}
}

func dirEntry(name string) browse.Entry {
	return browse.Entry{Name: name, Dir: true, Size: 4096, ModTime: stamp.Add(time.Hour), Mode: fs.ModeDir | 0o755}
}

// bundles is a directory that has no catalogue.
func bundles(entries ...browse.Entry) browse.Page {
	return browse.Page{Path: "/bundles/", Entries: entries, BaseURL: "https://templates.example.org"}
}

func get(t testing.TB, p browse.Page, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return ask(t, http.MethodGet, p, target, header...)
}

func ask(t testing.TB, method string, p browse.Page, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	path, query, _ := strings.Cut(target, "?")
	r.URL = &url.URL{Path: path, RawQuery: query}
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	browse.Serve(w, r, p)
	return w
}

var hrefPattern = regexp.MustCompile(`<a(?: class="?\w+"?)? href="([^"]*)"[^>]*>([^<]*)</a>`)

// links gives the links of a page, less those with a query and a fragment.
func links(body string) (refs, texts []string) {
	for _, m := range hrefPattern.FindAllStringSubmatch(body, -1) {
		ref := html.UnescapeString(m[1])
		if !strings.ContainsAny(ref, "?#") {
			refs = append(refs, ref)
			texts = append(texts, html.UnescapeString(m[2]))
		}
	}
	return refs, texts
}

// rows gives the links of a listing's table in their order.
func rows(t testing.TB, w *httptest.ResponseRecorder) []string {
	t.Helper()
	require.Equal(t, http.StatusOK, w.Code)
	_, table, ok := strings.Cut(w.Body.String(), "<tbody")
	require.True(t, ok || strings.Contains(w.Body.String(), "Nothing"), w.Body.String())
	refs, _ := links(table)
	return refs
}

func TestListingHasALinkForEveryEntry(t *testing.T) {
	w := get(t, bundles(fileEntry("a.xz", 1288490189), fileEntry("b c.txt", 12), dirEntry("sub")), "/bundles/")
	require.Equal(t, []string{"../", "sub/", "a.xz", "b%20c.txt"}, rows(t, w))
	body := w.Body.String()
	require.Contains(t, body, "<title>Index of /bundles/</title>")
	require.Contains(t, body, `<a href="a.xz">a.xz</a> <td role=cell>2026-11-22 10:07 <td role=cell>1.2G</tr>`)
	require.Contains(t, body, `<a href="sub/">sub/</a> <td role=cell>2026-11-22 11:07 <td role=cell>-</tr>`)
	require.Contains(t, body, "1 directory, 2 files, 1.2 GiB; the newest of 2026-11-22.")
	require.NotContains(t, body, "Templates", "there is no catalogue here")
	require.Contains(t, body, `<h1><a href="../">templates.example.org</a>`)
}

func TestTopOfTheTree(t *testing.T) {
	p := browse.Page{Path: "/", Entries: []browse.Entry{dirEntry("bundles"), dirEntry("repo")}, BaseURL: "http://h:8080"}
	w := get(t, p, "/")
	require.Equal(t, []string{"bundles/", "repo/"}, rows(t, w), "the top has no parent")
	require.Contains(t, w.Body.String(), "Templates for lago and virt-builder")
	require.NotContains(t, w.Body.String(), "kubevirt", "what the visitor may not see is not named")
	require.NotContains(t, w.Body.String(), "KubeVirt")
	p.BaseURL, p.Entries = "", nil
	require.Contains(t, get(t, p, "/").Body.String(), "Nothing is here.")
}

func TestListingIsSorted(t *testing.T) {
	a, b, c := fileEntry("a", 30), fileEntry("b", 10), fileEntry("c", 20)
	a.ModTime, b.ModTime, c.ModTime = stamp, stamp.Add(2*time.Hour), stamp.Add(time.Hour)
	p := bundles(a, b, c, dirEntry("d"))
	for query, want := range map[string]string{
		"": "d/ a b c", "C=N;O=A": "d/ a b c", "C=N;O=D": "d/ c b a", "C=N&O=D": "d/ c b a", "O=D": "d/ c b a",
		"C=M;O=A": "d/ a c b", "C=M;O=D": "d/ b c a", "C=S": "d/ b c a", "C=S;O=D": "d/ a c b", "O=D;C=S": "d/ a c b",
		"C=D;O=A": "d/ a b c", "C=%zz": "d/ a b c", "C=S;C=M": "d/ b c a", "C=SS": "d/ a b c", "F=2;C=S;V=1": "d/ b c a",
		"view=templates": "d/ a b c", "template=x": "d/ a b c",
	} {
		t.Run(query, func(t *testing.T) {
			require.Equal(t, "../ "+want, strings.Join(rows(t, get(t, p, "/bundles/?"+query)), " "))
		})
	}
	body := get(t, p, "/bundles/?C=M;O=D;q=b").Body.String()
	require.Contains(t, body, `aria-sort="descending"><a href="?C=M;O=A;q=b">Modified`)
	require.Contains(t, body, `aria-sort="none"><a href="?C=N;O=A;q=b">Name`)
	require.Contains(t, body, `<input type="hidden" name="C" value="M"><input type="hidden" name="O" value="D">`)
	require.Contains(t, get(t, p, "/bundles/").Body.String(), `aria-sort="ascending"><a href="?C=N;O=D">Name`)
}

func TestListingIsSearched(t *testing.T) {
	p := bundles(fileEntry("Alpha-1.xz", 1), fileEntry("alpha-2.xz", 1), fileEntry("beta.xz", 1), dirEntry("Ärger"))
	for query, want := range map[string]string{
		"q=ALPHA": "Alpha-1.xz alpha-2.xz", "q=xz+2": "alpha-2.xz", "q=%20beta%20": "beta.xz", "q=": "%C3%84rger/ Alpha-1.xz alpha-2.xz beta.xz",
		"q=%C3%A4": "%C3%84rger/", "q=nothing": "", "q=" + strings.Repeat("x", 1000): "", "q=%ff": "%C3%84rger/ Alpha-1.xz alpha-2.xz beta.xz",
	} {
		t.Run(query, func(t *testing.T) {
			w := get(t, p, "/bundles/?"+query)
			require.Equal(t, strings.TrimSpace("../ "+want), strings.Join(rows(t, w), " "))
		})
	}
	body := get(t, p, "/bundles/?q=%3Cb%3E%22").Body.String()
	require.Contains(t, body, `value="&lt;b&gt;&#34;"`)
	require.Contains(t, body, "0 of 4 entries with “&lt;b&gt;&#34;”")
	require.Contains(t, body, "Nothing matches.")
}

func TestAnswerIsWhole(t *testing.T) {
	p := repo(nil)
	for _, target := range []string{"/repo/", "/repo/?view=templates", "/repo/?template=el8&version=v1"} {
		for _, accept := range []string{"text/html", "application/json"} {
			w := get(t, p, target, "Accept", accept)
			require.Equal(t, http.StatusOK, w.Code)
			h := w.Header()
			require.Equal(t, fmt.Sprint(w.Body.Len()), h.Get("Content-Length"))
			require.True(t, strings.HasPrefix(h.Get("Content-Type"), accept), h)
			require.Equal(t, []string{"Accept"}, h.Values("Vary"))
			require.Equal(t, "no-cache", h.Get("Cache-Control"))
			require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
			require.NotEmpty(t, h.Get("ETag"))
			require.Empty(t, h.Get("Content-Encoding"))

			head := ask(t, http.MethodHead, p, target, "Accept", accept)
			require.Equal(t, h, head.Header())
			require.Zero(t, head.Body.Len())

			for _, match := range []string{h.Get("ETag"), `"x", W/` + h.Get("ETag"), "*"} {
				again := get(t, p, target, "Accept", accept, "If-None-Match", match)
				require.Equal(t, http.StatusNotModified, again.Code, match)
				require.Equal(t, h.Get("ETag"), again.Header().Get("ETag"))
				require.Empty(t, again.Header().Get("Content-Length"))
				require.Zero(t, again.Body.Len())
			}
			require.Equal(t, http.StatusOK, get(t, p, target, "Accept", accept, "If-None-Match", `"x"`).Code)
		}
	}
}

func TestCallerDecidesOnCaching(t *testing.T) {
	w := httptest.NewRecorder()
	w.Header().Set("Cache-Control", "private, no-store")
	browse.Serve(w, httptest.NewRequest(http.MethodGet, "/kubevirt/", nil), browse.Page{Path: "/kubevirt/"})
	require.Equal(t, "private, no-store", w.Header().Get("Cache-Control"))
}

func TestPolicyAllowsThePageAndNothingElse(t *testing.T) {
	for _, target := range []string{"/repo/", "/repo/?view=templates", "/repo/?template=el8&version=v1", "/repo/?template=none"} {
		w := get(t, repo(nil), target)
		policy, body := w.Header().Get("Content-Security-Policy"), w.Body.String()
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "unsafe")
		for _, tag := range []string{"style", "script"} {
			require.Equal(t, 1, strings.Count(body, "<"+tag), target)
			_, rest, _ := strings.Cut(body, "<"+tag+">")
			inside, _, ok := strings.Cut(rest, "</"+tag+">")
			require.True(t, ok)
			sum := sha256.Sum256([]byte(inside))
			require.Contains(t, policy, tag+"-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
		}
		require.NotRegexp(t, `<[^>]* (style|on[a-z]+)=`, body, "neither is allowed by the policy")
		require.NotContains(t, body, "http-equiv")
	}
}

func TestAccept(t *testing.T) {
	p := bundles(fileEntry("a", 1))
	for accept, json := range map[string]bool{
		"": false, "*/*": false, "text/html": false, "application/json": true, "application/json, */*": true, "APPLICATION/JSON": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": false,
		"application/json;q=0.5, text/html;q=0.4":                         true,
		"application/json;q=0.4, text/html;q=0.5":                         false,
		"application/json, text/html":                                     false,
		"application/json;q=0":                                            false,
		"application/json;q=x":                                            false,
		"application/json;q=2":                                            false,
		"application/json;charset=utf-8;q=1":                              true,
		"application/jsonp, text/*":                                       false,
	} {
		w := get(t, p, "/bundles/", "Accept", accept)
		require.Equal(t, json, w.Header().Get("Content-Type") == "application/json", accept)
	}
	require.Equal(t, "application/json", get(t, p, "/", "Accept", "text/html;q=0.1", "Accept", "application/json").Header().Get("Content-Type"))
}

// published is what the catalogue of the tests holds.
func published() []templates.Published {
	sum1, sum512 := strings.Repeat("0123456789", 4), strings.Repeat("ab", 64)
	return []templates.Published{
		{Name: "el8", Version: "v2", Handle: "el8-v2", Latest: true, Osinfo: "rhel8.2", Arch: "x86_64", Distro: "el8", VirtualSize: 6 << 30, PackedSize: 1288490189,
			Time: stamp, File: "el8-v2.xz", SHA1: sum1, SHA512: sum512, VirtBuilder: "el8-v2", Notes: "The base.\nOf all."},
		{Name: "el8", Version: "v1", Handle: "el8", Arch: "x86_64", Distro: "el8", PackedSize: 1000, Time: stamp.Add(-time.Hour), File: "el8.xz", SHA1: sum1},
		{Name: "gone", Version: "v1", Handle: "gone", Latest: true, Notes: "Its image is not here, so nobody can fetch it."},
		{Name: "lago Fedora® 22", Version: "v1", Handle: "lago-Fedora-22", Latest: true, File: "lago-Fedora-22.xz"},
		{Name: "virt", Handle: "virt-arm", Latest: true, Arch: "aarch64", File: "virt-arm.xz", PackedSize: 500, VirtBuilder: "virt"},
		{Name: "virt", Handle: "virt", Arch: "x86_64", File: "virt.xz", PackedSize: 500, VirtBuilder: "virt"},
	}
}

// repo is the repository of the tests, with an error of its catalogue.
func repo(err error) browse.Page {
	return browse.Page{
		Path: "/repo/", BaseURL: "https://templates.example.org",
		Entries:   []browse.Entry{fileEntry("el8-v2.hash", 40), fileEntry("el8-v2.metadata", 40), fileEntry("el8-v2.xz", 1288490189), fileEntry("repo.metadata", 5)},
		Catalogue: func() ([]templates.Published, error) { return published(), err },
	}
}

func TestFaultsOfTheCatalogueAreTold(t *testing.T) {
	p := repo(errors.Join(errors.New("index: line 1: <b>"), errors.New("second")))
	for _, target := range []string{"/repo/?view=templates", "/repo/?template=el8", "/repo/?template=none"} {
		body := get(t, p, target).Body.String()
		require.Contains(t, body, "<li>index: line 1: &lt;b&gt;</li><li>second</li>")
	}
	p.Catalogue = func() ([]templates.Published, error) { return nil, fs.ErrPermission }
	w := get(t, p, "/repo/?view=templates")
	require.Equal(t, http.StatusOK, w.Code)
	require.Contains(t, w.Body.String(), "permission denied")
}
