package frontend_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// required says that no web server may be missing.
var required = os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1"

// parse reads a policy that is right.
func parse(t testing.TB, text string) *acl.Policy {
	t.Helper()
	p, err := acl.Parse("policy", strings.NewReader(text), nil)
	require.NoError(t, err)
	return p
}

func export(t testing.TB, f frontend.Format, p *acl.Policy, opt frontend.ExportOptions) []byte {
	t.Helper()
	out, err := frontend.Export(f, p, opt)
	require.NoError(t, err)
	return out
}

func importText(t testing.TB, text string, opt frontend.ImportOptions) *acl.Policy {
	t.Helper()
	p, err := frontend.Import("conf", strings.NewReader(text), opt)
	require.NoError(t, err)
	return p
}

// same demands that two policies mean the same and name the same zones.
func same(t testing.TB, want, got *acl.Policy) {
	t.Helper()
	if changes := acl.Diff(want, got); changes != nil {
		require.Fail(t, "the policies differ", "%v", changes)
	}
}

// randomPrefix is any prefix that a policy may hold; most lie close together.
func randomPrefix(r *rand.Rand) netip.Prefix {
	for {
		var b [16]byte
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		a := netip.AddrFrom4([4]byte(b[:4]))
		if r.UintN(3) == 0 {
			a = netip.AddrFrom16(b)
		}
		if r.UintN(2) == 0 {
			a = netip.AddrFrom4([4]byte{127, 0, byte(r.UintN(2)), byte(r.UintN(64))})
		}
		p := netip.PrefixFrom(a, int(r.UintN(uint(a.BitLen()+1)))).Masked()
		if r.UintN(4) > 0 && a.Is4() {
			p = netip.PrefixFrom(a, 24+int(r.UintN(9))).Masked()
		}
		if !p.Addr().Is4In6() {
			return p
		}
	}
}

func randomSet(r *rand.Rand) acl.Set {
	switch r.UintN(10) {
	case 0:
		return acl.Set{}
	case 1:
		return acl.Everyone()
	case 2:
		return acl.Everyone().Minus(acl.NewSet(randomPrefix(r)))
	}
	var list []netip.Prefix
	for range r.UintN(12) + 1 {
		list = append(list, randomPrefix(r))
	}
	return acl.NewSet(list...).Minus(acl.NewSet(randomPrefix(r)))
}

// randomPolicy has any zones, and proxies half of the time.
func randomPolicy(r *rand.Rand) *acl.Policy {
	p := &acl.Policy{Denied: 403}
	if r.UintN(3) == 0 {
		p.Denied = 404
	}
	for _, name := range []string{"bundles", "kube", "kube.v", "kubevirt", "kubevirt-2", "repo", "yum"} {
		if r.UintN(3) > 0 {
			p.Zones = append(p.Zones, acl.Zone{Name: name, Allow: randomSet(r)})
		}
	}
	for r.UintN(2) == 0 {
		if q := randomPrefix(r); q.Bits() >= 8 {
			p.TrustedProxies = p.TrustedProxies.Union(acl.NewSet(q))
		}
	}
	return p
}

// largePolicy has n prefixes that cannot be joined.
func largePolicy(n int) *acl.Policy {
	list := make([]netip.Prefix, n)
	for i := range list {
		list[i] = netip.MustParsePrefix(fmt.Sprintf("%d.%d.%d.0/24", 1+i>>15, i>>7&255, i<<1&255))
	}
	return acl.Default(list...)
}
