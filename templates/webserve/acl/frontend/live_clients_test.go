package frontend_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
	"github.com/tplkit/tplkit/templates/webserve/internal/livetest"
)

type starter func(testing.TB, bool, func(string) []byte) *livetest.Server

var starters = map[frontend.Format]starter{
	frontend.HTTPD: livetest.StartHTTPD, frontend.Nginx: livetest.StartNginx, frontend.Caddy: livetest.StartCaddy,
}

// lax is what the administrator of an httpd may have said before.
const lax = "FallbackResource /repo/x\n<Directory \"%s\">\nOptions Indexes FollowSymLinks MultiViews\nDirectoryIndex index.html\nRequire all granted\n</Directory>\n"

// serve runs a server with an exported policy on a tree.
func serve(t *testing.T, f frontend.Format, p *acl.Policy, root string) *livetest.Server {
	t.Helper()
	return starters[f](t, required, func(listen string) []byte {
		out := export(t, f, p, frontend.ExportOptions{Root: root, Listen: listen})
		if f == frontend.HTTPD {
			return append(fmt.Appendf(nil, lax, root), out...)
		}
		return out
	})
}

// tree makes a tree with a secret in kubevirt and everything that could lead
// there from repo.
func tree(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "www")
	for name, text := range map[string]string{
		"kubevirt/x": "secret", "kubevirt/sub/y": "secret", "kubevirt/z.qcow2": "secret", "repo/x": "open", "repo/x.xz": "0123456789", "repo/x.img": "disk",
		"repo/x.hash": "hash", "repo/x.metadata": "{}", "repo/x.json": "{}", "repo/index": "[x]", "repo/index.asc": "[x]", "repo/a.gz": "gz", "repo/a.cgi": "cgi",
		"repo/a.php.qcow2": "php", "repo/a.var": "var", "repo/a.html": "html", "repo/index.html": "the index", "repo/noindex/.no-index": "no", "repo/big.raw": strings.Repeat("abc", 5000),
		"repo/.hidden": "no", "repo/.dir/x": "no", "repo/x.lock": "no", "repo/x.TMP": "no", "repo/l.lock/x": "no", "repo/name with blank": "blank", "repo/ends.": "no", "repo/ü": "no",
		"repo/sub/index.html": "the index", "repo/sub/y": "open", "bundles/x": "open", "yum/x": "open", "kubevirtx": "no", "kubevirt2/x": "no", "other/x": "no", "top": "no", "index.html": "no",
	} {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	for link, to := range map[string]string{
		"repo/link": "../kubevirt/x", "repo/linkdir": "../kubevirt", "repo/abs": filepath.Join(root, "kubevirt/x"), "linked": "kubevirt",
		"repo/chain": "link", "repo/inside": "x",
	} {
		require.NoError(t, os.Symlink(to, filepath.Join(root, filepath.FromSlash(link))))
	}
	livetest.Readable(t, filepath.Dir(root))
	return root
}

// ask sends a request as it is and reads the answer.
func ask(t *testing.T, s *livetest.Server, from, request string) (*http.Response, string) {
	t.Helper()
	conn, err := s.Dial(netip.MustParseAddr(from))
	require.NoError(t, err)
	defer conn.Close()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, strings.ReplaceAll(request, "\n", "\r\n")+"\r\n\r\n")
	require.NoError(t, err)
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	require.NoError(t, err, request)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err, request)
	return resp, string(body)
}

// get asks for a target with header lines.
func get(t *testing.T, s *livetest.Server, from, target string, headers ...string) (*http.Response, string) {
	t.Helper()
	return ask(t, s, from, strings.Join(append([]string{"GET " + target + " HTTP/1.1", "Host: localhost", "Connection: close", "Accept-Encoding: gzip, br"}, headers...), "\n"))
}

const subnets = "zone repo\nallow all\nzone bundles\nallow 127.0.0.0/29\nzone yum\nzone kubevirt\nallow 127.0.0.2 127.0.0.16/28\n"

