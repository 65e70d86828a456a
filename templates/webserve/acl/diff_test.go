package acl_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

func diffText(old, new *acl.Policy) string {
	var out []string
	for _, c := range acl.Diff(old, new) {
		out = append(out, c.String())
	}
	return strings.Join(out, "\n")
}

func TestDiff(t *testing.T) {
	const base = "zone a\nallow all\nzone k\nallow 192.0.2.0/24\n"
	for _, tc := range []struct{ name, old, new, want string }{
		{"nothing", base, base, ""},
		{"other words", base, "# x\ndenied 403\nzone k\nallow 192.0.2.0/25 192.0.2.128/25\nzone a\nallow ::/0 0.0.0.0/0\n", ""},
		{"gained", base, base + "allow 198.51.100.0/24 192.0.3.0/24", "zone k\n  + 192.0.3.0/24\n  + 198.51.100.0/24"},
		{"lost", base, base + "deny 192.0.2.128/25", "zone k\n  - 192.0.2.128/25"},
		{"both", base, "zone a\nallow all\nzone k\nallow 192.0.2.128/25 ::1", "zone k\n  + ::1/128\n  - 192.0.2.0/25"},
		{"a new zone", base, base + "zone b\nallow ::1", "zone b: new\n  + ::1/128"},
		{"a new closed zone", base, base + "zone z\n", "zone z: new"},
		{"a zone gone", base, "zone a\nallow all", "zone k: gone\n  - 192.0.2.0/24"},
		{"all zones", "zone a\nzone c\nzone d", "zone b\nzone c", "zone a: gone\nzone b: new\nzone d: gone"},
		{"status", base, "denied 404\n" + base, "denied 404, was 403"},
		{"proxies", base + "trusted-proxies ::1", base + "trusted-proxies ::2\nproxy-protocol ::1", "trusted-proxies\n  + ::2/128\n  - ::1/128\nproxy-protocol\n  + ::1/128"},
		{"everybody", base, "zone a\nallow 0.0.0.0/0\nzone k\nallow all\ndeny 192.0.0.0/16", "zone a\n  - ::/0\nzone k\n" +
			"  + 0.0.0.0/1\n  + 128.0.0.0/2\n  + 192.1.0.0/16\n  + 192.2.0.0/15\n  + 192.4.0.0/14\n  + 192.8.0.0/13\n  + 192.16.0.0/12\n  + 192.32.0.0/11\n" +
			"  + 192.64.0.0/10\n  + 192.128.0.0/9\n  + 193.0.0.0/8\n  + 194.0.0.0/7\n  + 196.0.0.0/6\n  + 200.0.0.0/5\n  + 208.0.0.0/4\n  + 224.0.0.0/3\n  + ::/0\n  - 192.0.2.0/24"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, diffText(parse(t, tc.old), parse(t, tc.new)))
		})
	}
	require.Equal(t, "zone z: new", diffText(nil, parse(t, "zone z")))
	require.Equal(t, "zone z: gone", diffText(parse(t, "zone z"), nil))
	require.Nil(t, acl.Diff(nil, nil))
}

// The changes, applied to the old policy, make the new one.
func TestDiffIsComplete(t *testing.T) {
	rnd := rand.New(rand.NewPCG(11, 12))
	for range 1000 {
		a, b := randomPolicy(rnd), randomPolicy(rnd)
		sets := map[string]acl.Set{"trusted-proxies ": a.TrustedProxies, "proxy-protocol ": a.ProxyProtocol}
		for _, z := range a.Zones {
			sets["zone "+z.Name] = z.Allow
		}
		for _, c := range acl.Diff(a, b) {
			key := c.What + " " + c.Zone
			require.False(t, c.Added && c.Removed)
			switch {
			case c.What == "denied":
				require.NotEqual(t, c.Old, c.New)
			case c.Removed:
				require.True(t, sets[key].Equal(acl.NewSet(c.Lost...)))
				delete(sets, key)
			default:
				require.True(t, sets[key].Minus(acl.NewSet(c.Lost...)).Union(acl.NewSet(c.Lost...)).Equal(sets[key]), "only what was there is lost")
				sets[key] = sets[key].Minus(acl.NewSet(c.Lost...)).Union(acl.NewSet(c.Gained...))
			}
		}
		require.True(t, sets["trusted-proxies "].Equal(b.TrustedProxies))
		require.True(t, sets["proxy-protocol "].Equal(b.ProxyProtocol))
		require.Len(t, sets, 2+len(b.Zones))
		for _, z := range b.Zones {
			got, ok := sets["zone "+z.Name]
			require.True(t, ok && got.Equal(z.Allow), z.Name)
		}
	}
}
