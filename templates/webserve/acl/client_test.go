package acl_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// proxied trusts 10.0.0.1, 10.0.0.2, 10.0.0.3 and 2001:db8:f::/48.
var proxied = &acl.Policy{TrustedProxies: acl.NewSet(
	mustPrefix("10.0.0.1"), mustPrefix("10.0.0.2/31"), mustPrefix("2001:db8:f::/48"),
)}

func headers(xff, forwarded []string) http.Header {
	h := http.Header{}
	for _, v := range xff {
		h.Add("X-Forwarded-For", v)
	}
	for _, v := range forwarded {
		h.Add("Forwarded", v)
	}
	return h
}

func TestClientIsThePeer(t *testing.T) {
	spoofed := headers([]string{"192.0.2.1"}, []string{"for=192.0.2.1"})
	spoofed.Set("X-Real-Ip", "192.0.2.1")
	spoofed.Set("True-Client-Ip", "192.0.2.1")
	spoofed.Set("Cf-Connecting-Ip", "192.0.2.1")
	spoofed.Set("Client-Ip", "192.0.2.1")
	spoofed.Set("X-Client-Ip", "192.0.2.1")
	for _, h := range []http.Header{nil, {}, spoofed, headers([]string{"unknown"}, []string{`for="`})} {
		for peer, want := range map[string]string{
			"198.51.100.1": "198.51.100.1", "::ffff:198.51.100.1": "198.51.100.1", "fe80::1%eth0": "fe80::1",
			"10.0.0.4": "10.0.0.4", "10.0.0.0": "10.0.0.0", "2001:db8:10::": "2001:db8:10::", "::10.0.0.1": "::a00:1",
		} {
			got, err := proxied.Client(addr(peer), h)
			require.NoError(t, err)
			require.Equal(t, addr(want), got)
			got, err = acl.Default().Client(addr(peer), h)
			require.NoError(t, err)
			require.Equal(t, addr(want), got)
		}
		_, err := proxied.Client(addr(""), h)
		require.EqualError(t, err, "the address of the peer is not known")
	}
	// Only what a proxy is known to set counts.
	delete(spoofed, "X-Forwarded-For")
	delete(spoofed, "Forwarded")
	_, err := proxied.Client(addr("10.0.0.1"), spoofed)
	require.EqualError(t, err, "trusted proxy 10.0.0.1 names no client; have it set X-Forwarded-For or Forwarded")
}

const denied = ""

