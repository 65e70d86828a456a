package daemon_test

import (
	"encoding/binary"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// v2 is a header of version 2.
func v2(command, family byte, body string) string {
	b := []byte(daemon.ProxyV2Sig)
	b = append(b, command, family)
	b = binary.BigEndian.AppendUint16(b, uint16(len(body)))
	return string(b) + body
}

const (
	v4Body = "\xc0\x00\x02\x01\xc0\x00\x02\x02\x9c\x40\x00\x50"
	v6Body = "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01" +
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x9c\x40\x00\x50"
	mappedBody = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x01" +
		"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xc0\x00\x02\x02\x9c\x40\x00\x50"
)

// goodProxy are headers that are understood, and the client that they name: "" is the peer itself.
var goodProxy = map[string]struct{ header, client string }{
	"v1 IPv4":                {"PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n", "192.0.2.1:40000"},
	"v1 IPv6":                {"PROXY TCP6 2001:db8::1 2001:db8::2 40000 80\r\n", "[2001:db8::1]:40000"},
	"v1 mapped":              {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:192.0.2.2 40000 80\r\n", "192.0.2.1:40000"},
	"v1 port 0":              {"PROXY TCP4 192.0.2.1 192.0.2.2 0 65535\r\n", "192.0.2.1:0"},
	"v1 unknown":             {"PROXY UNKNOWN\r\n", ""},
	"v1 unknown with more":   {"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", ""},
	"v1 unknown with junk":   {"PROXY UNKNOWN \x00\xff\r\n", ""},
	"v1 longest":             {"PROXY TCP6 " + strings.Repeat("ffff:", 7) + "ffff " + strings.Repeat("ffff:", 7) + "fffe 65535 65535\r\n", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
	"v2 IPv4":                {v2(0x21, 0x11, v4Body), "192.0.2.1:40000"},
	"v2 IPv6":                {v2(0x21, 0x21, v6Body), "[2001:db8::1]:40000"},
	"v2 mapped":              {v2(0x21, 0x21, mappedBody), "192.0.2.1:40000"},
	"v2 with fields":         {v2(0x21, 0x11, v4Body+"\x04\x00\x03abc"), "192.0.2.1:40000"},
	"v2 local":               {v2(0x20, 0x00, ""), ""},
	"v2 local with address":  {v2(0x20, 0x11, v4Body), ""},
	"v2 local, any family":   {v2(0x20, 0x99, "junk"), ""},
	"v2 as long as can be":   {v2(0x21, 0x11, v4Body+strings.Repeat("x", daemon.ProxyV2Max-28)), "192.0.2.1:40000"},
	"v2 broadcast is a name": {v2(0x21, 0x11, "\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"), "255.255.255.255:0"},
}

// badProxy are headers that are refused, and a part of the error.
var badProxy = map[string]struct{ header, want string }{
	"no header":           {"GET / HTTP/1.1\r\n", "expected a PROXY header"},
	"TLS":                 {"\x16\x03\x01\x02\x00", "expected a PROXY header"},
	"lower case":          {"proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "expected a PROXY header"},
	"v1 family":           {"PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", "TCP4, TCP6 or UNKNOWN"},
	"v1 empty":            {"PROXY \r\n", "TCP4, TCP6 or UNKNOWN"},
	"v1 two blanks":       {"PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "TCP4, TCP6 or UNKNOWN"},
	"v1 too few":          {"PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", "two addresses and two ports"},
	"v1 too many":         {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", "two addresses and two ports"},
	"v1 blank at the end": {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", "two addresses and two ports"},
	"v1 v6 as TCP4":       {"PROXY TCP4 2001:db8::1 192.0.2.2 1 2\r\n", "address of TCP4"},
	"v1 v4 as TCP6":       {"PROXY TCP6 192.0.2.1 2001:db8::1 1 2\r\n", "address of TCP6"},
	"v1 destination":      {"PROXY TCP4 192.0.2.1 nowhere 1 2\r\n", "address of TCP4"},
	"v1 IPv6 zone":        {"PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n", "address of TCP6"},
	"v1 leading zeros":    {"PROXY TCP4 010.0.0.1 192.0.2.2 1 2\r\n", "address of TCP4"},
	"v1 port zeros":       {"PROXY TCP4 192.0.2.1 192.0.2.2 080 2\r\n", "a port"},
	"v1 port sign":        {"PROXY TCP4 192.0.2.1 192.0.2.2 +80 2\r\n", "a port"},
	"v1 port too large":   {"PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", "a port"},
	"v1 no end":           {"PROXY TCP4 " + strings.Repeat("1", 200), "no end within 107"},
	"v1 end too late":     {"PROXY UNKNOWN " + strings.Repeat("x", daemon.ProxyV1Max-15) + "\r\n", "no end within 107"},
	"v1 LF alone":         {"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\nGET / HTTP/1.1\r\n", "two addresses and two ports"},
	"v2 version":          {v2(0x11, 0x11, v4Body), "version and command 0x11"},
	"v2 command":          {v2(0x22, 0x11, v4Body), "version and command 0x22"},
	"v2 no family":        {v2(0x21, 0x00, v4Body), "family and protocol 0x00"},
	"v2 UDP":              {v2(0x21, 0x12, v4Body), "family and protocol 0x12"},
	"v2 unix":             {v2(0x21, 0x31, strings.Repeat("x", 216)), "family and protocol 0x31"},
	"v2 short address":    {v2(0x21, 0x11, v4Body[:11]), "11 bytes of addresses"},
	"v2 IPv4 for IPv6":    {v2(0x21, 0x21, v4Body), "12 bytes of addresses"},
	"v2 too long":         {v2(0x20, 0x00, strings.Repeat("x", daemon.ProxyV2Max)), "expected at most 4096"},
	"v2 length a lie":     {daemon.ProxyV2Sig + "\x21\x11\xff\xff", "expected at most 4096"},
}

func TestProxyHeaders(t *testing.T) {
	const behind = "GET / HTTP/1.1\r\n"
	for name, c := range goodProxy {
		t.Run(name, func(t *testing.T) {
			client, n, err := daemon.ParseProxy([]byte(c.header + behind))
			require.NoError(t, err)
			require.Equal(t, len(c.header), n, "what is behind it is the client's")
			want := netip.AddrPort{}
			if c.client != "" {
				want = netip.MustParseAddrPort(c.client)
			}
			require.Equal(t, want, client)
			for i := range len(c.header) {
				_, _, err := daemon.ParseProxy([]byte(c.header[:i]))
				require.ErrorIs(t, err, daemon.ErrMore, "%d bytes of it", i)
			}
		})
	}
	for name, c := range badProxy {
		t.Run(name, func(t *testing.T) {
			client, _, err := daemon.ParseProxy([]byte(c.header))
			require.ErrorContains(t, err, c.want)
			require.NotErrorIs(t, err, daemon.ErrMore)
			require.False(t, client.IsValid())
		})
	}
}

// Whatever is sent, the parser keeps within its limits, and a header that it understands it understands whatever
// comes behind.
func FuzzProxyHeader(f *testing.F) {
	for _, c := range goodProxy {
		f.Add([]byte(c.header))
	}
	for _, c := range badProxy {
		f.Add([]byte(c.header))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		client, n, err := daemon.ParseProxy(b)
		switch {
		case err == nil:
			require.Positive(t, n)
			require.LessOrEqual(t, n, min(len(b), daemon.ProxyV2Max))
			require.Equal(t, client.Addr().Unmap(), client.Addr())
			require.Empty(t, client.Addr().Zone())
			again, m, err := daemon.ParseProxy(append(b[:n:n], "PROXY UNKNOWN\r\n"...))
			require.NoError(t, err)
			require.Equal(t, client, again)
			require.Equal(t, n, m)
		case err == daemon.ErrMore: //nolint:errorlint // it comes bare
			require.Less(t, len(b), daemon.ProxyV2Max, "it waits for ever")
		default:
			require.Less(t, len(err.Error()), 1000)
			for _, c := range []byte(err.Error()) {
				require.False(t, c < ' ' || c == 0x7f, "%q", err)
			}
		}
	})
}
