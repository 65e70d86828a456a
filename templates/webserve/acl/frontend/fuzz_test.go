package frontend_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// seeds are all configurations of the tests.
func seeds(f *testing.F, format frontend.Format) {
	for _, c := range goodConfs {
		f.Add(c.text)
	}
	for _, c := range badConfs {
		f.Add(c.text)
	}
	for _, p := range policies(f) {
		f.Add(string(export(f, format, p, frontend.ExportOptions{})))
	}
}

// imported checks what holds for any text: an error has a place, and a policy is
// one that can be exported and comes back as it is.
func imported(t *testing.T, format frontend.Format, text string) {
	p, err := frontend.Import("conf", strings.NewReader(text), frontend.ImportOptions{Format: format})
	if err != nil {
		require.Nil(t, p)
		var pe *acl.ParseError
		require.ErrorAs(t, err, &pe)
		require.LessOrEqual(t, pe.Line, strings.Count(text, "\n")+1)
		require.NotContains(t, err.Error(), "\x1b")
		return
	}
	require.NoError(t, p.Check())
	out := export(t, format, p, frontend.ExportOptions{})
	again, err := frontend.Import("again", strings.NewReader(string(out)), frontend.ImportOptions{})
	require.NoError(t, err, "%s", out)
	require.Nil(t, acl.Diff(p, again), "%s", out)
}

func FuzzImportHTTPD(f *testing.F) {
	seeds(f, frontend.HTTPD)
	f.Fuzz(func(t *testing.T, text string) { imported(t, frontend.HTTPD, text) })
}

func FuzzImportNginx(f *testing.F) {
	seeds(f, frontend.Nginx)
	f.Fuzz(func(t *testing.T, text string) { imported(t, frontend.Nginx, text) })
}