// Whom the policy allows is served, others are not, from any address.
func TestClientsDecideAlike(t *testing.T) {
	root := tree(t)
	for f := range starters {
		for _, denied := range []int{403, 404} {
			t.Run(fmt.Sprint(f, denied), func(t *testing.T) {
				r := rand.New(rand.NewPCG(3, uint64(denied)))
				for range 3 {
					p := &acl.Policy{Denied: denied}
					for _, name := range []string{"bundles", "kubevirt", "repo", "yum"} {
						if set := randomSet(r); r.UintN(6) > 0 {
							p.Zones = append(p.Zones, acl.Zone{Name: name, Allow: set})
						}
					}
					s := serve(t, f, p, root)
					count := map[bool]int{}
					for range 40 {
						from := netip.AddrFrom4([4]byte{127, 0, byte(r.UintN(2)), byte(1 + r.UintN(64))})
						for _, zone := range []string{"bundles", "kubevirt", "repo", "yum"} {
							want := p.Decide(zone, from).Allowed
							count[want]++
							resp, body := get(t, s, from.String(), "/"+zone+"/x")
							if want {
								require.Equal(t, 200, resp.StatusCode, "%s %s\n%s\n%s", zone, from, p.Format(), s.Log())
								require.Equal(t, map[bool]string{true: "secret", false: "open"}[zone == "kubevirt"], body)
							} else {
								require.Equal(t, denied, resp.StatusCode, "%s %s\n%s", zone, from, p.Format())
								require.NotContains(t, body, "secret")
							}
						}
					}
					require.NotEmpty(t, count[true])
					require.NotEmpty(t, count[false])
				}
			})
		}
	}
}

// What nobody may have is refused to everybody; what lies in a restricted zone
// to strangers, whatever it is called.
func TestClientsRefuse(t *testing.T) {
	root := tree(t)
	never := []string{
		"/", "/top", "/other/x", "/other/", "/index.html", "/kubevirtx", "/kubevirt2/x", "/nothing", "/linked/x", "/Repo/x", "/REPO/x", "/KUBEVIRT/x",
		"/repo/.hidden", "/repo/.dir/x", "/repo/.dir/", "/repo/noindex/.no-index", "/repo/x.lock", "/repo/x.TMP", "/repo/l.lock/x", "/repo/x.lo%63k", "/repo/%2ehidden",
		"/repo/./x", "/repo/../repo/x", "/repo/../kubevirt/x", "/repo/..%2fkubevirt/x", "/repo/%2e%2e/kubevirt/x", "/repo/.%2e/kubevirt/x", "/./repo/x", "/../repo/x",
		"/repo%2fx", "/repo/%2fx", "/repo%5cx", "/repo\\x", "/repo/..\\kubevirt\\x", "/repo/x%00", "/repo/x%0a", "/repo/x%7f", "/repo/x%23", "/repo/ends.", "/repo/x%20", "/repo/x.",
		"/repo/..;/kubevirt/x", "/repo/x/", "/repo/x/y", "/repo/%c3%bc", "/repo/ü", "/repo/%ff", "/repo/%zz", "/repo/nothing", "/repo/..%c0%af", "/%6bubevirt/../repo/x",
		"http://localhost/repo/../repo/x", "http://localhost/other/x",
	}
	links := []string{"/repo/link", "/repo/linkdir/x", "/repo/linkdir/", "/repo/linkdir", "/repo/abs", "/repo/chain", "/repo/inside"}
	stranger := []string{
		"/kubevirt/x", "//kubevirt/x", "///kubevirt//x", "/kubevirt//x", "/kubevirt/", "/kubevirt", "/kubevirt/sub/", "/kubevirt/sub", "/kubevirt/nothing", "/kubevir%74/x", "/%6b%75bevirt/x",
		"/kubevirt/x?y", "/kubevirt/?C=N", "/kubevirt%2fx", "/kubevirt;/x", "/kubevirt/./x", "/repo//../kubevirt/x", "http://localhost/kubevirt/x", "http://localhost//kubevirt/x", "/yum/x",
	}
	for f := range starters {
		for _, denied := range []string{"403", "404"} {
			t.Run(string(f)+denied, func(t *testing.T) {
				s := serve(t, f, parse(t, "denied "+denied+"\n"+subnets), root)
				refused := func(from, target string) int {
					resp, body := get(t, s, from, target)
					require.GreaterOrEqual(t, resp.StatusCode, 400, "%s for %s", target, from)
					require.Less(t, resp.StatusCode, 500, "%s for %s", target, from)
					require.NotContains(t, body, "secret", target)
					return resp.StatusCode
				}
				for _, target := range never {
					if f == frontend.Caddy && target == "/repo/x/" {
						continue // is redirected to the file
					}
					refused("127.0.0.2", target)
					refused("127.0.0.99", target)
				}
				for _, target := range stranger {
					got := refused("127.0.0.99", target)
					if !strings.ContainsAny(target, "%;.") {
						require.Equal(t, denied, strconv.Itoa(got), target)
					}
				}
				if f != frontend.Caddy {
					for _, target := range links {
						refused("127.0.0.2", target)
						refused("127.0.0.99", target)
					}
				}
				for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "PATCH", "PROPFIND", "TRACE", "get", "BREW"} {
					for _, target := range []string{"/repo/x", "/kubevirt/x"} {
						resp, body := ask(t, s, "127.0.0.99", method+" "+target+" HTTP/1.1\nHost: localhost\nContent-Length: 0\nConnection: close")
						require.GreaterOrEqual(t, resp.StatusCode, 400, "%s %s", method, target)
						require.NotContains(t, body, "secret")
						if method == "POST" && target == "/repo/x" {
							require.Equal(t, 405, resp.StatusCode)
							require.ElementsMatch(t, []string{"GET", "HEAD"}, strings.FieldsFunc(strings.Join(resp.Header.Values("Allow"), ","), func(c rune) bool { return c == ',' || c == ' ' }))
						}
					}
				}
			})
		}
	}
}

