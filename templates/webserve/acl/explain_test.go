package acl_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

func samplePolicy(t testing.TB) *acl.Policy {
	t.Helper()
	p, err := acl.Parse("policy", strings.NewReader(sample), opener(map[string]string{"kubevirt.subnets": subnets}))
	require.NoError(t, err)
	return p
}

func TestExplain(t *testing.T) {
	p := samplePolicy(t)
	for _, tc := range []struct{ name, client, path, want string }{
		{"everybody", "203.0.113.1", "/repo/el8.xz", `203.0.113.1 may read "/repo/el8.xz": allowed
  zone "repo"
  allow all   policy:6`},
		{"a subnet", "::ffff:192.0.2.1%eth0", "/kubevirt/", `192.0.2.1 may read "/kubevirt/": allowed
  zone "kubevirt"
  allow 192.0.2.0/24   policy:8   # the lab`},
		{"an include", "198.51.100.200", "//kubevirt//x", `198.51.100.200 may read "//kubevirt//x": allowed
  zone "kubevirt"
  allow 198.51.100.128/25   kubevirt.subnets:4`},
		{"a denial", "192.0.2.7", "kubevirt/x", `192.0.2.7 may not read "kubevirt/x": not in the allow-list
  zone "kubevirt"
  allow 192.0.2.0/24   policy:8   # the lab
  deny 192.0.2.7/32   policy:10   # left`},
		{"nothing said", "10.9.9.9", "/kubevirt", `10.9.9.9 may not read "/kubevirt": not in the allow-list
  zone "kubevirt"`},
		{"no zone", "10.9.9.9", "/etc/passwd", `10.9.9.9 may not read "/etc/passwd": no rule for the zone
  zone "etc"
  what the policy does not name is denied`},
		{"other case", "10.9.9.9", "/Repo/x", `10.9.9.9 may not read "/Repo/x": no rule for the zone
  zone "Repo"
  what the policy does not name is denied`},
		{"nobody", "", "/repo/x", `a client of unknown address may not read "/repo/x": client address unknown
  zone "repo"`},
		{"the top", "192.0.2.1", "/", `192.0.2.1 may read "/": allowed
  the list of zones, of which the client sees kubevirt, repo`},
		{"nothing", "10.9.9.9", "", `10.9.9.9 may read "": allowed
  the list of zones, of which the client sees repo`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := p.Explain(addr(tc.client), tc.path)
			require.Equal(t, tc.want, e.String())
			if e.Zone != "" {
				require.Equal(t, p.Decide(e.Zone, addr(tc.client)), e.Decision)
			}
		})
	}
}

// No path that the server refuses may seem to be allowed.
func TestExplainRefusesPaths(t *testing.T) {
	p := parse(t, "zone repo\nallow all\n")
	for _, path := range []string{
		"/repo/../kubevirt/x", "/./repo/x", "/repo/.", "/repo/..", "/repo/.hidden", "/.tplkit/x", "/repo/x.", "/repo/x ", "/repo /x", "/repo./x",
		"/repo/%2e%2e/x", "/repo%2fx", "/repo/100%", `\repo\x`, `/repo\..\x`, "/repo/x?y", "/repo/x#y", "/repo/x\x00", "/repo/x\ny", "/repo/\x7f", "/repo/\xff", "/repo/..;/x",
	} {
		e := p.Explain(addr("192.0.2.1"), path)
		require.False(t, e.Allowed, "%q", path)
		require.Empty(t, e.Zone)
		require.Contains(t, e.Note, "the server refuses")
		require.NotContains(t, strings.ReplaceAll(e.String(), "\n  ", ""), "\n")
	}
	require.True(t, p.Explain(addr("192.0.2.1"), "/repo/el8.2 (build 3)+é.xz").Allowed)
}

// Policies that were not read from files are explained, too.
func TestExplainWithoutRules(t *testing.T) {
	p := &acl.Policy{Zones: []acl.Zone{{Name: "z", Allow: set(t, "10.0.0.0/8", "192.0.2.0/24")}}}
	require.Equal(t, "192.0.2.1 may read \"z\": allowed\n  zone \"z\"\n  allow 192.0.2.0/24", p.Explain(addr("192.0.2.1"), "z").String())
	require.Empty(t, p.Explain(addr("192.0.3.1"), "z").Rules)
	require.Equal(t, "::1 may read \"/repo/\": allowed\n  zone \"repo\"\n  allow all   # the default", acl.Default().Explain(addr("::1"), "/repo/").String())
	require.Equal(t, "::1 may read \"/kubevirt/\": allowed\n  zone \"kubevirt\"\n  allow ::/64",
		acl.Default(prefixes(t, "10.0.0.0/8", "::/64")...).Explain(addr("::1"), "/kubevirt/").String())
}
