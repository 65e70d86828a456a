package webpath_test

import (
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/internal/webpath"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]webpath.Path{
		"":                           {Dir: true},
		"/":                          {Dir: true},
		"///":                        {Dir: true},
		"/repo":                      {Name: "repo"},
		"repo/x":                     {Name: "repo/x"}, // behind StripPrefix
		"/repo/":                     {Name: "repo", Dir: true},
		"//repo//x.xz":               {Name: "repo/x.xz"},
		"/kubevirt//rhel8.qcow2":     {Name: "kubevirt/rhel8.qcow2"},
		"/repo///a//b///":            {Name: "repo/a/b", Dir: true},
		"/repo/a%20b":                {Name: "repo/a b"},
		"/repo/%41":                  {Name: "repo/A"},
		"/repo/a+b":                  {Name: "repo/a+b"},
		"/repo/a%2Bb":                {Name: "repo/a+b"},
		"/repo/%C3%A9":               {Name: "repo/é"},
		"/repo/é":                    {Name: "repo/é"},
		"/repo/a%3Fb":                {Name: "repo/a?b"},
		"/repo/a%25b":                {Name: "repo/a%b"},
		"/repo/%252e%252e/kubevirt":  {Name: "repo/%2e%2e/kubevirt"}, // decoded once: a name that nobody has
		"/repo/a;b":                  {Name: "repo/a;b"},
		"/repo/..a":                  {Name: "repo/..a"},
		"/repo/a..b":                 {Name: "repo/a..b"},
		"/repo/...a":                 {Name: "repo/...a"},
		"/repo/ a":                   {Name: "repo/ a"},
		"/repo/lago-Fedora%C2%AE-22": {Name: "repo/lago-Fedora®-22"},
		"/repo/a:b":                  {Name: "repo/a:b"},
	} {
		got, err := webpath.Clean(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got, in)
	}
}

func TestCleanRefuses(t *testing.T) {
	for _, in := range []string{
		"/.", "/..", "/./repo", "/../repo", "/repo/.", "/repo/..", "/repo/./x", "/repo/../kubevirt/x", "/repo/.../x",
		"/repo/%2e", "/repo/%2E%2e/x", "/repo/.%2e/x", "/%2e%2e/x", "/repo/%2e/x",
		"/repo%2fx", "/repo%2Fx", "/repo/..%2fkubevirt", "/repo/%2f", "%2frepo",
		`/repo\x`, "/repo%5cx", "/repo/..%5ckubevirt", "/repo%5C..%5Cx",
		"/repo/%00", "/repo/x%00.xz", "/repo/x\x00", "/repo/%0a", "/repo/%0d%0ax", "/repo/%1f", "/repo/%7f", "/repo/%c2%85", "/repo/x\ty",
		"/repo/%ff", "/repo/%c0%ae%c0%ae/x", "/repo/%c0%af", "/repo/%ed%a0%80", "/repo/\xff",
		"/repo/..;/kubevirt", "/repo/..;x/kubevirt", "/repo/.;/x", "/repo/%2e%2e;/x", "/..;/x", "/repo/..%3b/x",
		"/repo/x.", "/repo./x", "/repo/x%20", "/repo%20/x", "/repo/x /y", "/repo/x%2e",
		"/repo/#x", "/repo/%23", "/repo/x%23y",
		"/repo/e%CC%81", "/repo/%E2%84%AB", "/repo/%EF%A4%80", // a composed letter written as two, Angstrom, a compatibility ideograph
		"/repo/%", "/repo/%4", "/repo/%zz", "/repo/%u002e", "/repo/%-1",
	} {
		_, err := webpath.Clean(in)
		require.Error(t, err, "%q", in)
		require.Contains(t, err.Error(), "path ")
		require.Less(t, len(err.Error()), 400)
	}
}

func TestZone(t *testing.T) {
	for name, want := range map[string][2]string{"": {"", ""}, "repo": {"repo", ""}, "repo/a/b": {"repo", "a/b"}, "Repo/x": {"Repo", "x"}} {
		zone, rest := webpath.Path{Name: name}.Zone()
		require.Equal(t, want, [2]string{zone, rest})
	}
}

func TestRedirect(t *testing.T) {
	for name, want := range map[string]string{
		"repo": "./repo/", "repo/a b": "./a%20b/", "repo/http:x": "./http:x/", "repo/a?b": "./a%3Fb/", "repo/é": "./%C3%A9/", "repo/%41": "./%2541/",
	} {
		require.Equal(t, want, webpath.Path{Name: name}.Redirect())
	}
}

func TestHidden(t *testing.T) {
	for _, s := range []string{".", "..", ".tplkit", ".TPLKIT", ".htaccess", "x.lock", "X.LOCK", "x.tmp", "x.xz.Tmp", ".x", ".lock"} {
		require.True(t, webpath.Hidden(s), s)
	}
	for _, s := range []string{"", "x", "x.xz", "lock", "tmp", "xlock", "x.lock.xz", "index", "repo.metadata", "x.hash"} {
		require.False(t, webpath.Hidden(s), s)
	}
	require.True(t, webpath.Path{Name: "repo/.tplkit/x"}.Hidden())
	require.True(t, webpath.Path{Name: "repo/a/x.lock/y"}.Hidden())
	require.False(t, webpath.Path{Name: "repo/a/x"}.Hidden())
	require.False(t, webpath.Path{}.Hidden())
}

// FuzzClean: what comes out is a name beneath the top with nothing left to
// repair, and reading it again gives the same.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"/", "//repo//x", "/repo/../x", "/repo/%2e%2e/x", "/repo/%252e", "/repo/a%20b/", "/repo/é", "/..;/x", "/repo/x#", "", "%", "/%c3%a9%00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		p, err := webpath.Clean(in)
		if err != nil {
			require.Equal(t, webpath.Path{}, p)
			return
		}
		if p.Name == "" {
			require.True(t, p.Dir)
			return
		}
		require.True(t, fs.ValidPath(p.Name), "%q from %q", p.Name, in)
		for elem := range strings.SplitSeq(p.Name, "/") {
			require.NoError(t, webpath.CheckElement(elem))
			require.NotContains(t, []string{"", ".", ".."}, elem)
			require.False(t, strings.ContainsAny(elem, "\\\x00\r\n#"))
		}
		again, err := webpath.Clean(p.Escaped())
		require.NoError(t, err, "%q", p.Escaped())
		require.Equal(t, p, again)
		require.NotContains(t, p.Redirect(), "//")
		require.True(t, strings.HasPrefix(p.Redirect(), "./"))
	})
}

func BenchmarkClean(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := webpath.Clean("/repo/el8.2-base-v1.xz"); err != nil {
			b.Fatal(err)
		}
	}
}
