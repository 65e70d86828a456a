package frontend_test

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// unusual are the forms that only C's inet_aton takes.
var unusual = regexp.MustCompile(`(^|[ .])0[0-9x]|^[0-9]+(\.[0-9]+){0,2}$`)

// Behind trusted proxies the servers never allow whom the policy denies, and they
// see the same client wherever the headers are as proxies make them.
func TestClientsBelieveProxies(t *testing.T) {
	root := tree(t)
	p := parse(t, "trusted-proxies 127.0.0.10 127.0.0.12/30\nzone repo\nallow all\nzone kubevirt\nallow 127.0.0.2 127.0.0.10 192.0.2.0/24 2001:db8::/32\n")
	type header [2]string
	cases := []struct {
		headers []header
		differs bool // the servers may deny what the policy allows
	}{
		{nil, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7"}}, false},
		{[]header{{"X-Forwarded-For", "198.51.100.7"}}, false},
		{[]header{{"X-Forwarded-For", "127.0.0.2"}}, false},
		{[]header{{"X-Forwarded-For", "2001:db8::7"}}, false},
		{[]header{{"X-Forwarded-For", "2001:db9::7"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7, 198.51.100.7"}}, false},
		{[]header{{"X-Forwarded-For", "198.51.100.7, 192.0.2.7"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7,127.0.0.13"}}, false},
		{[]header{{"X-Forwarded-For", "198.51.100.7, 192.0.2.7, 127.0.0.13, 127.0.0.10"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7, 198.51.100.7, 127.0.0.13"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7"}, {"X-Forwarded-For", "198.51.100.7"}}, false},
		{[]header{{"X-Forwarded-For", "198.51.100.7"}, {"X-Forwarded-For", "192.0.2.7"}}, false},
		{[]header{{"X-Forwarded-For", "junk, 192.0.2.7"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7, junk"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7, junk, 127.0.0.13"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7, unknown"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7,"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7, , 127.0.0.13"}}, true},
		{[]header{{"X-Forwarded-For", ", 192.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", " ,192.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7\t,\t"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7 198.51.100.7"}}, true},
		{[]header{{"X-Forwarded-For", "198.51.100.7 192.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "198.51.100.7\t192.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7 127.0.0.13"}}, true},
		{[]header{{"X-Forwarded-For", "127.0.0.13, 192.0.02.7"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.02.7, 127.0.0.13"}}, true},
		{[]header{{"X-Forwarded-For", "0300.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.519"}}, true},
		{[]header{{"X-Forwarded-For", "0xc0.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "3221225991"}}, true},
		{[]header{{"X-Forwarded-For", "2001:0DB8:0000::7"}}, true},
		{[]header{{"X-Forwarded-For", "2001:db8::7%eth0"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7/24"}}, true},
		{[]header{{"X-Forwarded-For", "unix:"}}, true},
		{[]header{{"X-Forwarded-For", "localhost"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7;198.51.100.7"}}, true},
		{[]header{{"X-Forwarded-For", ""}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7:8080"}}, true},
		{[]header{{"X-Forwarded-For", "[2001:db8::7]:8080"}}, true},
		{[]header{{"X-Forwarded-For", "::ffff:192.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "127.0.0.10"}}, true},
		{[]header{{"X-Forwarded-For", "127.0.0.10, 127.0.0.13"}}, true},
		{[]header{{"Forwarded", "for=192.0.2.7"}}, true},
		{[]header{{"Forwarded", "for=198.51.100.7"}}, false},
		{[]header{{"X-Forwarded-For", "192.0.2.7"}, {"Forwarded", "for=192.0.2.7"}}, true},
		{[]header{{"X-Forwarded-For", "192.0.2.7"}, {"Forwarded", "for=198.51.100.7"}}, false},
		{[]header{{"X-Real-IP", "192.0.2.7"}}, true},
	}
	for _, f := range []frontend.Format{frontend.HTTPD, frontend.Nginx} {
		t.Run(string(f), func(t *testing.T) {
			s := serve(t, f, p, root)
			allowed := 0
			for _, c := range cases {
				if f == frontend.HTTPD && len(c.headers) > 0 && unusual.MatchString(c.headers[0][1]) {
					continue // is what Export's documentation says
				}
				for _, peer := range []string{"127.0.0.10", "127.0.0.14", "127.0.0.2", "127.0.0.99"} {
					h, lines := http.Header{}, []string(nil)
					for _, one := range c.headers {
						h.Add(one[0], one[1])
						lines = append(lines, one[0]+": "+one[1])
					}
					client, err := p.Client(netip.MustParseAddr(peer), h)
					want := err == nil && p.Decide("kubevirt", client).Allowed
					resp, _ := get(t, s, peer, "/kubevirt/x", lines...)
					got := resp.StatusCode == 200
					if differs := c.differs || strings.Contains(strings.Join(lines, " "), "Forwarded:"); !differs {
						require.Equal(t, want, got, "%v from %s: %v %v", lines, peer, client, err)
					} else if got {
						require.True(t, want, "%v from %s: %v %v", lines, peer, client, err)
					}
					if got {
						allowed++
					}
				}
			}
			require.Greater(t, allowed, 20)
		})
	}
}