// Where httpd grants everything by URL, which counts more than <Directory>, and
// where another URL leads to a zone, the restricted zones stay so.
func TestClientsGrantingLocation(t *testing.T) {
	root := tree(t)
	s := livetest.StartHTTPD(t, required, func(listen string) []byte {
		conf := export(t, frontend.HTTPD, parse(t, subnets), frontend.ExportOptions{Root: root})
		return fmt.Appendf(nil, "Listen %s\nAlias /other-way %s/kubevirt\n<Location \"/\">\nRequire all granted\n</Location>\n%s", listen, root, conf)
	})
	for target, want := range map[string]string{"/kubevirt/x": "127.0.0.2", "//kubevirt/x": "127.0.0.2", "/yum/x": "", "/bundles/x": "127.0.0.2"} {
		for _, from := range []string{"127.0.0.2", "127.0.0.99"} {
			resp, _ := get(t, s, from, target)
			require.Equal(t, from == want, resp.StatusCode == 200, "%s from %s", target, from)
		}
	}
	s = livetest.StartHTTPD(t, required, func(listen string) []byte {
		conf := export(t, frontend.HTTPD, parse(t, subnets), frontend.ExportOptions{Root: root})
		return fmt.Appendf(nil, "Listen %s\nAlias /other-way %s/kubevirt\n%s", listen, root, conf)
	})
	resp, _ := get(t, s, "127.0.0.2", "/other-way/x")
	require.Equal(t, 200, resp.StatusCode)
	resp, _ = get(t, s, "127.0.0.99", "/other-way/x")
	require.Equal(t, 403, resp.StatusCode)
}

