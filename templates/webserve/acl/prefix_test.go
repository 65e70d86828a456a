package acl_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

var goodPrefixes = map[string]string{
	"192.0.2.0/24":                   "192.0.2.0/24",
	"192.0.2.7":                      "192.0.2.7/32",
	"192.0.2.7/32":                   "192.0.2.7/32",
	"0.0.0.0/0":                      "0.0.0.0/0",
	"0.0.0.0":                        "0.0.0.0/32",
	"10.0.0.0/8":                     "10.0.0.0/8",
	"2001:db8::/32":                  "2001:db8::/32",
	"2001:DB8:0:00:000:0000::/64":    "2001:db8::/64",
	"2001:0db8::0001":                "2001:db8::1/128",
	"::/0":                           "::/0",
	"::1":                            "::1/128",
	"::192.0.2.0/120":                "::c000:200/120",
	"64:ff9b::192.0.2.1":             "64:ff9b::c000:201/128",
	"fe80::/10":                      "fe80::/10",
	"ffff:ffff:ffff:ffff::/64":       "ffff:ffff:ffff:ffff::/64",
	"1:2:3:4:5:6:7:8/128":            "1:2:3:4:5:6:7:8/128",
	"::fffe:0:0/96":                  "::fffe:0:0/96",
	"1:2:3:4:5:6:7:0/112":            "1:2:3:4:5:6:7:0/112",
	"255.255.255.255":                "255.255.255.255/32",
	"128.0.0.0/1":                    "128.0.0.0/1",
	"8000::/1":                       "8000::/1",
	"2001:db8:ffff:ffff:ffff::/80":   "2001:db8:ffff:ffff:ffff::/80",
	"2001:db8:0:0:1:0:0:1":           "2001:db8::1:0:0:1/128",
	"2001:db8::0:0:1:0:0":            "2001:db8::1:0:0/128",
	"0.0.0.1":                        "0.0.0.1/32",
	"100.64.0.0/10":                  "100.64.0.0/10",
	"203.0.113.128/25":               "203.0.113.128/25",
	"0:0:0:0:0:0:0:0/0":              "::/0",
	"0:0:0:0:0:0:0:1/128":            "::1/128",
	"2001:db8:1234:5678::/64":        "2001:db8:1234:5678::/64",
	"fd00:dead:beef::/48":            "fd00:dead:beef::/48",
	"2001:db8:1234:5678:8000::/65":   "2001:db8:1234:5678:8000::/65",
	"ff02::1":                        "ff02::1/128",
	"::1:0:0:0/80":                   "::1:0:0:0/80",
	"2001:db8::fffe/127":             "2001:db8::fffe/127",
	"2001:db8:0:0:0:0:192.0.2.33":    "2001:db8::c000:221/128",
	"2001:db8:0:0:0:0:192.0.2.0/120": "2001:db8::c000:200/120",
}

