package frontend_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// What is exported is imported again as the same policy, whatever is guessed of
// its language.
func TestExportedIsImported(t *testing.T) {
	n := 10_000
	if testing.Short() {
		n = 500
	}
	for _, f := range []frontend.Format{frontend.HTTPD, frontend.Nginx} {
		t.Run(string(f), func(t *testing.T) {
			r := rand.New(rand.NewPCG(5, 10))
			for i := range n {
				p := randomPolicy(r)
				opt := frontend.ExportOptions{NoListing: i%5 == 0}
				if i%3 == 0 {
					opt.ServerName = "templates.example.org"
				}
				if i%4 == 0 {
					opt.Listen = "[::1]:8080"
				}
				if i%7 == 0 {
					opt.Root = "/srv/ü/templates"
				}
				text := export(t, f, p, opt)
				got := importText(t, string(text), frontend.ImportOptions{Root: opt.Root})
				if acl.Diff(p, got) != nil {
					t.Fatalf("policy\n%s\n%s\ncame back as\n%s", p.Format(), text, got.Format())
				}
				require.Equal(t, []string{"conf"}, got.Files)
			}
		})
	}
}

// Many prefixes make no trouble, and those of the other formats lie in few lines.
func TestManyPrefixes(t *testing.T) {
	p := largePolicy(100_000)
	for _, f := range []frontend.Format{frontend.HTTPD, frontend.Nginx} {
		same(t, p, importText(t, string(export(t, f, p, frontend.ExportOptions{})), frontend.ImportOptions{}))
	}
	require.Len(t, p.Zones[1].Allow.Prefixes(), 100_000)
}
