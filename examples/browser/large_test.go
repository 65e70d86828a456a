package browser_test

import (
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Bounds on how long people wait, wide enough for a busy machine of two cores
// that draws in software.
const (
	mostLoading   = 5 * time.Second
	mostFiltering = 1500 * time.Millisecond
)

// download fetches a page as any client does, and tells how long that took.
func download(t *testing.T, url string) (bytes int64, took time.Duration) {
	t.Helper()
	start := time.Now()
	resp, err := http.Get(url)
	require.NoError(t, err)
	defer resp.Body.Close()
	bytes, err = io.Copy(io.Discard, resp.Body)
	require.NoError(t, err)
	return bytes, time.Since(start)
}

func TestTenThousandEntries(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	base, p := largeSite(t), newPage(t)
	for name, path := range map[string]string{"files": "/bundles/many/", "templates": "/repo/?view=templates"} {
		t.Run(name, func(t *testing.T) {
			download(t, base+path) // the first one waits for the catalogue
			bytes, alone := download(t, base+path)
			start := time.Now()
			p.open(base + path)
			// The page is usable once it answers to what is typed.
			p.search("t")
			p.becomes(`document.querySelector('#count').textContent.startsWith('10,000 of ')`)
			ready := time.Since(start)
			require.Equal(t, float64(many), p.number(`document.querySelectorAll('tbody:not(.up) tr').length`))
			p.picture("many-" + name)

			// From the key to the second frame after it, which shows the rows.
			latency := func(words string) time.Duration {
				return time.Duration(p.number(`(async () => { const q = document.querySelector('#q'), start = performance.now();
					q.value = `+quoted(words)+`; q.dispatchEvent(new Event('input'));
					await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
					return performance.now() - start; })()`) * float64(time.Millisecond))
			}
			narrow := latency(map[string]string{"files": "bundle 09999", "templates": "t09999 v1"}[name])
			require.Len(t, p.shown(), 1)
			some := latency("99")
			wide := latency("")
			require.Len(t, p.shown(), many)
			t.Logf("%s: %d KiB in %v; usable after %v; filtered to 1 in %v, to some in %v, back to all in %v", name, bytes>>10, alone, ready, narrow, some, wide)
			require.Less(t, ready, mostLoading)
			for _, d := range []time.Duration{narrow, some, wide} {
				require.Less(t, d, mostFiltering)
			}

			// The end of the page is there once one goes to it.
			p.eval(`document.querySelector('tbody:last-of-type tr:last-child').scrollIntoView()`, nil)
			p.becomes(`(r => r.top >= 0 && r.bottom <= innerHeight)(document.querySelector('tbody:last-of-type tr:last-child').getBoundingClientRect())`)
			if name == "templates" {
				p.becomes(`document.querySelector('tbody:last-of-type tr:last-child .do button')`)
				require.Less(t, p.number(`document.querySelectorAll('.do button').length`), 4*many/2., "buttons are made where one looks")
				p.click(`tbody:last-of-type tr:last-child .do button:last-child`)
				p.becomes(`document.querySelector('#said').textContent.startsWith('Copied: ')`)
				require.Contains(t, p.clipboard(), base+"/repo/t09999.xz")
			}
			p.picture("many-" + name + "-end")
		})
	}
}
