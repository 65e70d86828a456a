package acl_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

const examplePolicy = `zone repo
    allow all
zone kubevirt
    allow 192.0.2.0/24    # the lab
    deny 192.0.2.7        # but not the guest
`

func Example() {
	policy, err := acl.Parse("access.conf", strings.NewReader(examplePolicy), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, client := range []string{"192.0.2.1", "192.0.2.7", "::ffff:192.0.2.1", "2001:db8::1"} {
		fmt.Println(client, policy.Decide("kubevirt", netip.MustParseAddr(client)).Reason)
	}
	// Output:
	// 192.0.2.1 allowed
	// 192.0.2.7 not in the allow-list
	// ::ffff:192.0.2.1 allowed
	// 2001:db8::1 not in the allow-list
}

func ExampleParse() {
	_, err := acl.Parse("access.conf", strings.NewReader("zone kubevirt\n    allow 10.1.2.3/8\n"), nil)
	fmt.Println(err)
	var pe *acl.ParseError
	if errors.As(err, &pe) {
		fmt.Println("in line", pe.Line)
	}

	include := func(name string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader("192.0.2.0/25 # east\n192.0.2.128/25 # west\n")), nil
	}
	policy, err := acl.Parse("access.conf", strings.NewReader("zone kubevirt\n    include subnets\n"), include)
	fmt.Println(policy.Zones[0].Allow.Prefixes(), err)
	// Output:
	// access.conf:2: "10.1.2.3/8": it has host bits; the network is 10.0.0.0/8, the address alone 10.1.2.3
	// in line 2
	// [192.0.2.0/24] <nil>
}

func ExampleParseFile() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "access.conf")
	if err := os.WriteFile(path, []byte(examplePolicy), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	policy, err := acl.ParseFile(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, z := range policy.Zones {
		fmt.Println(z.Name, z.Allow.IsEveryone())
	}
	// Output:
	// kubevirt false
	// repo true
}

func ExampleParsePrefix() {
	for _, s := range []string{"192.0.2.0/24", "2001:db8::1", "010.0.0.1", "10.1.0.0/255.255.0.0", "::ffff:10.0.0.0/104"} {
		p, err := acl.ParsePrefix(s)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(p)
	}
	// Output:
	// 192.0.2.0/24
	// 2001:db8::1/128
	// "010.0.0.1": a number with a leading zero is octal to some programs and decimal to others; leave the zero out
	// "10.1.0.0/255.255.0.0": a netmask is not accepted; write 10.1.0.0/16
	// "::ffff:10.0.0.0/104": IPv4-mapped addresses are compared as IPv4; write 10.0.0.0/8
}

func ExampleNewSet() {
	all := acl.NewSet(netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("192.0.2.128/25"))
	guest := acl.NewSet(netip.MustParsePrefix("192.0.2.6/31"))
	fmt.Println(all.Prefixes())
	fmt.Println(all.Minus(guest).Contains(netip.MustParseAddr("192.0.2.7")))
	fmt.Println(all.Minus(guest).Union(guest).Equal(all))
	// Output:
	// [192.0.2.0/24]
	// false
	// true
}

func ExampleEveryone() {
	fmt.Println(acl.Everyone().Prefixes())
	// Output: [0.0.0.0/0 ::/0]
}

func ExampleCheckZoneName() {
	fmt.Println(acl.CheckZoneName("el9-x86_64"))
	fmt.Println(acl.CheckZoneName("../etc") != nil)
	// Output:
	// <nil>
	// true
}

func ExampleDefault() {
	policy := acl.Default(netip.MustParsePrefix("192.0.2.0/24"))
	fmt.Print(string(policy.Format()))
	// Output:
	// zone bundles
	//     allow all
	// zone kubevirt
	//     allow 192.0.2.0/24
	// zone repo
	//     allow all
	// zone yum
	//     allow all
}

func ExamplePolicy_Check() {
	policy := acl.Default()
	policy.TrustedProxies = acl.Everyone()
	fmt.Println(policy.Check())
	// Output: trusted-proxies holds all of 0.0.0.0/0: every client could claim any address; name the proxies
}

func ExamplePolicy_Client() {
	policy := acl.Default()
	policy.TrustedProxies = acl.NewSet(netip.MustParsePrefix("10.0.0.1/32"))
	h := http.Header{"X-Forwarded-For": {"192.0.2.66, 198.51.100.9"}} // the left one is a lie

	fmt.Println(policy.Client(netip.MustParseAddr("10.0.0.1"), h))
	fmt.Println(policy.Client(netip.MustParseAddr("203.0.113.5"), h)) // no proxy: headers do not count

	h.Set("X-Forwarded-For", "unknown")
	_, err := policy.Client(netip.MustParseAddr("10.0.0.1"), h)
	fmt.Println(err)
	// Output:
	// 198.51.100.9 <nil>
	// 203.0.113.5 <nil>
	// X-Forwarded-For from 10.0.0.1: "unknown" is not an address
}

func ExamplePolicy_Explain() {
	policy, err := acl.Parse("access.conf", strings.NewReader(examplePolicy), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(policy.Explain(netip.MustParseAddr("192.0.2.7"), "/kubevirt/fedora.img"))
	// Output:
	// 192.0.2.7 may not read "/kubevirt/fedora.img": not in the allow-list
	//   zone "kubevirt"
	//   allow 192.0.2.0/24   access.conf:4   # the lab
	//   deny 192.0.2.7/32   access.conf:5   # but not the guest
}

func ExampleDiff() {
	before, err := acl.Parse("old", strings.NewReader("zone kubevirt\nallow 192.0.2.0/24\n"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	after := acl.Default(netip.MustParsePrefix("192.0.2.0/25"), netip.MustParsePrefix("2001:db8::/32"))
	for _, change := range acl.Diff(before, after) {
		fmt.Println(change)
	}
	// Output:
	// zone bundles: new
	//   + 0.0.0.0/0
	//   + ::/0
	// zone kubevirt
	//   + 2001:db8::/32
	//   - 192.0.2.128/25
	// zone repo: new
	//   + 0.0.0.0/0
	//   + ::/0
	// zone yum: new
	//   + 0.0.0.0/0
	//   + ::/0
}
