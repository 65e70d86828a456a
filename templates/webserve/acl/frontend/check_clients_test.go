package frontend_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
	"github.com/tplkit/tplkit/templates/webserve/internal/livetest"
)

// checks are the servers that look over what is exported for them.
var checks = map[frontend.Format]func(testing.TB, bool, []byte) error{
	frontend.HTTPD: livetest.CheckHTTPD,
	frontend.Nginx: livetest.CheckNginx,
	frontend.Caddy: livetest.CheckCaddy,
}

var globalOptions = regexp.MustCompile(`(?m)^\{\n(?s:.*?)^\}\n`)

// policies are the shapes that a policy can have.
func policies(t testing.TB) map[string]*acl.Policy {
	return map[string]*acl.Policy{
		"nothing":         {},
		"default":         acl.Default(),
		"subnets":         parse(t, "zone repo\nallow all\nzone kubevirt\nallow 192.0.2.0/24 2001:db8::/32 198.51.100.7\n"),
		"empty lists":     parse(t, "zone repo\nzone kubevirt\n"),
		"everyone":        parse(t, "zone repo\nallow all\n"),
		"all of IPv4":     parse(t, "zone repo\nallow 0.0.0.0/0\n"),
		"all of IPv6":     parse(t, "zone repo\nallow ::/0\nzone a\nallow ::/0 192.0.2.1\n"),
		"all but one":     parse(t, "zone repo\nallow all\ndeny 192.0.2.1 2001:db8::1\n"),
		"denied 404":      parse(t, "denied 404\nzone repo\nallow all\nzone kubevirt\nallow 192.0.2.0/24\n"),
		"proxies":         parse(t, "trusted-proxies 10.0.0.1 10.0.1.0/24 2001:db8::1\nzone repo\nallow all\nzone kubevirt\nallow 192.0.2.0/24\n"),
		"proxies and 404": parse(t, "denied 404\ntrusted-proxies 10.0.0.1\nzone repo\nallow all\n"),
		"strange names":   parse(t, "zone a.b\nallow all\nzone a-b\nallow 192.0.2.1\nzone a\nallow all\nzone 1_2\nzone index\nallow all\n"),
	}
}

// The servers accept whatever is exported for them.
func TestClientsAcceptPolicies(t *testing.T) {
	for f, check := range checks {
		t.Run(string(f), func(t *testing.T) {
			if f == frontend.Caddy {
				// Distributions have a Caddy that does not know trusted proxies yet.
				check = func(t testing.TB, required bool, conf []byte) error {
					conf = globalOptions.ReplaceAll(conf, nil)
					return livetest.CheckCaddy(t, required, bytes.ReplaceAll(conf, []byte("client_ip "), []byte("remote_ip ")))
				}
			}
			for name, p := range policies(t) {
				for i, opt := range []frontend.ExportOptions{
					{}, {NoListing: true}, {Listen: "127.0.0.1:8099"}, {ServerName: "a-b.example.org"}, {Listen: "8099", ServerName: "example", Root: "/srv/ü_=+/t"},
				} {
					if f != frontend.Caddy && i < 2 {
						opt.Listen = "8098" // port 80 may be taken or out of reach
					}
					require.NoError(t, check(t, required, export(t, f, p, opt)), "%s, %+v", name, opt)
				}
			}
			r := rand.New(rand.NewPCG(1, 2))
			for range 30 {
				p := randomPolicy(r)
				out := export(t, f, p, frontend.ExportOptions{Listen: "127.0.0.1:8099"})
				require.NoError(t, check(t, required, out), "%s", out)
			}
		})
	}
	t.Run("httpd without a host", func(t *testing.T) {
		for name, p := range policies(t) {
			out := fmt.Appendf([]byte("Listen 127.0.0.1:8098\n"), "%s", export(t, frontend.HTTPD, p, frontend.ExportOptions{Root: "/tmp"}))
			require.NoError(t, livetest.CheckHTTPD(t, required, out), name)
		}
	})
}

// A hundred thousand prefixes are read by every server in a time that can be
// waited for.
func TestClientsAcceptManyPrefixes(t *testing.T) {
	p := largePolicy(100_000)
	for f, check := range checks {
		t.Run(string(f), func(t *testing.T) {
			begin := time.Now()
			out := export(t, f, p, frontend.ExportOptions{Listen: "127.0.0.1:8099", Root: "/tmp"})
			wrote := time.Since(begin)
			begin = time.Now()
			require.NoError(t, check(t, required, out))
			t.Logf("%d bytes, written in %v, read by the server in %v", len(out), wrote, time.Since(begin))
			require.Less(t, time.Since(begin), 30*time.Second)
		})
	}
}
