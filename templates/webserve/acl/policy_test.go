package acl_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

func addr(s string) netip.Addr {
	if s == "" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func TestDefault(t *testing.T) {
	p := acl.Default()
	require.NoError(t, p.Check())
	require.Equal(t, 403, p.Denied)
	for _, zone := range []string{"repo", "bundles", "yum"} {
		require.True(t, p.Decide(zone, addr("192.0.2.1")).Allowed)
		require.True(t, p.Decide(zone, addr("2001:db8::1")).Allowed)
	}
	require.Equal(t, acl.ReasonNotListed, p.Decide("kubevirt", addr("192.0.2.1")).Reason)
	require.Equal(t, acl.ReasonNoZone, p.Decide("etc", addr("192.0.2.1")).Reason)

	p = acl.Default(prefixes(t, "192.0.2.0/24", "2001:db8::/32")...)
	require.NoError(t, p.Check())
	require.True(t, p.Decide("kubevirt", addr("192.0.2.1")).Allowed)
	require.True(t, p.Decide("kubevirt", addr("2001:db8::1")).Allowed)
	require.False(t, p.Decide("kubevirt", addr("192.0.3.1")).Allowed)
}

func TestDecide(t *testing.T) {
	p := parse(t, "zone a\nallow all\nzone ab\nallow 192.0.2.0/24\nzone b\n")
	for _, tc := range []struct{ zone, client, want string }{
		{"a", "192.0.2.1", acl.ReasonAllowed},
		{"a", "::1", acl.ReasonAllowed},
		{"a", "", acl.ReasonUnknownClient},
		{"ab", "::ffff:192.0.2.1%lo", acl.ReasonAllowed},
		{"ab", "192.0.3.1", acl.ReasonNotListed},
		{"ab", "", acl.ReasonUnknownClient},
		{"b", "192.0.2.1", acl.ReasonNotListed},
		{"", "192.0.2.1", acl.ReasonNoZone},
		{"A", "192.0.2.1", acl.ReasonNoZone},
		{"a/", "192.0.2.1", acl.ReasonNoZone},
		{"/a", "192.0.2.1", acl.ReasonNoZone},
		{"aa", "192.0.2.1", acl.ReasonNoZone},
		{"a\x00", "192.0.2.1", acl.ReasonNoZone},
		{"c", "", acl.ReasonNoZone},
	} {
		require.Equal(t, acl.Decision{Allowed: tc.want == acl.ReasonAllowed, Reason: tc.want}, p.Decide(tc.zone, addr(tc.client)), "%v", tc)
	}
}

// What is not there denies.
func TestNothingDenies(t *testing.T) {
	for _, p := range []*acl.Policy{nil, {}} {
		require.Equal(t, acl.ReasonNoZone, p.Decide("repo", addr("::1")).Reason)
		require.False(t, p.Explain(addr("::1"), "/repo/").Allowed)
		require.Equal(t, "the list of zones, of which the client sees none", p.Explain(addr("::1"), "/").Note)
		a, err := p.Client(addr("::1"), nil)
		require.NoError(t, err)
		require.Equal(t, addr("::1"), a)
	}
	require.NoError(t, (&acl.Policy{}).Check())
}

func TestCheck(t *testing.T) {
	zones := func(names ...string) *acl.Policy {
		p := &acl.Policy{}
		for _, n := range names {
			p.Zones = append(p.Zones, acl.Zone{Name: n})
		}
		return p
	}
	require.NoError(t, zones("a", "b", "b.1", "c").Check())
	for want, p := range map[string]*acl.Policy{
		`zone "a" after zone "b": zones must be sorted by name and unique`: zones("b", "a"),
		`zone "a" after zone "a": zones must be sorted by name and unique`: zones("a", "a"),
		`the name of the zone is empty`:                                    zones(""),
		`zone "..": a zone is named as`:                                    zones("..", "a"),
		`denied 500: must be 403 or 404`:                                   {Denied: 500},
		`denied -1: must be 403 or 404`:                                    {Denied: -1},
		`trusted-proxies holds all of 0.0.0.0/0`:                           {TrustedProxies: acl.Everyone()},
		`proxy-protocol holds all of ::/0`:                                 {ProxyProtocol: set(t, "::/0")},
	} {
		require.ErrorContains(t, p.Check(), want)
	}
}

func TestZoneNames(t *testing.T) {
	for _, s := range []string{"repo", "a", "0", "el9-x86_64", "a.b", "a..b", "a-", "a_", "v1.2", strings.Repeat("a", 255)} {
		require.NoError(t, acl.CheckZoneName(s), s)
	}
	for _, s := range []string{
		"", ".", "..", ".tplkit", "-a", "_a", "a.", "a/", "/a", "a/b", "A", "Repo", "a b", " a", "a ", "a\n", "a\x00", "a%", "a\\", "a;", "..;", "a:", "a#",
		"é", "re\u0301po", "ａ", "a\u200b", strings.Repeat("a", 256),
	} {
		err := acl.CheckZoneName(s)
		require.Error(t, err, "%q", s)
		require.NotContains(t, err.Error(), "\n")
	}
}

func mustPrefix(s string) netip.Prefix {
	p, err := acl.ParsePrefix(s)
	if err != nil {
		panic(err)
	}
	return p
}
