package browser_test

import (
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWalkThroughListings(t *testing.T) {
	base, p := site(t), newPage(t)
	p.open(base + "/")
	require.Equal(t, []string{"bundles/", "kubevirt/", "repo/", "yum/"}, p.shown())
	p.picture("top")
	p.loading(func() { p.click(`a[href="bundles/"]`) })
	require.Equal(t, "Index of /bundles/", p.text("document.title"))
	require.Equal(t, []string{"<img src=x onerror=alert(1)>\"'.txt", "a <b> & 'c'.txt"}, p.shown()[1:3])
	p.picture("listing")
	p.loading(func() { p.click(`a[href="?C=S;O=A"]`) })
	require.Equal(t, "ascending", p.text(`document.querySelector('th.size').ariaSort`))
	require.Equal(t, "größe.tar.xz", p.shown()[4])
	p.loading(func() { p.click(`a[href="?C=S;O=D"]`) })
	require.Equal(t, "größe.tar.xz", p.shown()[1])
	p.loading(func() { p.click(`a[href="ovirt-demo-tool/"]`) })
	require.Equal(t, []string{"4.2/", "release-notes.txt"}, p.shown())
	p.loading(func() { p.click(`.up a`) })
	require.Equal(t, "/bundles/", p.text("location.pathname"))
	p.loading(func() { p.click(`h1 a`) })
	require.Equal(t, "/", p.text("location.pathname"))
	p.loading(func() { p.click(`small a, a[href="repo/"]`) })
	p.loading(func() { p.click(`a.tab`) })
	require.Equal(t, "?view=templates", p.text("location.search"))
	require.Equal(t, []string{"debian12-base", "el8.2-base", "el8.2-base", "el8.2-engine", "el9-base", "el9-base-ppc64le", "fc40-base", "lago Fedora® 22"}, p.shown())
	p.picture("templates")
	p.loading(func() { p.click(`tbody tr:nth-child(2) a`) })
	require.Equal(t, "el8.2-base v2", p.text("document.title"))
	p.picture("template")
	p.loading(func() { p.click(`.versions a`) })
	require.Equal(t, "el8.2-base v1", p.text("document.title"))
}

func TestSearchAsOneTypes(t *testing.T) {
	base, p := site(t), newPage(t)
	p.open(base + "/repo/?view=templates")
	p.search("EL9")
	p.becomes(`document.querySelector('#count').textContent === '2 of 8 templates with “EL9”'`)
	require.Equal(t, []string{"el9-base", "el9-base-ppc64le"}, p.shown())
	p.write(" ppc64")
	require.Equal(t, []string{"el9-base-ppc64le"}, p.shown())
	p.picture("search")
	p.becomes(`location.search === '?view=templates&q=EL9%20ppc64'`)
	require.Equal(t, "?C=S;O=A;view=templates;q=EL9%20ppc64", p.text(`document.querySelectorAll('thead a')[1].getAttribute('href')`))
	p.loading(func() { p.click("thead .date a") })
	require.Equal(t, []string{"el9-base-ppc64le"}, p.shown(), "sorting keeps the search")

	// What the server left out comes back when the search is another.
	require.Equal(t, 1., p.number("document.querySelectorAll('tbody tr').length"))
	p.search("fedora22")
	p.becomes(`document.querySelectorAll('tbody tr').length === 8`)
	require.Equal(t, []string{"lago Fedora® 22"}, p.shown())
	p.search("nothing like it")
	require.Empty(t, p.shown())
	require.Equal(t, "Nothing matches.", p.text(`document.querySelector('#nothing:not([hidden])').textContent`))
	p.search("")
	p.becomes(`location.search === '?C=M&O=A&view=templates'`)
	require.Len(t, p.shown(), 8)
	require.Equal(t, "8 templates", p.text(`document.querySelector('#count').textContent`))
	require.Equal(t, "lago Fedora® 22", p.shown()[0], "it is still sorted by date")

	p.open(base + "/bundles/?C=N;O=D")
	p.search("<B>")
	require.Equal(t, []string{"a <b> & 'c'.txt"}, p.shown())
	p.loading(func() { p.press("Enter", 0) })
	require.Equal(t, "?q=%3CB%3E&C=N&O=D", p.text("location.search"))
	require.Equal(t, []string{"a <b> & 'c'.txt"}, p.shown())
}

// snippets asks the server for what a template's buttons are to copy.
func snippets(t *testing.T, base, name, version string) map[string]string {
	t.Helper()
	var one struct{ Snippets map[string]string }
	fetchJSON(t, base+"/repo/?template="+url.QueryEscape(name)+"&version="+url.QueryEscape(version), &one)
	require.Len(t, one.Snippets, 4)
	return one.Snippets
}

func TestCopyButtonsOfTheCatalogue(t *testing.T) {
	base, p := site(t), newPage(t)
	p.open(base + "/repo/?view=templates")
	p.becomes(`document.querySelectorAll('.do button').length === 32`)
	for row, want := range map[string][2]string{"2": {"el8.2-base", "v2"}, "3": {"el8.2-base", "v1"}, "8": {"lago Fedora® 22", "v1"}} {
		texts := snippets(t, base, want[0], want[1])
		for i, kind := range []string{"lago", "virt-builder", "cdi", "curl"} {
			button := `tbody tr:nth-child(` + row + `) .do button:nth-child(` + string(rune('1'+i)) + `)`
			p.eval(`document.querySelector('#said').textContent = ''`, nil)
			p.click(button)
			p.becomes(`document.querySelector('#said').textContent.startsWith('Copied: ')`)
			require.Equal(t, texts[kind], p.clipboard())
			require.Contains(t, p.text(`document.querySelector('#said').textContent`), want[0]+" "+want[1])
			require.Contains(t, p.text(`document.querySelector(`+quoted(button)+`).ariaLabel`), p.text(`document.querySelector(`+quoted(button)+`).textContent`),
				"who speaks to the machine says what is written on the button")
		}
	}
	p.picture("copied")
}

func TestCopyButtonsOfATemplate(t *testing.T) {
	base, p := site(t), newPage(t)
	p.open(base + "/repo/?template=el8.2-base&version=v2")
	texts := snippets(t, base, "el8.2-base", "v2")
	for i, kind := range []string{"lago", "virt-builder", "cdi", "curl"} {
		p.eval(`document.querySelector('#said').textContent = ''`, nil)
		p.click(`.snippet:nth-of-type(` + string(rune('1'+i)) + `) button`)
		p.becomes(`document.querySelector('#said').textContent.startsWith('Copied: ')`)
		require.Equal(t, texts[kind], p.clipboard())
		require.Equal(t, texts[kind], p.text(`document.querySelectorAll('pre')[`+string(rune('0'+i))+`].textContent`))
	}
}

// A page over plain http has no clipboard API.
func TestCopyingWithoutTheClipboardAPI(t *testing.T) {
	base, p, reader := site(t), newPage(t), newPage(t)
	reader.open(base + "/")
	p.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `Object.defineProperty(navigator, 'clipboard', {value: undefined})`}, nil)
	p.open(base + "/repo/?view=templates")
	p.becomes(`document.querySelector('.do button')`)
	texts := snippets(t, base, "debian12-base", "v5")
	p.click(`.do button`)
	p.becomes(`document.querySelector('#said').textContent.startsWith('Copied: ')`)
	require.Equal(t, texts["lago"], reader.clipboard())
	require.Equal(t, "lago", p.text(`document.activeElement.textContent`), "the focus is where it was")
}