// badPrefixes are refused, with what the message says beside the text itself.
var badPrefixes = map[string]string{
	"":   "empty; expected an address or a prefix as 192.0.2.0/24",
	" ":  "there are blanks in it",
	"/":  "not an address or a prefix",
	"/8": "not an address or a prefix",

	// host bits
	"10.1.2.3/8":           "it has host bits; the network is 10.0.0.0/8, the address alone 10.1.2.3",
	"192.0.2.1/31":         "it has host bits; the network is 192.0.2.0/31, the address alone 192.0.2.1",
	"0.0.0.1/0":            "it has host bits; the network is 0.0.0.0/0, the address alone 0.0.0.1",
	"2001:db8::1/32":       "it has host bits; the network is 2001:db8::/32, the address alone 2001:db8::1",
	"2001:db8:1:2:3::1/64": "it has host bits; the network is 2001:db8:1:2::/64, the address alone 2001:db8:1:2:3::1",

	// mapped
	"::ffff:10.0.0.0/104":    "IPv4-mapped addresses are compared as IPv4; write 10.0.0.0/8",
	"::ffff:a00:0/104":       "IPv4-mapped addresses are compared as IPv4; write 10.0.0.0/8",
	"::ffff:10.1.2.3/104":    "IPv4-mapped addresses are compared as IPv4; write 10.0.0.0/8",
	"::ffff:192.0.2.1":       "IPv4-mapped addresses are compared as IPv4; write 192.0.2.1",
	"::ffff:192.0.2.1/128":   "IPv4-mapped addresses are compared as IPv4; write 192.0.2.1",
	"0:0:0:0:0:ffff:c000:20": "IPv4-mapped addresses are compared as IPv4; write 192.0.0.32",
	"::ffff:0:0/96":          "IPv4-mapped addresses are compared as IPv4; write 0.0.0.0/0",
	"::ffff:0.0.0.0/80":      "it cuts through the IPv4-mapped addresses",
	"::fffe:0:0/95":          "half of it is the IPv4-mapped addresses, which are compared as IPv4; write ::fffe:0:0/96",

	// zones
	"fe80::1%eth0":    `an IPv6 zone (what follows "%") says nothing about a client`,
	"fe80::%eth0/64":  `an IPv6 zone (what follows "%") says nothing about a client`,
	"192.0.2.1%1":     `an IPv6 zone (what follows "%") says nothing about a client`,
	"::ffff:1.2.3.4%": `an IPv6 zone (what follows "%") says nothing about a client`,

	// leading zeros
	"010.0.0.1":           "a number with a leading zero is octal to some programs",
	"10.0.0.01":           "a number with a leading zero is octal to some programs",
	"10.00.0.0/8":         "a number with a leading zero is octal to some programs",
	"::192.0.02.1":        "a number with a leading zero is octal to some programs",
	"::ffff:010.0.0.0/96": "a number with a leading zero is octal to some programs",
	"010":                 "a number with a leading zero is octal to some programs",
	"10.01/16":            "a number with a leading zero is octal to some programs",
	"10.0.0.0/08":         `the prefix length "08" must be a number from 0 to 32, without leading zeros`,
	"10.0.0.0/00":         `the prefix length "00" must be a number from 0 to 32`,
	"2001:db8::/032":      `the prefix length "032" must be a number from 0 to 128`,

	// lengths
	"10.0.0.0/":       `the prefix length "" must be a number from 0 to 32`,
	"10.0.0.0/33":     `the prefix length "33" must be a number from 0 to 32`,
	"2001:db8::/129":  `the prefix length "129" must be a number from 0 to 128`,
	"10.0.0.0/-1":     `the prefix length "-1" must be`,
	"10.0.0.0/+8":     `the prefix length "+8" must be`,
	"10.0.0.0/8/8":    `the prefix length "8/8" must be`,
	"10.0.0.0/0x8":    `the prefix length "0x8" must be`,
	"10.0.0.0/1e1":    `the prefix length "1e1" must be`,
	"10.0.0.0/99999":  `the prefix length "99999" must be`,
	"10.0.0.0/eight":  `the prefix length "eight" must be`,
	"10.0.0.0/\u0668": "the prefix length \"\u0668\" must be",

	// netmasks, of httpd and nginx
	"10.1.0.0/255.255.0.0":     "a netmask is not accepted; write 10.1.0.0/16",
	"10.1.2.3/255.0.0.0":       "a netmask is not accepted; write 10.0.0.0/8",
	"10.1.2.3/255.255.255.255": "a netmask is not accepted; write 10.1.2.3/32",
	"10.1.2.3/0.0.0.0":         "a netmask is not accepted; write 0.0.0.0/0",
	"10.1.0.0/0.0.255.255":     "a netmask is not accepted, and this one is none",
	"10.1.0.0/255.0.255.0":     "a netmask is not accepted, and this one is none",
	"2001:db8::/ffff:ffff::":   "a netmask is not accepted; write 2001:db8::/32",
	"2001:db8::/255.0.0.0":     "a netmask is not accepted, and this one is none",

	// shortened
	"10":     "an IPv4 address has four numbers; if a network is meant, write 10.0.0.0/8",
	"10.":    "an IPv4 address has four numbers; if a network is meant, write 10.0.0.0/8",
	"10.1":   "an IPv4 address has four numbers; if a network is meant, write 10.1.0.0/16",
	"10.1.2": "an IPv4 address has four numbers; if a network is meant, write 10.1.2.0/24",
	"10/8":   "an IPv4 address has four numbers; if a network is meant, write 10.0.0.0/8",

	// blanks
	" 10.0.0.0/8":    "there are blanks in it",
	"10.0.0.0/8 ":    "there are blanks in it",
	"10.0.0.0 /8":    "there are blanks in it",
	"10.0.0.0\t/8":   "there are blanks in it",
	"10.0.0.0/8\n":   "there are blanks in it",
	"10.0.0.0/8\r":   "there are blanks in it",
	"10.0.0.1 ::1":   "there are blanks in it",
	"10.0.0.1\v":     "there are blanks in it",
	"10.0.0.0/8\x00": "must be a number",

	// what is no address at all
	"all":                "not an address or a prefix",
	"*":                  "not an address or a prefix",
	"10.1.2.*":           "not an address or a prefix",
	"10.0.0.1-10.0.0.9":  "not an address or a prefix",
	"10.0.0.256":         "not an address or a prefix",
	"10.0.0.1.2":         "not an address or a prefix",
	"10.0.0.1,10.0.0.2":  "not an address or a prefix",
	"10.0.0.1:80":        "not an address or a prefix",
	"0x0a000001":         "not an address or a prefix",
	"167772161":          "not an address or a prefix",
	"[::1]":              "not an address or a prefix",
	"[2001:db8::]/32":    "not an address or a prefix",
	":::":                "not an address or a prefix",
	"1::2::3":            "not an address or a prefix",
	"12345::":            "not an address or a prefix",
	"host.example.org":   "not an address or a prefix",
	"\u0661\u0660.0.0.1": "not an address or a prefix",
	"10.0.0.1\x00":       "not an address or a prefix",
	"..":                 "not an address or a prefix",
}