func TestClientBehindProxies(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []string
		want   string
	}{
		{"one", []string{"192.0.2.1"}, "192.0.2.1"},
		{"IPv6", []string{"2001:db8::1"}, "2001:db8::1"},
		{"spoofed on the left", []string{"203.0.113.9, 192.0.2.1"}, "192.0.2.1"},
		{"much spoofed on the left", []string{strings.Repeat("203.0.113.9,", 1000) + "192.0.2.1"}, "192.0.2.1"},
		{"garbage on the left", []string{"<script>, unknown,, 192.0.2.1"}, "192.0.2.1"},
		{"a trusted proxy spoofed on the left", []string{"10.0.0.1, 192.0.2.1"}, "192.0.2.1"},
		{"two proxies", []string{"203.0.113.9, 192.0.2.1, 10.0.0.2"}, "192.0.2.1"},
		{"three proxies", []string{"192.0.2.1, 10.0.0.3, 2001:db8:f::1, 10.0.0.2"}, "192.0.2.1"},
		{"a strange proxy between", []string{"192.0.2.1, 198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"several lines", []string{"203.0.113.9", "192.0.2.1", "10.0.0.2"}, "192.0.2.1"},
		{"lines and items", []string{"203.0.113.9, 203.0.113.8", "203.0.113.7, 192.0.2.1", "10.0.0.2,10.0.0.3"}, "192.0.2.1"},
		{"a spoofed line", []string{"203.0.113.9, 10.0.0.2", "192.0.2.1"}, "192.0.2.1"},
		{"all trusted", []string{"10.0.0.2"}, "10.0.0.2"},
		{"all trusted, several", []string{"2001:db8:f::1, 10.0.0.3", "10.0.0.1"}, "2001:db8:f::1"},
		{"blanks and tabs", []string{" \t192.0.2.1\t ,  10.0.0.2 "}, "192.0.2.1"},

		{"a port", []string{"192.0.2.1:49152"}, "192.0.2.1"},
		{"port 0", []string{"192.0.2.1:0"}, "192.0.2.1"},
		{"brackets", []string{"[2001:db8::1]"}, "2001:db8::1"},
		{"brackets and a port", []string{"[2001:db8::1]:65535"}, "2001:db8::1"},
		{"a trusted proxy with a port", []string{"192.0.2.1, 10.0.0.2:80, [2001:db8:f::1]:80"}, "192.0.2.1"},
		{"mapped", []string{"::ffff:192.0.2.1"}, "192.0.2.1"},
		{"mapped in brackets", []string{"[::ffff:192.0.2.1]:80"}, "192.0.2.1"},
		{"a mapped trusted proxy", []string{"192.0.2.1, ::ffff:10.0.0.2"}, "192.0.2.1"},
		{"what looks like a port is a group", []string{"2001:db8::80"}, "2001:db8::80"},

		{"empty", []string{""}, denied},
		{"blank", []string{"  "}, denied},
		{"empty at the end", []string{"192.0.2.1,"}, denied},
		{"empty in between", []string{"192.0.2.1, , 10.0.0.2"}, denied},
		{"an empty line at the end", []string{"192.0.2.1", ""}, denied},
		{"unknown", []string{"unknown"}, denied},
		{"unknown behind a proxy", []string{"192.0.2.1, unknown, 10.0.0.2"}, denied},
		{"obfuscated", []string{"192.0.2.1, _hidden"}, denied},
		{"all trusted up to garbage", []string{"garbage, 10.0.0.3, 10.0.0.2"}, denied},
		{"a name", []string{"localhost"}, denied},
		{"quoted", []string{`"192.0.2.1"`}, denied},
		{"a dash", []string{"-"}, denied},
		{"a zone", []string{"fe80::1%eth0"}, denied},
		{"a zone in brackets", []string{"[fe80::1%25eth0]:80"}, denied},
		{"leading zeros", []string{"192.0.2.010"}, denied},
		{"short", []string{"192.0.2"}, denied},
		{"a number", []string{"3221225985"}, denied},
		{"a prefix", []string{"192.0.2.0/24"}, denied},
		{"an open bracket", []string{"[2001:db8::1"}, denied},
		{"a closing bracket", []string{"2001:db8::1]"}, denied},
		{"IPv4 in brackets", []string{"[192.0.2.1]"}, denied},
		{"brackets twice", []string{"[[2001:db8::1]]"}, denied},
		{"nothing in brackets", []string{"[]"}, denied},
		{"text behind brackets", []string{"[2001:db8::1]x"}, denied},
		{"a port without number", []string{"192.0.2.1:"}, denied},
		{"a port with text", []string{"192.0.2.1:http"}, denied},
		{"a port that is too large", []string{"192.0.2.1:65536"}, denied},
		{"a port with a zero", []string{"192.0.2.1:080"}, denied},
		{"a port with a sign", []string{"192.0.2.1:+80"}, denied},
		{"a port alone", []string{":80"}, denied},
		{"two ports", []string{"192.0.2.1:80:80"}, denied},
		{"semicolons", []string{"192.0.2.1;10.0.0.2"}, denied},
		{"blanks for commas", []string{"192.0.2.1 10.0.0.2"}, denied},
		{"a no-break space", []string{"192.0.2.1\u00a0"}, denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requireClient(t, headers(tc.values, nil), tc.want, "X-Forwarded-For from 10.0.0.1: ")
		})
	}
}

