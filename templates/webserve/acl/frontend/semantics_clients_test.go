package frontend_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
)

// words gives random prefixes of loopback addresses that are close together.
func words(r *rand.Rand) string {
	var out []string
	for range 1 + r.UintN(3) {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(r.UintN(32))}), 27+int(r.UintN(6))).Masked()
		if p.IsSingleIP() && r.UintN(2) == 0 {
			out = append(out, p.Addr().String())
			continue
		}
		out = append(out, p.String())
	}
	return strings.Join(out, " ")
}

// requirement is a random Require, or a container of them.
func requirement(r *rand.Rand, depth int, inAll bool) string {
	switch n := r.UintN(12); {
	case n == 0:
		return "Require all granted\n"
	case n == 1:
		return "Require all denied\n"
	case n < 4 && inAll:
		return "Require not ip " + words(r) + "\n"
	case n < 6 && depth < 3:
		text := "<RequireAny>\n"
		for range 1 + r.UintN(3) {
			text += requirement(r, depth+1, false)
		}
		return text + "</RequireAny>\n"
	case n < 9 && depth < 3:
		text := "<RequireAll>\nRequire ip 127.0.0.0/28 " + words(r) + "\n"
		for range r.UintN(3) {
			text += requirement(r, depth+1, true)
		}
		return text + "</RequireAll>\n"
	}
	return "require ip " + words(r) + "\n"
}

// old is a random list of the directives of httpd 2.2.
func old(r *rand.Rand) string {
	var lines []string
	if r.UintN(4) > 0 {
		lines = append(lines, []string{"Order deny,allow", "Order Allow,Deny"}[r.UintN(2)])
	}
	for range 1 + r.UintN(4) {
		lines = append(lines, []string{"Allow from ", "Deny from "}[r.UintN(2)]+[]string{"all", words(r), words(r), words(r)}[r.UintN(4)])
	}
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return strings.Join(lines, "\n") + "\n"
}

// sections are random sections of a host, with Require or with Order.
func sections(r *rand.Rand, root string) string {
	modern := r.UintN(3) > 0
	body := func() string {
		if !modern {
			return old(r)
		}
		text := ""
		for range 1 + r.UintN(2) {
			text += requirement(r, 0, false)
		}
		switch r.UintN(6) {
		case 0:
			text += "AuthMerging And\n"
		case 1:
			text = "AuthMerging Or\n" + text
		case 2:
			text += "AuthMerging Off\n"
		}
		return text
	}
	var list []string
	for _, dir := range []string{root, root + "/kubevirt", root + "/repo/", root + "/yum", root} {
		if r.UintN(2) == 0 || dir == root {
			list = append(list, "<Directory \""+dir+"\">\n"+body()+"</Directory>\n")
		}
	}
	for _, path := range []string{"/", "/kubevirt", "/repo/", "/kubevirt"} {
		if r.UintN(3) == 0 {
			list = append(list, "<Location "+path+">\n"+body()+"</Location>\n")
		}
	}
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	text := strings.Join(list, "")
	if !modern {
		return text
	}
	return "<Directory \"/\">\nRequire all " + []string{"granted", "denied"}[r.UintN(2)] + "\n</Directory>\n" + text
}

// nginxSections are a random server's rules and locations.
func nginxSections(r *rand.Rand) string {
	rules := func() string {
		text := ""
		for range r.UintN(5) {
			for word := range strings.FieldsSeq([]string{"all", words(r), words(r), words(r), words(r)}[r.UintN(5)]) {
				text += []string{"allow ", "deny "}[r.UintN(2)] + word + ";\n"
			}
		}
		return text
	}
	text := rules()
	for _, path := range []string{"/", "/kubevirt/", "^~ /repo", "/yum", "^~ /ku"} {
		if r.UintN(2) == 0 {
			text += "location " + path + " {\n" + rules() + "}\n"
		}
	}
	return text + rules()
}

// What Import reads out of any configuration that it takes is what the server
// does with it.
func TestClientsAreUnderstood(t *testing.T) {
	root := tree(t)
	zones := []string{"kubevirt", "repo", "yum", "bundles"}
	for _, f := range []frontend.Format{frontend.HTTPD, frontend.Nginx} {
		t.Run(string(f), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 13))
			var hosts []string
			s := starters[f](t, required, func(listen string) []byte {
				all := ""
				if f == frontend.HTTPD {
					all = "Listen " + listen + "\n<Directory \"/\">\nRequire all granted\n</Directory>\n"
				}
				for i := range 150 {
					host := fmt.Sprintf("server {\nlisten %s;\nserver_name host%d;\nroot \"%s\";\n%s}\n", listen, i, root, nginxSections(r))
					if f == frontend.HTTPD {
						host = fmt.Sprintf("<VirtualHost %s>\nServerName host%d\nDocumentRoot \"%s\"\n%s</VirtualHost>\n", listen, i, root, sections(r, root))
					}
					hosts = append(hosts, host)
					all += host
				}
				return []byte(all)
			})
			count := map[bool]int{}
			for i, host := range hosts {
				p := importText(t, host, frontend.ImportOptions{})
				for range 12 {
					from := netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + r.UintN(34))})
					for _, zone := range zones {
						want := p.Decide(zone, from).Allowed
						count[want]++
						resp, _ := ask(t, s, from.String(), fmt.Sprintf("GET /%s/x HTTP/1.1\nHost: host%d\nConnection: close", zone, i))
						require.Equal(t, want, resp.StatusCode == 200, "%s from %s: %d\n%s\n%s", zone, from, resp.StatusCode, host, p.Format())
					}
				}
			}
			t.Logf("allowed %d, denied %d", count[true], count[false])
			require.Greater(t, count[true], 200)
			require.Greater(t, count[false], 200)
		})
	}
}
