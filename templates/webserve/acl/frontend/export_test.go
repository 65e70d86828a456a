package frontend_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// The files in testdata are what Export writes, to be read by people who change
// it: TPLKIT_UPDATE=1 writes them again.
func TestExportGolden(t *testing.T) {
	plain := parse(t, "zone repo\nallow all\nzone kubevirt\nallow 192.0.2.0/24 198.51.100.7 2001:db8::/32\n")
	full := parse(t, "denied 404\ntrusted-proxies 10.0.0.1 10.0.1.0/24\nzone repo\nallow all\nzone a.b\nzone kubevirt\nallow 192.0.2.0/24\n")
	for name, out := range map[string][]byte{
		"httpd.conf":      export(t, frontend.HTTPD, plain, frontend.ExportOptions{}),
		"httpd-full.conf": export(t, frontend.HTTPD, full, frontend.ExportOptions{Root: "/srv/templates", ServerName: "templates.example.org", Listen: "[::1]:8080", NoListing: true}),
		"nginx.conf":      export(t, frontend.Nginx, plain, frontend.ExportOptions{}),
		"nginx-full.conf": export(t, frontend.Nginx, full, frontend.ExportOptions{Root: "/srv/templates", ServerName: "templates.example.org", Listen: "[::1]:8080", NoListing: true}),
		"Caddyfile":       export(t, frontend.Caddy, plain, frontend.ExportOptions{}),
		"Caddyfile-full":  export(t, frontend.Caddy, full, frontend.ExportOptions{Root: "/srv/templates", ServerName: "templates.example.org", Listen: "[::1]:8080", NoListing: true}),
	} {
		path := filepath.Join("testdata", name)
		if os.Getenv("TPLKIT_UPDATE") == "1" {
			require.NoError(t, os.WriteFile(path, out, 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, string(want), string(out), name)
	}
}

func TestExportRefuses(t *testing.T) {
	ok := acl.Default()
	for name, c := range map[string]struct {
		format frontend.Format
		p      *acl.Policy
		opt    frontend.ExportOptions
		want   string
	}{
		"no policy":             {"httpd", nil, frontend.ExportOptions{}, "no policy to export"},
		"a bad policy":          {"httpd", &acl.Policy{Denied: 500}, frontend.ExportOptions{}, "must be 403 or 404"},
		"a bad zone":            {"nginx", &acl.Policy{Zones: []acl.Zone{{Name: "a{b"}}}, frontend.ExportOptions{}, `zone "a{b"`},
		"PROXY headers":         {"nginx", &acl.Policy{ProxyProtocol: acl.NewSet(ok.Zones[1].Allow.Prefixes()...).Union(parse(t, "proxy-protocol 10.0.0.1\n").ProxyProtocol)}, frontend.ExportOptions{}, "proxy-protocol"},
		"another server":        {"iis", ok, frontend.ExportOptions{}, `format "iis": must be one of httpd, nginx, caddy`},
		"no server":             {"", ok, frontend.ExportOptions{}, `format ""`},
		"a relative root":       {"httpd", ok, frontend.ExportOptions{Root: "www"}, "expected an absolute path"},
		"the root of all":       {"httpd", ok, frontend.ExportOptions{Root: "/"}, "expected the path of a directory"},
		"a crooked root":        {"httpd", ok, frontend.ExportOptions{Root: "/a/../b"}, "in its shortest form"},
		"a slash at the end":    {"httpd", ok, frontend.ExportOptions{Root: "/a/"}, "in its shortest form"},
		"a root with a quote":   {"httpd", ok, frontend.ExportOptions{Root: `/a"b`}, "means something in some server's configuration"},
		"a root with a pattern": {"httpd", ok, frontend.ExportOptions{Root: "/a*"}, "means something"},
		"a root with variables": {"nginx", ok, frontend.ExportOptions{Root: "/a$b"}, "means something"},
		"a root with a line":    {"nginx", ok, frontend.ExportOptions{Root: "/a\nb"}, "means something"},
		"a root of bytes":       {"nginx", ok, frontend.ExportOptions{Root: "/a\xff"}, "not UTF-8"},
		"a bad name":            {"nginx", ok, frontend.ExportOptions{ServerName: "a;b"}, "expected a host name"},
		"a name with a dash":    {"nginx", ok, frontend.ExportOptions{ServerName: "-a"}, "expected a host name"},
		"a bad port":            {"caddy", ok, frontend.ExportOptions{Listen: "0"}, "expected a port"},
		"a port with zeros":     {"caddy", ok, frontend.ExportOptions{Listen: "080"}, "expected a port"},
		"a high port":           {"caddy", ok, frontend.ExportOptions{Listen: "70000"}, "expected a port"},
		"a host to listen on":   {"caddy", ok, frontend.ExportOptions{Listen: "localhost:80"}, "expected a port"},
		"a mapped address":      {"caddy", ok, frontend.ExportOptions{Listen: "[::ffff:1.2.3.4]:80"}, "expected a port"},
	} {
		out, err := frontend.Export(c.format, c.p, c.opt)
		require.ErrorContains(t, err, c.want, name)
		require.Nil(t, out, name)
	}
}

// IPv4-mapped addresses are no addresses of clients: httpd would refuse the whole
// file for one.
func TestExportMapped(t *testing.T) {
	p := parse(t, "zone repo\nallow ::fffe:0:0/96\ndeny ::fffe:0:0/97\n")
	for _, f := range []frontend.Format{frontend.HTTPD, frontend.Nginx, frontend.Caddy} {
		out := string(export(t, f, p, frontend.ExportOptions{}))
		require.Contains(t, out, "::fffe:8000:0/97")
		require.NotContains(t, out, "::ffff:")
	}
}

// The expressions for paths, which every server has, match what they are for.
func TestExportedPatterns(t *testing.T) {
	out := string(export(t, frontend.Caddy, acl.Default(), frontend.ExportOptions{}))
	pattern := func(matcher string) *regexp.Regexp {
		m := regexp.MustCompile(regexp.QuoteMeta(matcher) + " `([^`]+)`").FindStringSubmatch(out)
		require.NotNil(t, m, matcher)
		return regexp.MustCompile(m[1])
	}
	odd, hidden := pattern("{http.request.orig_uri}"), pattern("@hidden path_regexp")
	for _, s := range strings.Fields(`/. /.. /./a /a/../b /a/. /%2e/a /a/%2E%2e/b /a/.b /a/b. /a/b./c /a/b%20 /a%20/b /a/b%2e /a%2fb /a%2Fb /a\b /a%5cb /a%5Cb /a%00 /a%1f /a%7F
		/a%0d%0ab /a#b /a%23 /ü /a%c3%bc /a%80 /a%ff /..;/a /.?x /a.?x`) {
		require.True(t, odd.MatchString(s), s)
	}
	require.True(t, odd.MatchString("/a b"))
	require.True(t, odd.MatchString("/a\x01"))
	for _, s := range strings.Fields(`/ // /a /a/b.c //a//b /a%20b /a+b /a/b?c=/../d /a?b. /a%41 /a%25 /a;b /a=b,c@d:e!f$g&h'i(j)*~k_l-m /a%3fb /a%2b /a%7e`) {
		require.False(t, odd.MatchString(s), s)
	}
	for _, s := range strings.Fields(`/.a /a/.b /a.lock /a.LOCK /a.tmp/b /a/b.Tmp .a`) {
		require.True(t, hidden.MatchString(s), s)
	}
	for _, s := range strings.Fields(`/a /a.b /lock /a.locks /a.lock.xz /tmp/b /a.tmpx`) {
		require.False(t, hidden.MatchString(s), s)
	}
}

// Behind proxies Caddy looks at lists of addresses alone.
func TestExportedAddresses(t *testing.T) {
	out := string(export(t, frontend.Caddy, parse(t, "trusted-proxies 10.0.0.1\n"), frontend.ExportOptions{}))
	m := regexp.MustCompile("X-Forwarded-For} `([^`]+)`").FindStringSubmatch(out)
	require.NotNil(t, m)
	list := regexp.MustCompile(m[1])
	for _, s := range []string{"192.0.2.7", "192.0.2.7, 198.51.100.255", "2001:db8::1,192.0.2.7", " ::1 ,\t::", "192.0.2.7:80", "[2001:db8::1]:80, [::1]", "0.0.0.0", "192.0.2.7:65535, 10.20.30.40"} {
		require.True(t, list.MatchString(s), s)
	}
	for _, s := range []string{"", ",", "192.0.2.7,", ",192.0.2.7", "192.0.2.7,,192.0.2.8", "192.0.2.7 192.0.2.8", "unknown", "192.0.2.7, unknown", "dead", "192.0.2", "192.0.2.07", "192.0.2.256",
		"192.0.2.7:x", "_hidden", "[192.0.2.7]", "::ffff:192.0.2.7", "fe80::1%eth0", "192.0.2.7/24", "\"192.0.2.7\""} {
		require.False(t, list.MatchString(s), s)
	}
}
