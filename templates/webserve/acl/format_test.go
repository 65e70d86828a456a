package acl_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

func TestFormat(t *testing.T) {
	p, err := acl.Parse("policy", strings.NewReader(sample), opener(map[string]string{"kubevirt.subnets": "192.0.3.0/24\n192.0.2.0/25"}))
	require.NoError(t, err)
	require.Equal(t, `denied 404
trusted-proxies 10.0.0.1/32
trusted-proxies 10.0.0.2/31
proxy-protocol 10.0.0.3/32
zone kubevirt
    allow 192.0.2.0/30
    allow 192.0.2.4/31
    allow 192.0.2.6/32
    allow 192.0.2.8/29
    allow 192.0.2.16/28
    allow 192.0.2.32/27
    allow 192.0.2.64/26
    allow 192.0.2.128/25
    allow 192.0.3.0/24
    allow 2001:db8::/32
zone repo
    allow all
`, string(p.Format()))
	require.Empty(t, (&acl.Policy{}).Format())
	require.Equal(t, "zone bundles\n    allow all\nzone kubevirt\nzone repo\n    allow all\nzone yum\n    allow all\n", string(acl.Default().Format()))
}

// randomPolicy is a policy of any shape that may be.
func randomPolicy(rnd *rand.Rand) *acl.Policy {
	randomSet := func() acl.Set {
		if rnd.IntN(10) == 0 {
			return acl.Everyone()
		}
		yes, no, _ := randomCase(rnd, 0)
		return acl.NewSet(netips(yes)...).Minus(acl.NewSet(netips(no)...))
	}
	proxies := func() acl.Set {
		if rnd.IntN(2) == 0 {
			return acl.Set{}
		}
		// Everybody cannot be trusted.
		return randomSet().Minus(acl.NewSet(randomPrefix(rnd, 32, 32).netip(), randomPrefix(rnd, 128, 128).netip()))
	}
	p := &acl.Policy{Denied: []int{0, 403, 404}[rnd.IntN(3)], TrustedProxies: proxies(), ProxyProtocol: proxies()}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	for range rnd.IntN(5) {
		name := letters[rnd.IntN(len(letters)):][:1]
		for range rnd.IntN(12) {
			const inner = letters + "._-"
			name += inner[rnd.IntN(len(inner)):][:1]
		}
		p.Zones = append(p.Zones, acl.Zone{Name: strings.TrimRight(name, "."), Allow: randomSet()})
	}
	slices.SortFunc(p.Zones, func(a, b acl.Zone) int { return strings.Compare(a.Name, b.Name) })
	p.Zones = slices.CompactFunc(p.Zones, func(a, b acl.Zone) bool { return a.Name == b.Name })
	return p
}

func netips(list []bigPrefix) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range list {
		out = append(out, p.netip())
	}
	return out
}

// requireSame compares all that decides; Diff is not asked.
func requireSame(t testing.TB, want, got *acl.Policy) {
	t.Helper()
	status := func(p *acl.Policy) int { return max(p.Denied, 403) }
	if status(want) != status(got) || !want.TrustedProxies.Equal(got.TrustedProxies) || !want.ProxyProtocol.Equal(got.ProxyProtocol) || len(want.Zones) != len(got.Zones) {
		t.Fatalf("%s\nbecame\n%s", want.Format(), got.Format())
	}
	for i, z := range want.Zones {
		if z.Name != got.Zones[i].Name || !z.Allow.Equal(got.Zones[i].Allow) {
			t.Fatalf("%s\nbecame\n%s", want.Format(), got.Format())
		}
	}
}

func TestFormattedPoliciesAreReadAgain(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	for range 10_000 {
		p := randomPolicy(rnd)
		require.NoError(t, p.Check())
		text := p.Format()
		q, err := acl.Parse("policy", bytes.NewReader(text), nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		requireSame(t, p, q)
		if again := q.Format(); !bytes.Equal(text, again) {
			t.Fatalf("%s\nbecame\n%s", text, again)
		}
		if changes := acl.Diff(p, q); changes != nil {
			t.Fatal(changes)
		}
	}
}

// The same rules in any order, over any number of lines, are the same policy.
func TestOrderOfRulesMeansNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		yes, no, _ := randomCase(rnd, 0)
		var lines []string
		for _, p := range yes {
			lines = append(lines, fmt.Sprintf("allow %v", p))
		}
		for _, p := range no {
			lines = append(lines, fmt.Sprintf("deny %v", p))
		}
		want := parse(t, "zone z\n"+strings.Join(lines, "\n"))
		rnd.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		requireSame(t, want, parse(t, "zone z\n"+strings.Join(lines, "\n")))
	}
}
