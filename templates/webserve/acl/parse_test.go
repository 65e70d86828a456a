package acl_test

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

const sample = `# who may read what
denied 404                       # or 403, the default
trusted-proxies 10.0.0.1 10.0.0.2/31
proxy-protocol 10.0.0.3
zone repo
    allow all
zone kubevirt
    allow 192.0.2.0/24 2001:db8::/32 # the lab
    include kubevirt.subnets
    deny 192.0.2.7	# left
`

const subnets = "# one a line\n198.51.100.0/25 # east\n\n\t198.51.100.128/25\n203.0.113.9"

// opener opens files of a map.
func opener(files map[string]string) func(string) (io.ReadCloser, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return func(name string) (io.ReadCloser, error) { return fsys.Open(name) }
}

func parse(t testing.TB, text string) *acl.Policy {
	t.Helper()
	p, err := acl.Parse("policy", strings.NewReader(text), nil)
	require.NoError(t, err)
	return p
}

func TestParse(t *testing.T) {
	p, err := acl.Parse("policy", strings.NewReader(sample), opener(map[string]string{"kubevirt.subnets": subnets}))
	require.NoError(t, err)
	require.Equal(t, 404, p.Denied)
	require.Equal(t, []string{"policy", "kubevirt.subnets"}, p.Files)
	require.Equal(t, []string{"10.0.0.1/32", "10.0.0.2/31"}, texts(p.TrustedProxies))
	require.Equal(t, []string{"10.0.0.3/32"}, texts(p.ProxyProtocol))
	require.Len(t, p.Zones, 2)
	kubevirt, repo := p.Zones[0], p.Zones[1]
	require.Equal(t, "kubevirt", kubevirt.Name)
	require.True(t, kubevirt.Allow.Equal(set(t, "192.0.2.0/24", "2001:db8::/32", "198.51.100.0/24", "203.0.113.9/32").Minus(set(t, "192.0.2.7/32"))))
	require.Equal(t, "repo", repo.Name)
	require.True(t, repo.Allow.IsEveryone())
	var rules []string
	for _, r := range append(repo.Rules, kubevirt.Rules...) {
		rules = append(rules, fmt.Sprintf("%s %s %s", r.Place(), r, r.Comment))
	}
	require.Equal(t, []string{
		"policy:6 allow all ",
		"policy:8 allow 192.0.2.0/24 the lab",
		"policy:8 allow 2001:db8::/32 the lab",
		"kubevirt.subnets:2 allow 198.51.100.0/25 east",
		"kubevirt.subnets:4 allow 198.51.100.128/25 ",
		"kubevirt.subnets:5 allow 203.0.113.9/32 ",
		"policy:10 deny 192.0.2.7/32 left",
	}, rules)
}

func TestParseMeaning(t *testing.T) {
	const yes, no, nowhere = acl.ReasonAllowed, acl.ReasonNotListed, acl.ReasonNoZone
	for _, tc := range []struct {
		name, text string
		want       string // for 192.0.2.7 in the zone z
	}{
		{"nothing", "", nowhere},
		{"only comments", "# zone z\n#allow all\n", nowhere},
		{"another zone", "zone y\nallow all\n", nowhere},
		{"no rules", "zone z", no},
		{"everybody", "zone z\nallow all", yes},
		{"deny wins below", "zone z\nallow all\ndeny 192.0.2.7", no},
		{"deny wins above", "zone z\ndeny 192.0.2.0/24\nallow 192.0.2.7", no},
		{"deny all", "zone z\nallow 192.0.2.7\ndeny all", no},
		{"deny alone", "zone z\ndeny 10.0.0.0/8", no},
		{"deny somebody else", "zone z\ndeny 10.0.0.0/8\nallow all", yes},
		{"the other family", "zone z\nallow ::/0", no},
		{"all of the family", "zone z\nallow 0.0.0.0/0", yes},
		{"indentation means nothing", "  zone z\nallow 192.0.2.7\n\t\tzone y\n", yes},
		{"settings between zones", "zone z\nallow 192.0.2.7\ndenied 403\ntrusted-proxies ::1\nzone a\n", yes},
		{"settings do not end a zone", "zone z\ndenied 403\nallow 192.0.2.7\n", yes},
		{"line ends of Windows", "zone z\r\nallow 192.0.2.7\r\n", yes},
		{"no line end", "zone z\nallow 192.0.2.7#all", yes},
		{"a commented prefix", "zone z\nallow #192.0.2.7\n192.0.2.8", "error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := acl.Parse("policy", strings.NewReader(tc.text), nil)
			if tc.want == "error" {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, acl.Decision{Allowed: tc.want == yes, Reason: tc.want}, p.Decide("z", addr("::ffff:192.0.2.7")))
		})
	}
}

