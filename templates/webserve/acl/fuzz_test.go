package acl_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// A prefix that is accepted has one meaning and one spelling, which is accepted,
// too; and no two families are mixed.
func FuzzParsePrefix(f *testing.F) {
	for s := range goodPrefixes {
		f.Add(s)
	}
	for s := range badPrefixes {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := acl.ParsePrefix(s)
		if err != nil {
			require.False(t, p.IsValid())
			require.Less(t, len(err.Error()), 3000)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.Equal(t, p, p.Masked())
		require.False(t, p.Addr().Is4In6())
		require.NotContains(t, s, "%")
		again, err := acl.ParsePrefix(p.String())
		require.NoError(t, err)
		require.Equal(t, p, again)
		// netip accepts more, and means the same where both do.
		if strings.Contains(s, "/") {
			q, err := netip.ParsePrefix(s)
			require.NoError(t, err)
			require.Equal(t, q, p)
		} else {
			a, err := netip.ParseAddr(s)
			require.NoError(t, err)
			require.Equal(t, netip.PrefixFrom(a, a.BitLen()), p)
		}
		require.Equal(t, []netip.Prefix{p}, acl.NewSet(p).Prefixes())
	})
}

// A policy that is accepted is sound, and what Format makes of it is the same.
func FuzzParse(f *testing.F) {
	f.Add(sample, subnets)
	f.Add("denied 403\nzone z\n allow all\n deny ::/1 10.0.0.0/8", "")
	f.Add("zone a\ninclude x\nzone b\ninclude x\ndeny all", "::1\n10.0.0.0/8 # x")
	f.Add("trusted-proxies ::/0\n", "all")
	f.Add("zone z\r\nallow ::ffff:1.2.3.4\r\n", "include x")
	f.Fuzz(func(t *testing.T, text, included string) {
		p, err := acl.Parse("policy", strings.NewReader(text), opener(map[string]string{"x": included, "kubevirt.subnets": included}))
		if err != nil {
			require.Nil(t, p)
			var pe *acl.ParseError
			require.True(t, errors.As(err, &pe))
			require.LessOrEqual(t, pe.Line, 1+max(strings.Count(text, "\n"), strings.Count(included, "\n")))
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.NoError(t, p.Check())
		q, err := acl.Parse("policy", bytes.NewReader(p.Format()), nil)
		require.NoError(t, err)
		requireSame(t, p, q)
		require.Nil(t, acl.Diff(p, q))
		for _, z := range p.Zones {
			for _, r := range z.Rules[:min(len(z.Rules), 50)] {
				requireRuleHolds(t, p, z, r)
			}
		}
	})
}

// requireRuleHolds: whom a deny names is denied; whom an allow names is allowed,
// but for a deny. An explanation names the rule.
func requireRuleHolds(t *testing.T, p *acl.Policy, z acl.Zone, r acl.Rule) {
	a := addr("::")
	if !r.All {
		a = r.Prefix.Addr()
	}
	e := p.Explain(a, "/"+z.Name+"/x")
	require.Contains(t, e.Rules, r)
	byDeny := false
	for _, s := range e.Rules {
		byDeny = byDeny || s.Deny
	}
	require.Equal(t, !byDeny, e.Allowed)
	require.Equal(t, e.Decision, p.Decide(z.Name, a))
}

// Whatever the headers are: one to whom no trusted proxy speaks is the peer, and
// what comes out was written in the headers.
func FuzzClient(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.2", "203.0.113.1", `for="192.0.2.1:80"`, `for="[2001:db8::1]";proto=http`)
	f.Add("", "[2001:db8::1]:80", "for=unknown, for=_x", `for="a\"b"`)
	f.Add("::ffff:192.0.2.1", ",", "", ";")
	f.Add("192.0.2.1", "10.0.0.1", "for=192.0.2.1", "for=10.0.0.3")
	f.Fuzz(func(t *testing.T, x1, x2, f1, f2 string) {
		h := headers([]string{x1, x2}, []string{f1, f2})
		got, err := proxied.Client(addr("198.51.100.1"), h)
		require.NoError(t, err)
		require.Equal(t, addr("198.51.100.1"), got)

		byX, errX := proxied.Client(addr("10.0.0.1"), http.Header{"X-Forwarded-For": h["X-Forwarded-For"]})
		byF, errF := proxied.Client(addr("10.0.0.1"), http.Header{"Forwarded": h["Forwarded"]})
		both, err := proxied.Client(addr("10.0.0.1"), h)
		for a, err := range map[netip.Addr]error{byX: errX, byF: errF, both: err} {
			require.Equal(t, err == nil, a.IsValid())
			require.False(t, a.Is4In6() || a.Zone() != "")
		}
		require.Equal(t, errX == nil && errF == nil && byX == byF, err == nil)

		// What stands left of an address that is not trusted changes nothing.
		if errX == nil && !proxied.TrustedProxies.Contains(byX) {
			a, err := proxied.Client(addr("10.0.0.1"), headers([]string{"203.0.113.99", "spoofed", x1, x2}, nil))
			require.NoError(t, err)
			require.Equal(t, byX, a)
			b, err := proxied.Client(addr("10.0.0.1"), headers([]string{"spoofed, " + x1, x2}, nil))
			require.NoError(t, err)
			require.Equal(t, byX, b)
		}
		if errF == nil && !proxied.TrustedProxies.Contains(byF) {
			a, err := proxied.Client(addr("10.0.0.1"), headers(nil, []string{"for=203.0.113.99", `for="`, f1, f2}))
			require.NoError(t, err)
			require.Equal(t, byF, a)
		}
		// What a proxy adds at the right cannot be hidden by what stands left.
		for _, added := range []string{"for=192.0.2.77", `for="192.0.2.77"`, `for="192.0.2.77:1";host="x"`, `by="a";for=192.0.2.77`} {
			if a, err := proxied.Client(addr("10.0.0.1"), headers(nil, []string{f1 + ", " + added})); err == nil {
				require.Equal(t, addr("192.0.2.77"), a, "%q", f1)
			}
		}
	})
}