// requireClient asks from a trusted peer, in either form of its address.
func requireClient(t *testing.T, h http.Header, want, message string) {
	t.Helper()
	for _, peer := range []string{"10.0.0.1", "::ffff:10.0.0.1"} {
		got, err := proxied.Client(addr(peer), h)
		if want != denied {
			require.NoError(t, err)
			require.Equal(t, addr(want), got)
			continue
		}
		require.ErrorContains(t, err, message)
		require.False(t, got.IsValid(), "who does not look at the error must not let it in")
		require.Less(t, len(err.Error()), 700)
		require.False(t, acl.Default().Decide("repo", got).Allowed)
	}
}

func TestClientByForwarded(t *testing.T) {
	for _, tc := range []struct {
		name   string
		values []string
		want   string
	}{
		{"one", []string{"for=192.0.2.1"}, "192.0.2.1"},
		{"quoted", []string{`for="192.0.2.1"`}, "192.0.2.1"},
		{"a port", []string{`for="192.0.2.1:47011"`}, "192.0.2.1"},
		{"IPv6", []string{`for="[2001:db8::1]"`}, "2001:db8::1"},
		{"IPv6 and a port", []string{`For="[2001:db8::1]:4711"`}, "2001:db8::1"},
		{"mapped", []string{`for="[::ffff:192.0.2.1]"`}, "192.0.2.1"},
		{"escapes", []string{`for="\1\9\2.0.2\.1"`}, "192.0.2.1"},
		{"other pairs", []string{`proto=https;by=203.0.113.43;FOR=192.0.2.1;host="a,b;for=1.2.3.4"`}, "192.0.2.1"},
		{"spoofed on the left", []string{"for=203.0.113.9, for=192.0.2.1"}, "192.0.2.1"},
		{"spoofed within quotes", []string{`for=192.0.2.1;x="\", for=203.0.113.9"`}, "192.0.2.1"},
		{"unknown on the left", []string{"for=unknown, for=_secret, for=192.0.2.1"}, "192.0.2.1"},
		{"two proxies", []string{`for=203.0.113.9,for=192.0.2.1;proto=http ,	for="10.0.0.2:80"`}, "192.0.2.1"},
		{"several lines", []string{"for=203.0.113.9", "for=192.0.2.1", "for=10.0.0.2"}, "192.0.2.1"},
		{"a broken line on the left", []string{`for="`, "for=192.0.2.1"}, "192.0.2.1"},
		{"all trusted", []string{`for="[2001:db8:f::1]", for=10.0.0.3`}, "2001:db8:f::1"},

		{"empty", []string{""}, denied},
		{"unknown", []string{"for=unknown"}, denied},
		{"unknown in quotes", []string{`for="unknown"`}, denied},
		{"obfuscated", []string{"for=_hidden"}, denied},
		{"obfuscated in front of a proxy", []string{"for=192.0.2.1, for=_hidden, for=10.0.0.2"}, denied},
		{"an obfuscated port", []string{`for="192.0.2.1:_port"`}, denied},
		{"empty value", []string{"for="}, denied},
		{"empty quotes", []string{`for=""`}, denied},
		{"no for", []string{"by=192.0.2.1;proto=https"}, denied},
		{"no for at the end", []string{"for=192.0.2.1, proto=https"}, denied},
		{"for twice", []string{"for=192.0.2.1;for=192.0.2.2"}, denied},
		{"for twice in other case", []string{"for=192.0.2.1;For=192.0.2.1"}, denied},
		{"another twice", []string{"for=192.0.2.1;by=1;by=1"}, denied},
		{"an empty element", []string{"for=192.0.2.1,"}, denied},
		{"an empty element first", []string{", for=192.0.2.1"}, denied},
		{"an empty pair", []string{"for=192.0.2.1;"}, denied},
		{"blanks around =", []string{"for =192.0.2.1"}, denied},
		{"a blank behind =", []string{"for= 192.0.2.1"}, denied},
		{"a blank behind ;", []string{"for=192.0.2.1; proto=http"}, denied},
		{"no =", []string{"192.0.2.1"}, denied},
		{"a port without quotes", []string{"for=192.0.2.1:80"}, denied},
		{"IPv6 without quotes", []string{"for=[2001:db8::1]"}, denied},
		{"IPv6 without brackets and quotes", []string{"for=2001:db8::1"}, denied},
		{"a quote left open", []string{`for="192.0.2.1`}, denied},
		{"an escape at the end", []string{`for="192.0.2.1\`}, denied},
		{"text behind the quotes", []string{`for="192.0.2.1"x`}, denied},
		{"a quote that swallows", []string{`for=203.0.113.9;x=", for=192.0.2.1`}, denied},
		{"a quote that swallows a quoted one", []string{`for=203.0.113.9;x=", for="[2001:db8::1]"`}, denied},
		{"a quote that swallows with an escape", []string{`for=203.0.113.9;x="\", for="192.0.2.1";y="`}, denied},
		{"a quote over two lines", []string{`for=203.0.113.9;x="`, `", for=192.0.2.1`}, denied},
		{"not ASCII", []string{"for=192.0.2.1;\u017for=203.0.113.9"}, denied},
	} {
		t.Run(tc.name, func(t *testing.T) { requireClient(t, headers(nil, tc.values), tc.want, "Forwarded from 10.0.0.1: ") })
	}
}

// What is wrong with a header is said in words that lead to the proxy at fault.
func TestForwardedErrors(t *testing.T) {
	for value, want := range map[string]string{
		"proto=https":           `"proto=https": an element without "for"`,
		"for=1;for=2":           `"for=1;for=2": "for" is there twice`,
		"for=192.0.2.1:80":      `"for=192.0.2.1:80": a comma is missing before ":80"`,
		"for=192.0.2.1; by=1":   `"for=192.0.2.1; by=1": expected a name and "=" before " by=1"`,
		"for=[::1]":             `"for=[::1]": expected a value before "[::1]"`,
		`for="::1`:              `"for=\"::1": a quote is left open`,
		"for=unknown":           `"unknown" is not an address`,
		"for=a, for=10.0.0.2\n": `"for=a, for=10.0.0.2\n": a comma is missing before "\n"`,
	} {
		_, err := proxied.Client(addr("10.0.0.1"), headers(nil, []string{value}))
		require.EqualError(t, err, "Forwarded from 10.0.0.1: "+want)
	}
}

func TestClientByBothHeaders(t *testing.T) {
	for _, tc := range []struct{ name, xff, forwarded, want string }{
		{"agreeing", "192.0.2.1", "for=192.0.2.1", "192.0.2.1"},
		{"agreeing in other forms", "::ffff:192.0.2.1, 10.0.0.2", `for=203.0.113.1, for="192.0.2.1:80"`, "192.0.2.1"},
		{"disagreeing", "192.0.2.1", "for=192.0.2.2", denied},
		{"one of them spoofed", "192.0.2.2", "for=192.0.2.1", denied},
		{"one of them trusted all over", "10.0.0.2", "for=192.0.2.1", denied},
		{"one of them broken", "192.0.2.1", "for=unknown", denied},
		{"the other broken", "unknown", "for=192.0.2.1", denied},
		{"one of them empty", "192.0.2.1", "", denied},
		{"the other empty", "", "for=192.0.2.1", denied},
	} {
		t.Run(tc.name, func(t *testing.T) {
			requireClient(t, headers([]string{tc.xff}, []string{tc.forwarded}), tc.want, " from 10.0.0.1")
		})
	}
	_, err := proxied.Client(addr("10.0.0.1"), headers([]string{"192.0.2.1"}, []string{"for=192.0.2.2"}))
	require.EqualError(t, err, "X-Forwarded-For and Forwarded from 10.0.0.1 name different clients, 192.0.2.1 and 192.0.2.2; have the proxy remove the one it does not set")
}
