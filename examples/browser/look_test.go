package browser_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages are one of each kind.
var pages = map[string]string{
	"top": "/", "listing": "/bundles/", "templates": "/repo/?view=templates", "template": "/repo/?template=el8.2-base&version=v2",
	"search": "/repo/?view=templates&q=nothing", "none": "/repo/?template=none",
}

func TestDarkAndLight(t *testing.T) {
	base, p := site(t), newPage(t)
	brightness := func(what string) float64 {
		return p.number(`(() => { const c = getComputedStyle(document.documentElement).` + what + `.match(/[\d.]+/g).map(Number); return (c[0] + c[1] + c[2]) / 3; })()`)
	}
	for name, path := range pages {
		for _, scheme := range []string{"light", "dark"} {
			p.media(scheme, "screen")
			p.open(base + path)
			if scheme == "light" {
				require.Greater(t, brightness("backgroundColor"), 240.)
				require.Less(t, brightness("color"), 60.)
			} else {
				require.Less(t, brightness("backgroundColor"), 40.)
				require.Greater(t, brightness("color"), 200.)
			}
			for _, width := range []int{1200, 768, 360} {
				p.size(width, 800)
				p.picture(name + "-" + scheme + "-" + strconv.Itoa(width))
				require.LessOrEqual(t, p.number("document.documentElement.scrollWidth"), float64(width), "%s must not be wider than the window", name)
			}
			p.size(1200, 800)
		}
	}
	if name := p.texts(`performance.getEntriesByType('resource').map(e => e.name)`); len(name) > 0 {
		require.Fail(t, "a page loads nothing else", name)
	}
	p.forget() // "none" is a 404
}

func TestPrint(t *testing.T) {
	base, p := site(t), newPage(t)
	p.media("dark", "print")
	p.open(base + "/repo/?view=templates")
	require.Equal(t, "rgb(255, 255, 255)", p.text(`getComputedStyle(document.documentElement).backgroundColor`))
	require.Equal(t, "none", p.text(`getComputedStyle(document.querySelector('form')).display`))
	p.picture("print-templates")
	p.open(base + "/repo/?template=el8.2-base&version=v2")
	require.Equal(t, "none", p.text(`getComputedStyle(document.querySelector('.snippet button')).display`))
	require.Equal(t, "pre-wrap", p.text(`getComputedStyle(document.querySelector('pre')).whiteSpace`))
	p.picture("print-template")
}

// everything is what a keyboard must reach.
const everything = `[...document.querySelectorAll('a[href], button, input:not([type=hidden]), pre[tabindex]')].filter(e => e.getClientRects().length > 0 || e.matches('.skip'))`

func TestKeyboardReachesEverything(t *testing.T) {
	base, p := site(t), newPage(t)
	for name, path := range pages {
		t.Run(name, func(t *testing.T) {
			p.size(1200, 300) // so that it has to scroll
			p.open(base + path)
			if name == "templates" {
				p.becomes(`document.querySelectorAll('.do button').length > 0`)
			}
			p.eval(`window.reached = new Set()`, nil)
			var order []string
			for range 200 {
				p.press("Tab", 0)
				var at struct {
					Text    string
					Body    bool
					Outline bool
					Seen    bool
					Again   bool
				}
				p.eval(`(() => { const e = document.activeElement;
					if (e === document.body) return {body: true};
					const again = reached.has(e), style = getComputedStyle(e), r = e.getClientRects()[0];
					reached.add(e);
					const top = Math.max(r.top, 0), bottom = Math.min(r.bottom, innerHeight), all = r.top >= 0 && r.bottom <= innerHeight;
					const on = document.elementFromPoint(r.x + Math.min(r.width / 2, 20), (top + bottom) / 2);
					return {text: e.textContent || e.id, again, outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
						seen: (all || r.height > innerHeight / 2 && bottom > top) && !!on && (e.contains(on) || on.contains(e))}; })()`, &at)
				if at.Body || at.Again {
					break
				}
				order = append(order, at.Text)
				require.True(t, at.Outline, "%q: one must see where the focus is", at.Text)
				require.True(t, at.Seen, "%q: has the focus and is not seen", at.Text)
			}
			require.Equal(t, "Skip to the content", order[0])
			left := p.texts(everything + `.filter(e => !reached.has(e)).map(e => e.outerHTML)`)
			require.Empty(t, left, "not reached")
		})
	}
	p.forget()
}

func TestSkipLink(t *testing.T) {
	base, p := site(t), newPage(t)
	p.open(base + "/bundles/")
	p.press("Tab", 0)
	p.picture("skip")
	p.press("Enter", 0)
	require.Equal(t, "main", p.text("document.activeElement.id"))
	p.press("Tab", 0)
	require.Equal(t, "Name", p.text("document.activeElement.textContent"))
}