func TestParsePrefix(t *testing.T) {
	for in, want := range goodPrefixes {
		got, err := acl.ParsePrefix(in)
		require.NoError(t, err, in)
		require.Equal(t, want, got.String(), in)
		require.Equal(t, got, got.Masked(), in)
	}
	for in, want := range badPrefixes {
		got, err := acl.ParsePrefix(in)
		require.ErrorContains(t, err, want, "%q", in)
		require.Zero(t, got)
		require.NotContains(t, err.Error(), "\n")
		require.NotContains(t, err.Error(), "\x00")
	}
}

// A message names the text, of which it shows no more than 200 bytes.
func TestPrefixErrorsAreShort(t *testing.T) {
	_, err := acl.ParsePrefix("10.1.2.3/8")
	require.EqualError(t, err, `"10.1.2.3/8": it has host bits; the network is 10.0.0.0/8, the address alone 10.1.2.3`)
	for _, long := range []string{strings.Repeat("x", 1<<20), "10.0.0.0/" + strings.Repeat("1", 1<<20), strings.Repeat("1.", 1<<20)} {
		_, err = acl.ParsePrefix(long)
		require.Error(t, err)
		require.Less(t, len(err.Error()), 700)
	}
}

// What a message tells to write is accepted.
func TestAdviceIsAccepted(t *testing.T) {
	seen := 0
	for in := range badPrefixes {
		_, err := acl.ParsePrefix(in)
		for _, lead := range []string{"write ", "the network is ", "the address alone "} {
			if _, advice, ok := strings.Cut(err.Error(), lead); ok && strings.Contains("0123456789", advice[:1]) {
				advice, _, _ = strings.Cut(advice, ",")
				_, err := acl.ParsePrefix(advice)
				require.NoError(t, err, in)
				seen++
			}
		}
	}
	require.Greater(t, seen, 20)
}

// Cuts beside the IPv4-mapped addresses must not bring them to light: as a
// prefix of its own, ::ffff:0:0/96 would be all of IPv4.
func TestSetsPrintNoMappedPrefix(t *testing.T) {
	for _, tc := range []struct{ yes, no []string }{
		{[]string{"0.0.0.0/0", "::/0"}, []string{"192.0.2.7/32", "2001:db8::7/128"}},
		{[]string{"::/0"}, []string{"::fffe:0:0/96"}},
		{[]string{"::/0"}, []string{"::fffe:ffff:ffff/128"}},
		{[]string{"::/0"}, []string{"::fffe:0:0/128"}},
		{[]string{"::/0"}, []string{"::1:0:0:0/128"}},
		{[]string{"::/0"}, []string{"::1:0:0:0/96", "::fffe:0:0/96"}},
		{[]string{"::/0"}, []string{"0.0.0.0/0", "::/81"}},
		{[]string{"::/80"}, []string{"::/81", "::8000:0:0/82"}},
		{[]string{"::fffe:0:0/95"}, nil},
		{[]string{"::fffe:0:0/96", "::1:0:0:0/96"}, nil},
		{[]string{"::fffe:ffff:ffff/128", "::1:0:0:0/128"}, nil},
		{[]string{"::fffe:0:0/96", "::1:0:0:0/96"}, []string{"::fffe:ffff:ffff/128"}},
	} {
		yes, no := set(t, tc.yes...), set(t, tc.no...)
		s := yes.Minus(no)
		for _, p := range s.Prefixes() {
			got, err := acl.ParsePrefix(p.String())
			require.NoError(t, err, "%v", tc)
			require.Equal(t, p, got)
		}
		require.True(t, acl.NewSet(s.Prefixes()...).Equal(s), "%v: %v", tc, s.Prefixes())
		require.True(t, s.Union(no).Equal(yes.Union(no)), "%v", tc)
		for _, a := range []string{"::fffe:0:0", "::fffe:ffff:ffff", "::1:0:0:0", "::1:0:0:1", "::", "ffff::"} {
			a := netip.MustParseAddr(a)
			require.Equal(t, yes.Contains(a) && !no.Contains(a), s.Contains(a), "%v: %v", tc, a)
		}
		require.Equal(t, len(tc.yes) == 2 && tc.yes[0] == "0.0.0.0/0", s.Contains(netip.MustParseAddr("::ffff:10.0.0.1")))
	}
}

// However the rest of IPv6 came together, it is all of it.
func TestEqualDoesNotKnowMappedAddresses(t *testing.T) {
	around := set(t, "::/0").Minus(set(t, "::fffe:0:0/96")).Union(set(t, "::fffe:0:0/96"))
	require.True(t, around.Equal(set(t, "::/0")))
	require.Equal(t, []string{"::/0"}, texts(around))
	require.True(t, around.Union(set(t, "0.0.0.0/0")).IsEveryone())
	// Prefixes that hold them stay as they were written.
	for _, p := range []string{"::/0", "::/79", "::/80", "::8000:0:0/81", "::fffe:0:0/96", "::1:0:0:0/80", "::fffc:0:0/95"} {
		require.Equal(t, []string{p}, texts(set(t, p)))
	}
	// But none is named of which they are half: a set that holds no more than its
	// other half would be printed wider than it was written.
	require.Equal(t, []string{"::fffe:0:0/96"}, texts(acl.NewSet(netip.MustParsePrefix("::fffe:0:0/95"))))
}