func TestCopyingThatFailsIsTold(t *testing.T) {
	base, p := site(t), newPage(t)
	p.open(base + "/repo/?view=templates")
	p.becomes(`document.querySelector('.do button')`)
	p.eval(`window.fetch = () => Promise.reject(new Error('no network'))`, nil)
	p.click(`.do button`)
	p.becomes(`document.querySelector('#said').textContent.startsWith('Could not copy.')`)
}

func TestWithoutScript(t *testing.T) {
	base, p := site(t), newPage(t)
	p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	p.open(base + "/repo/?view=templates")
	require.Len(t, p.shown(), 8)
	require.Equal(t, 0., p.number("document.querySelectorAll('main button').length"), "no button that does nothing")
	p.picture("noscript-templates")
	p.click("#q")
	p.write("el9")
	require.Len(t, p.shown(), 8)
	p.loading(func() { p.click("form button") })
	require.Equal(t, []string{"el9-base", "el9-base-ppc64le"}, p.shown())
	p.loading(func() { p.click("thead .date a") })
	require.Equal(t, []string{"el9-base", "el9-base-ppc64le"}, p.shown())
	p.loading(func() { p.click("tbody a") })
	require.Equal(t, "el9-base 20261118", p.text("document.title"))
	require.Equal(t, snippets(t, base, "el9-base", "20261118")["curl"], p.text(`document.querySelectorAll('pre')[3].textContent`))
	require.Equal(t, 0., p.number("document.querySelectorAll('button').length"))
	p.loading(func() { p.click(".tab") })
	p.loading(func() { p.click(`a[href="el9-base.hash"], .up a`) })
}

// What could not be read is told, and the rest is there.
func TestFaultsOfTheRepository(t *testing.T) {
	r := tree{t, t.TempDir()}
	r.publish(small)
	r.put("repo/index", "[gone]\nfile=gone.xz\n\n[<b>]\n")
	r.put("repo/el9-base.hash", "<b>no hash</b>")
	base, p := serve(t, r.dir), newPage(t)
	p.open(base + "/repo/?view=templates")
	require.Len(t, p.shown(), 8)
	require.Contains(t, p.text(`document.querySelector('.faults').innerText`), `index: line 4: section ID "<b>"`)
	require.Contains(t, p.text(`document.querySelector('tbody tr:nth-child(5) .note').textContent`), `el9-base.hash: line 1: expected 40 hex digits`)
	require.Equal(t, "lkc", p.text(`document.querySelector('tbody tr:nth-child(5)').dataset.k`))
	p.picture("faults-light")
	p.media("dark", "screen")
	p.picture("faults-dark")
	if os.Getenv("TPLKIT_AXE") != "" {
		noViolations(t, p, axeSource(t), "faults")
	}
}

// The server passes on what pages say of themselves.
func TestHeadersOfPages(t *testing.T) {
	base := site(t)
	for path, status := range map[string]int{"/": 200, "/bundles/": 200, "/kubevirt/": 200, "/repo/?view=templates": 200, "/repo/?template=el9-base": 200, "/repo/?template=none": 404} {
		resp, err := http.Get(base + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, status, resp.StatusCode)
		h := resp.Header
		require.Contains(t, h.Get("Content-Security-Policy"), "default-src 'none'")
		require.Equal(t, "nosniff", h.Get("X-Content-Type-Options"))
		require.Equal(t, "text/html; charset=utf-8", h.Get("Content-Type"))
		require.NotEmpty(t, h.Get("Content-Length"))
		require.Contains(t, h.Values("Vary"), "Accept")
		require.Equal(t, status == 200, h.Get("ETag") != "")
		switch {
		case path == "/kubevirt/":
			require.Contains(t, h.Get("Cache-Control"), "private, no-store")
		case status == 200:
			require.Contains(t, h.Get("Cache-Control"), "no-cache")
		default:
			require.Empty(t, h.Get("Cache-Control"))
		}
	}
}
