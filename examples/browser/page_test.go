package browser_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// page is a tab in a profile of its own.
type page struct {
	t       *testing.T
	c       *chromium
	session string
	loaded  chan struct{}

	mu     sync.Mutex
	faults []string // what the console told
}

// newPage opens a tab of the size that most tests want.
func newPage(t *testing.T) *page {
	t.Helper()
	p := &page{t: t, c: browserOf(t), loaded: make(chan struct{}, 16)}
	var ctx struct {
		ID string `json:"browserContextId"`
	}
	require.NoError(t, p.c.call("", "Target.createBrowserContext", map[string]any{}, &ctx))
	var target struct {
		ID string `json:"targetId"`
	}
	require.NoError(t, p.c.call("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": ctx.ID}, &target))
	var session struct {
		ID string `json:"sessionId"`
	}
	require.NoError(t, p.c.call("", "Target.attachToTarget", map[string]any{"targetId": target.ID, "flatten": true}, &session))
	p.session = session.ID
	p.c.watch(p.session, p.event)
	t.Cleanup(func() {
		require.NoError(t, p.c.call("", "Target.disposeBrowserContext", map[string]any{"browserContextId": ctx.ID}, nil))
		p.mu.Lock()
		defer p.mu.Unlock()
		require.Empty(t, p.faults, "the console must be empty: no error, nothing that the policy forbids")
	})
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		p.call(domain+".enable", nil, nil)
	}
	p.call("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil)
	require.NoError(t, p.c.call("", "Browser.grantPermissions", map[string]any{
		"permissions": []string{"clipboardReadWrite", "clipboardSanitizedWrite"}, "browserContextId": ctx.ID}, nil))
	p.size(1200, 800)
	return p
}

// event takes note of what the page does by itself.
func (p *page) event(m message) {
	switch m.Method {
	case "Page.loadEventFired":
		p.loaded <- struct{}{}
	case "Runtime.exceptionThrown", "Log.entryAdded":
		p.mu.Lock()
		p.faults = append(p.faults, string(m.Params))
		p.mu.Unlock()
	}
}

// forget takes back what the console told: a test expected it.
func (p *page) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = nil
}

func (p *page) call(method string, params, result any) {
	p.t.Helper()
	require.NoError(p.t, p.c.call(p.session, method, params, result), method)
}

// open goes to an address and waits until all of it is there.
func (p *page) open(url string) {
	p.t.Helper()
	var nav struct {
		Error string `json:"errorText"`
	}
	p.loading(func() { p.call("Page.navigate", map[string]any{"url": url}, &nav) })
	require.Empty(p.t, nav.Error)
}

// loading does what makes another page load, and waits for it.
func (p *page) loading(act func()) {
	p.t.Helper()
	for len(p.loaded) > 0 {
		<-p.loaded
	}
	act()
	select {
	case <-p.loaded:
	case <-time.After(patience):
		require.Fail(p.t, "the page did not load")
	}
}

// eval evaluates an expression in the page, waits if it is a promise, and gives
// its value.
func (p *page) eval(expression string, into any) {
	p.t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception *struct {
			Text      string `json:"text"`
			Exception struct {
				Description string `json:"description"`
			} `json:"exception"`
		} `json:"exceptionDetails"`
	}
	p.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true}, &r)
	if r.Exception != nil {
		require.Failf(p.t, "exception", "%s %s\nin %s", r.Exception.Text, r.Exception.Exception.Description, expression)
	}
	if into != nil {
		require.NoError(p.t, json.Unmarshal(r.Result.Value, into), "%s\n%s", expression, r.Result.Value)
	}
}

func (p *page) text(expression string) (s string) {
	p.t.Helper()
	p.eval(expression, &s)
	return s
}

func (p *page) texts(expression string) (s []string) {
	p.t.Helper()
	p.eval(expression, &s)
	return s
}

func (p *page) number(expression string) (n float64) {
	p.t.Helper()
	p.eval(expression, &n)
	return n
}

// becomes waits until an expression is true.
func (p *page) becomes(expression string) {
	p.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		var yes bool
		if p.eval("!!("+expression+")", &yes); yes {
			return
		}
	}
	require.Failf(p.t, "never true", "%s\n%s", expression, p.text("document.body.innerText.slice(0, 2000)"))
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// click clicks on the middle of an element, as with a mouse.
func (p *page) click(selector string) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.eval(`(() => { const e = document.querySelector(`+quoted(selector)+`); e.scrollIntoView({block: 'center'});
		const r = e.getBoundingClientRect(); return {x: r.x + r.width / 2, y: r.y + r.height / 2}; })()`, &at)
	for _, kind := range []string{"mouseMoved", "mousePressed", "mouseReleased"} {
		params := map[string]any{"type": kind, "x": at.X, "y": at.Y}
		if kind != "mouseMoved" {
			params["button"], params["clickCount"] = "left", 1
		}
		p.call("Input.dispatchMouseEvent", params, nil)
	}
}

// keys of a keyboard that tests press, by their codes.
var keys = map[string]int{"Tab": 9, "Enter": 13}

func (p *page) press(key string, modifiers int) {
	p.t.Helper()
	params := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": keys[key], "modifiers": modifiers}
	if key == "Enter" {
		params["text"] = "\r"
	}
	p.call("Input.dispatchKeyEvent", params, nil)
	params["type"] = "keyUp"
	delete(params, "text")
	p.call("Input.dispatchKeyEvent", params, nil)
}

// write puts text where the focus is.
func (p *page) write(text string) {
	p.t.Helper()
	p.call("Input.insertText", map[string]any{"text": text}, nil)
}

// search puts words into the search box in place of those that are there.
func (p *page) search(words string) {
	p.t.Helper()
	p.eval("(() => { const q = document.querySelector('#q'); q.focus(); q.select(); })()", nil)
	if words == "" {
		p.eval("document.execCommand('delete')", nil)
		return
	}
	p.write(words)
}

func (p *page) size(width, height int) {
	p.t.Helper()
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}, nil)
}

// media sets the colour scheme, "light" or "dark", and "screen" or "print".
func (p *page) media(scheme, medium string) {
	p.t.Helper()
	p.call("Emulation.setEmulatedMedia", map[string]any{"media": medium, "features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
}

// clipboard reads what was copied.
func (p *page) clipboard() string {
	p.t.Helper()
	return p.text("navigator.clipboard.readText()")
}

// picture takes a picture of what is seen, where pictures are wanted.
func (p *page) picture(name string) {
	p.t.Helper()
	dir := os.Getenv("TPLKIT_ARTIFACTS")
	if dir == "" {
		return
	}
	var shot struct{ Data string }
	p.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	require.NoError(p.t, err)
	require.NoError(p.t, os.MkdirAll(dir, 0o755))
	require.NoError(p.t, os.WriteFile(filepath.Join(dir, name+".png"), data, 0o644))
}

// shown gives the first line of each row of the table that is seen.
func (p *page) shown() []string {
	p.t.Helper()
	return p.texts(`[...document.querySelectorAll('tbody:not(.up) tr')].filter(r => !r.hidden && !r.parentNode.hidden).map(r => r.querySelector('a').textContent)`)
}
