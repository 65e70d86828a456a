package browse_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
)

const manyEntries = 10_000

// large is a directory of 10,000 files and as many templates.
func large() browse.Page {
	p := browse.Page{Path: "/repo/", BaseURL: "https://templates.example.org"}
	list := make([]templates.Published, manyEntries)
	for i := range manyEntries {
		name := fmt.Sprintf("el8.2-template-%05d", i)
		p.Entries = append(p.Entries, fileEntry(name+".xz", int64(i)<<20))
		list[i] = templates.Published{Name: name, Version: "v1", Handle: name, Latest: true, Osinfo: "rhel8.2", Arch: "x86_64", VirtualSize: 6 << 30,
			PackedSize: int64(i) << 20, Time: stamp, File: name + ".xz", SHA1: fmt.Sprintf("%040x", i), SHA512: fmt.Sprintf("%0128x", i), VirtBuilder: name}
	}
	p.Catalogue = func() ([]templates.Published, error) { return list, nil }
	return p
}

var views = map[string]string{"files": "/repo/", "templates": "/repo/?view=templates", "searched": "/repo/?view=templates&q=9999", "one": "/repo/?template=el8.2-template-09999"}

// A page of 10,000 entries must be there before anybody waits for it.
func TestLargePagesAreMadeInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	p := large()
	for name, target := range views {
		for _, accept := range []string{"text/html", "application/json"} {
			best := time.Hour
			for range 5 {
				start := time.Now()
				w := get(t, p, target, "Accept", accept)
				best = min(best, time.Since(start))
				require.Equal(t, http.StatusOK, w.Code)
			}
			t.Logf("%s as %s: %v", name, accept, best)
			if !raced {
				require.Less(t, best, 100*time.Millisecond, "%s as %s", name, accept)
			}
		}
	}
}

func BenchmarkServe(b *testing.B) {
	p := large()
	for name, target := range views {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, target, nil)
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				browse.Serve(w, r, p)
				b.SetBytes(int64(w.Body.Len()))
			}
		})
	}
}