// What is there is served as the clients of templates need it.
func TestClientsServe(t *testing.T) {
	root := tree(t)
	for f := range starters {
		t.Run(string(f), func(t *testing.T) {
			s := serve(t, f, parse(t, subnets), root)
			for target, want := range map[string][3]string{
				"/repo/x.xz": {"0123456789", "application/x-xz"}, "/repo/x": {"open", "application/octet-stream"}, "/repo/x.img": {"disk", "application/octet-stream"},
				"/repo/x.hash": {"hash", "text/plain; charset=utf-8"}, "/repo/x.metadata": {"{}", "application/json"}, "/repo/x.json": {"{}", "application/json"},
				"/repo/index": {"[x]", "text/plain; charset=utf-8"}, "/repo/index.asc": {"[x]", "text/plain; charset=utf-8"}, "/repo/a.gz": {"gz", "application/octet-stream"},
				"/repo/a.cgi": {"cgi", "application/octet-stream"}, "/repo/a.php.qcow2": {"php", "application/octet-stream"}, "/repo/a.var": {"var", "application/octet-stream"},
				"/repo/a.html": {"html", "application/octet-stream"}, "/repo/index.html": {"the index", "application/octet-stream"}, "/repo/name%20with%20blank": {"blank", "application/octet-stream"},
				"//repo/x": {"open", "application/octet-stream"}, "/repo//x": {"open", "application/octet-stream"}, "///repo///x?a=/../&b=.": {"open", "application/octet-stream"},
				"/bundles/x": {"open", "application/octet-stream"}, "/kubevirt/x": {"secret", "application/octet-stream"}, "//kubevirt/x": {"secret", "application/octet-stream"},
				"/kubevirt//sub//y": {"secret", "application/octet-stream"}, "/kubevirt/z.qcow2": {"secret", "application/octet-stream"}, "/%72epo/x": {"open", "application/octet-stream"},
			} {
				resp, body := get(t, s, "127.0.0.2", target)
				require.Equal(t, 200, resp.StatusCode, "%s\n%s", target, s.Log())
				require.Equal(t, want[0], body, target)
				require.Equal(t, want[1], resp.Header.Get("Content-Type"), target)
				require.Empty(t, resp.Header.Values("Content-Encoding"), target)
				require.Equal(t, "bytes", resp.Header.Get("Accept-Ranges"), target)
				require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"), target)
				require.EqualValues(t, len(body), resp.ContentLength, target)
				cache := "no-cache, no-transform"
				if body == "secret" || strings.HasPrefix(target, "/bundles") {
					cache = "private, no-store, no-transform"
				}
				require.Equal(t, []string{cache}, resp.Header.Values("Cache-Control"), target)
				head, _ := ask(t, s, "127.0.0.2", "HEAD "+target+" HTTP/1.1\nHost: localhost\nConnection: close")
				require.Equal(t, 200, head.StatusCode, target)
				require.Equal(t, resp.ContentLength, head.ContentLength, target)
			}
			resp, body := get(t, s, "127.0.0.2", "/repo/big.raw")
			require.Empty(t, resp.Header.Values("Content-Encoding"))
			require.Len(t, body, 15000)
			resp, body = get(t, s, "127.0.0.2", "/repo/x.xz", "Range: bytes=2-4")
			require.Equal(t, 206, resp.StatusCode)
			require.Equal(t, "234", body)
			require.Equal(t, "bytes 2-4/10", resp.Header.Get("Content-Range"))
			resp, body = get(t, s, "127.0.0.2", "/repo/sub")
			require.Contains(t, []int{301, 302, 307, 308}, resp.StatusCode, body)
			require.True(t, strings.HasSuffix(resp.Header.Get("Location"), "/repo/sub/"), resp.Header.Get("Location"))
			resp, body = get(t, s, "127.0.0.2", "/repo/")
			require.Equal(t, 200, resp.StatusCode)
			require.Contains(t, body, "x.xz")
			require.NotContains(t, body, ".hidden")
			require.NotContains(t, body, "secret")
			if f == frontend.HTTPD {
				require.NotContains(t, body, "link")
				require.NotContains(t, body, "x.lock")
				require.NotContains(t, body, "x.TMP")
			}
			_, body = get(t, s, "127.0.0.2", "/repo/sub/")
			require.Contains(t, body, "index.html", "a directory is listed, not replaced by a page")
			resp, _ = get(t, s, "127.0.0.2", "/kubevirt/")
			require.Equal(t, 200, resp.StatusCode)
		})
	}
}