func TestParseRefuses(t *testing.T) {
	many := func(n int, line string) string { return strings.Repeat(line+"\n", n) }
	for _, tc := range []struct{ name, text, want string }{
		{"a word", "alow all", `policy:1: "alow" is not known; a line begins with one of denied, trusted-proxies, proxy-protocol, zone, allow, deny, include`},
		{"a word in capitals", "zone z\nAllow all", `policy:2: "Allow" is not known`},
		{"a byte order mark", "\ufeffzone z", `policy:1: "\ufeffzone z" holds the invisible character U+FEFF`},
		{"a blank of another kind", "zone z\nallow\u00a0all", `policy:2: "allow\u00a0all" is not known`},
		{"a hidden override", "zone z # \u202e", `policy:1: "zone z # \u202e" holds the invisible character U+202E`},
		{"NUL", "zone z\n\x00", `policy:2: "\x00" holds the invisible character U+0000`},
		{"an old Mac's line ends", "zone z\rallow all\r", `policy:1: "zone z\rallow all" holds the invisible character U+000D`},
		{"form feed", "zone\fz", "invisible character U+000C"},
		{"Latin-1", "zone z # caf\xe9", `policy:1: "zone z # caf\xe9" is not UTF-8`},

		{"denied twice", "denied 403\n\ndenied 403", "policy:3: denied stands in line 1 already"},
		{"denied without", "denied", `policy:1: denied takes 403 or 404, not ""`},
		{"denied otherwise", "denied 200", `policy:1: denied takes 403 or 404, not "200"`},
		{"denied with sign", "denied +404", `policy:1: denied takes 403 or 404, not "+404"`},
		{"denied both", "denied 403 404", `policy:1: denied takes 403 or 404, not "403 404"`},

		{"no proxy", "trusted-proxies # 10.0.0.1", "policy:1: trusted-proxies without an address; leave the line out if there is none"},
		{"a proxy's name", "proxy-protocol lb.example.org", `policy:1: "lb.example.org": not an address or a prefix`},
		{"all proxies", "trusted-proxies all", `policy:1: "all": not an address`},
		{"everyone is a proxy", "trusted-proxies 0.0.0.0/0", "policy: trusted-proxies holds all of 0.0.0.0/0: every client could claim any address; name the proxies"},
		{"everyone by halves", "zone z\nproxy-protocol 8000::/1\nproxy-protocol ::/1", "policy: proxy-protocol holds all of ::/0"},

		{"a zone without a name", "zone", "policy:1: zone takes one name, there are 0; its rules stand in the lines below"},
		{"a zone with more", "zone z allow all", "policy:1: zone takes one name, there are 3"},
		{"a zone's name", "zone Repo", `policy:1: zone "Repo": a zone is named as repo`},
		{"a zone with a slash", "zone repo/", `policy:1: zone "repo/": a zone is named as repo`},
		{"a zone twice", "zone a\nallow all\nzone b\nzone a", "policy:4: zone a stands in line 1 already; put its rules there"},

		{"allow before zones", "allow all", "policy:1: allow before any zone; which zone it belongs to must be said above"},
		{"deny before zones", "deny all", "policy:1: deny before any zone"},
		{"include before zones", "include x", "policy:1: include before any zone"},
		{"allow without", "zone z\nallow # all", "policy:2: allow without a prefix; write allow all if everybody is meant"},
		{"deny without", "zone z\ndeny", "policy:2: deny without a prefix; write deny all if everybody is meant"},
		{"host bits", "zone z\nallow ::1 10.1.2.3/8", `policy:2: "10.1.2.3/8": it has host bits; the network is 10.0.0.0/8`},
		{"commas", "zone z\nallow 10.0.0.1, 10.0.0.2", `policy:2: "10.0.0.1,": not an address`},
		{"from", "zone z\nallow from 10.0.0.1", `policy:2: "from": not an address`},
		{"quotes", "zone z\nallow \"10.0.0.1\"", `policy:2: "\"10.0.0.1\"": not an address`},

		{"include without", "zone z\ninclude", "policy:2: include takes one path without blanks, there are 0 words"},
		{"include two", "zone z\ninclude good empty", "policy:2: include takes one path without blanks, there are 2 words"},
		{"include nothing", "zone z\ninclude gone", `policy:2: include "gone": open gone: file does not exist`},
		{"include itself", "zone z\ninclude nested", `nested:2: there are 2 words; an include file holds one prefix a line, which is allowed`},
		{"include all", "zone z\ninclude everybody", `everybody:1: "all": not an address or a prefix`},
		{"include bad", "zone z\ninclude bad", `bad:3: "11.0.0.0/7": it has host bits`},
		{"include a large file", "zone z\ninclude large", "large: larger than 1048576 bytes; put prefixes into several include files"},
		{"include much", "zone z\n" + many(64, "include good") + "include good", "policy:66: more than 64 includes; join the files"},
		{"include a directory", "zone z\ninclude dir", "dir: "},

		{"a large file", strings.Repeat("#", 1<<20+1), "policy: larger than 1048576 bytes"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p, err := acl.Parse("policy", strings.NewReader(tc.text), opener(map[string]string{
				"good": "10.0.0.1", "empty": "", "nested": "10.0.0.1\ninclude good\n", "everybody": "all\n", "bad": "\n\n11.0.0.0/7\n",
				"large": strings.Repeat("\n", 1<<20+1), "dir/file": "",
			}))
			require.Nil(t, p)
			require.ErrorContains(t, err, tc.want)
			require.True(t, strings.HasPrefix(err.Error(), strings.SplitN(tc.want, ":", 2)[0]) || !strings.Contains(tc.want, ": "), err)
			var pe *acl.ParseError
			require.ErrorAs(t, err, &pe)
			require.NotEmpty(t, pe.File)
			require.Less(t, len(err.Error()), 700)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}

func TestParseTakesAsMuchAsItSays(t *testing.T) {
	whole := "zone z\nallow all\n"
	whole += "#" + strings.Repeat(" ", 1<<20-len(whole)-1)
	require.Len(t, parse(t, whole).Zones, 1)

	text := "zone z\n" + strings.Repeat("include x\n", 64)
	p, err := acl.Parse("policy", strings.NewReader(text), opener(map[string]string{"x": "10.0.0.1"}))
	require.NoError(t, err)
	require.Len(t, p.Files, 65)

	full := strings.Repeat("::\n", 31_250) // 32 times: 1,000,000
	text = "zone z\n" + strings.Repeat("include x\n", 32)
	p, err = acl.Parse("policy", strings.NewReader(text), opener(map[string]string{"x": full}))
	require.NoError(t, err)
	require.Len(t, p.Zones[0].Rules, 1_000_000)
	_, err = acl.Parse("policy", strings.NewReader(text+"deny ::1"), opener(map[string]string{"x": full}))
	require.EqualError(t, err, "policy:34: more than 1000000 prefixes; join neighbours to larger ones")
	_, err = acl.Parse("policy", strings.NewReader("trusted-proxies ::1\n"+text), opener(map[string]string{"x": full}))
	require.EqualError(t, err, "x:31250: more than 1000000 prefixes; join neighbours to larger ones")
}

func TestParseWithoutOpener(t *testing.T) {
	_, err := acl.Parse("policy", strings.NewReader("zone z\ninclude x"), nil)
	require.EqualError(t, err, `policy:2: include "x": includes are not possible here; write the prefixes in the file itself`)
}

// failingFile fails when it is closed.
type failingFile struct{ io.Reader }

func (failingFile) Close() error { return io.ErrClosedPipe }

func TestParseReportsReadErrors(t *testing.T) {
	broken := iotest.ErrReader(io.ErrUnexpectedEOF)
	_, err := acl.Parse("policy", broken, nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.EqualError(t, err, "policy: unexpected EOF")
	for name, f := range map[string]io.ReadCloser{"reading": io.NopCloser(broken), "closing": failingFile{strings.NewReader("::1")}} {
		p, err := acl.Parse("policy", strings.NewReader("zone z\ninclude x"), func(string) (io.ReadCloser, error) { return f, nil })
		require.Error(t, err, name)
		require.Nil(t, p)
	}
}

func TestParseFile(t *testing.T) {
	dir := t.TempDir()
	elsewhere := filepath.Join(t.TempDir(), "more")
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	file := filepath.Join(dir, "access.conf")
	write(file, "zone z\ninclude lists/near\ninclude "+elsewhere+"\n")
	write(filepath.Join(dir, "lists", "near"), "192.0.2.0/24")
	write(elsewhere, "198.51.100.0/24")
	p, err := acl.ParseFile(file)
	require.NoError(t, err)
	require.Equal(t, []string{file, filepath.Join(dir, "lists", "near"), elsewhere}, p.Files)
	require.Equal(t, []string{"192.0.2.0/24", "198.51.100.0/24"}, texts(p.Zones[0].Allow))

	require.NoError(t, os.Remove(elsewhere))
	_, err = acl.ParseFile(file)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorContains(t, err, "access.conf:3: include ")
	_, err = acl.ParseFile(filepath.Join(dir, "gone"))
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = acl.ParseFile(dir)
	require.Error(t, err)
}

func TestParseErrorUnwraps(t *testing.T) {
	cause := errors.New("cause")
	require.ErrorIs(t, &acl.ParseError{File: "f", Line: 1, Err: cause}, cause)
}
