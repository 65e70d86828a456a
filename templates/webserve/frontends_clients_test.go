package webserve_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/acl/frontend"
	"github.com/tplkit/tplkit/templates/webserve/internal/corpus"
	"github.com/tplkit/tplkit/templates/webserve/internal/livetest"
)

// The same tree and the same policy behind tplkit, nginx and httpd, and to each
// the same bytes over a socket: every target of the corpus, for every zone, from
// an address that may read the zone and from one that may not. What is held:
//
//   - No leak. Nobody gets from any of the three what the policy denies him, nor
//     a file that is hidden, lies outside the zones or behind a symbolic link.
//   - tplkit serves proper names alone: those of which the corpus says that they
//     need no repair. Whatever else either of the others refuses, it refuses.
//   - The exported configuration is never laxer than tplkit: what nginx or httpd
//     serve, tplkit serves, and the same file.
//
// So tplkit is laxer than the stricter of the two in proper names at most, and
// there the file that it serves is the one that is named, and public. The test
// lists these.

const (
	rawFile   = "secret.img"
	listed    = "only-listed-in-"
	parallels = 8
)

var rawZones = []string{"bundles", "kubevirt", "repo", "yum"}

// deniedAddr is the one address that may not read a zone.
func deniedAddr(zone int) netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, byte(11 + zone)}) }

var allowedAddr = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// rawPolicy denies each zone to an address of its own.
func rawPolicy(t *testing.T, denied int) *acl.Policy {
	t.Helper()
	var text strings.Builder
	fmt.Fprintf(&text, "denied %d\n", denied)
	for i, zone := range rawZones {
		allowed := "all"
		if zone == "kubevirt" {
			allowed = "127.0.0.0/8"
		}
		fmt.Fprintf(&text, "zone %s\nallow %s\ndeny %s\n", zone, allowed, deniedAddr(i))
	}
	p, err := acl.Parse("policy", strings.NewReader(text.String()), nil)
	require.NoError(t, err)
	return p
}

// rawTree makes a tree in which every file says which it is.
func rawTree(t *testing.T) string {
	t.Helper()
	root := filepath.Join(t.TempDir(), "tree")
	file := func(name string) {
		path := filepath.Join(root, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(token(name)), 0o644))
	}
	for _, zone := range rawZones {
		for _, name := range []string{rawFile, listed + zone, ".hidden/" + rawFile, ".tplkit/" + rawFile, "." + rawFile, rawFile + ".lock", rawFile + ".tmp"} {
			file(zone + "/" + name)
		}
		require.NoError(t, os.Symlink("..", filepath.Join(root, zone, "link")))
		require.NoError(t, os.Symlink("../kubevirt/"+rawFile, filepath.Join(root, zone, "linked.img")))
	}
	for _, name := range []string{rawFile, ".hidden/repo/" + rawFile, ".tplkit/repo/" + rawFile, "other/" + rawFile, "../" + rawFile} {
		file(name)
	}
	livetest.Readable(t, filepath.Dir(root))
	return root
}

// token is the content of a file.
func token(name string) string { return "«" + name + "»\n" }

var tokens = regexp.MustCompile("«([^»]*)»")

// rawServer is one of those that are compared.
type rawServer struct {
	name string
	addr string
	dial func(from netip.Addr) (net.Conn, error)
}

func rawServers(t *testing.T, root string, p *acl.Policy) []rawServer {
	t.Helper()
	required := os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1"
	h, err := webserve.New(root, webserve.Options{Policy: p})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{Handler: h}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		require.NoError(t, server.Close())
		require.ErrorIs(t, <-done, http.ErrServerClosed)
		require.NoError(t, h.Close())
	})
	ours := func(from netip.Addr) (net.Conn, error) {
		d := net.Dialer{Timeout: 5 * time.Second, LocalAddr: &net.TCPAddr{IP: from.AsSlice()}}
		return d.Dial("tcp", listener.Addr().String())
	}
	export := func(f frontend.Format) func(string) []byte {
		return func(listen string) []byte {
			conf, err := frontend.Export(f, p, frontend.ExportOptions{Root: root, Listen: listen})
			require.NoError(t, err)
			return conf
		}
	}
	nginx := livetest.StartNginx(t, required, export(frontend.Nginx))
	httpd := livetest.StartHTTPD(t, required, export(frontend.HTTPD))
	return []rawServer{{"tplkit", listener.Addr().String(), ours}, {"nginx", nginx.Addr, nginx.Dial}, {"httpd", httpd.Addr, httpd.Dial}}
}

// ask sends a request for a target as it is, and gives the bytes that come back.
func (s rawServer) ask(from netip.Addr, target string) (string, error) {
	conn, err := s.dial(from)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return "", err
	}
	// Nobody is trusted to say who he is.
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\nConnection: close\r\n\r\n", target); err != nil {
		return "", err
	}
	answer, err := io.ReadAll(io.LimitReader(conn, 1<<20))
	if len(answer) > 0 {
		err = nil // a reset behind an answer is a refusal as good as any
	}
	return string(answer), err
}

// rawCase is one target from one address.
type rawCase struct {
	target corpus.Target
	zone   string
	from   netip.Addr
	denied bool
	answer map[string]string // by server
}

func (c *rawCase) String() string {
	who := "allowed"
	if c.denied {
		who = "denied"
	}
	return fmt.Sprintf("%s, %s: %q", c.zone, who, c.raw())
}

func (c *rawCase) raw() string { return c.target.For(c.zone, rawFile) }

// got are the files in a server's answer.
func (c *rawCase) got(server string) []string {
	var all []string
	for _, m := range tokens.FindAllStringSubmatch(c.answer[server], -1) {
		all = append(all, m[1])
	}
	return all
}

func (c *rawCase) status(server string) string {
	line, _, _ := strings.Cut(c.answer[server], "\r\n")
	return fmt.Sprintf("%.40q", line)
}

// leaks says what is in an answer that must not be.
func (c *rawCase) leaks(server string) string {
	for _, file := range c.got(server) {
		zone, name, _ := strings.Cut(file, "/")
		switch {
		case !slices.Contains(rawZones, zone) || name != rawFile && !strings.HasPrefix(name, listed):
			return "a file that is never served: " + file
		case c.denied && zone == c.zone:
			return "a file of a denied zone: " + file
		}
	}
	if c.denied && strings.Contains(c.answer[server], listed+c.zone) {
		return "a name in a denied zone"
	}
	return ""
}

// ownTargets are such as the tree has traps for.
var ownTargets = []corpus.Target{
	{Group: "tree", Raw: "/{zone}/linked.img"}, {Group: "tree", Raw: "/{other}/linked.img"}, {Group: "tree", Raw: "/{zone}/link/{zone}/{file}"},
	{Group: "tree", Raw: "/{zone}/link/"}, {Group: "tree", Raw: "/{zone}/link"}, {Group: "tree", Raw: "/{zone}/link/../{file}"},
	{Group: "tree", Raw: "/other/{file}"}, {Group: "tree", Raw: "/other/"}, {Group: "tree", Raw: "/other"}, {Group: "tree", Raw: "/{file}"},
	{Group: "tree", Raw: "/{zone}/.hidden/"}, {Group: "tree", Raw: "/{zone}/"}, {Group: "tree", Raw: "/{zone}"}, {Group: "tree", Raw: "//{zone}//"},
	{Group: "tree", Raw: "/{zone}/?C=M;O=D"},
}

func TestRawTargetsBesideOthers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a while")
	}
	for _, denied := range []int{http.StatusForbidden, http.StatusNotFound} {
		t.Run(fmt.Sprint("denied ", denied), func(t *testing.T) { rawTargetsBesideOthers(t, rawPolicy(t, denied)) })
	}
}

func rawTargetsBesideOthers(t *testing.T, p *acl.Policy) {
	servers := rawServers(t, rawTree(t), p)
	targets := append(corpus.Targets(), ownTargets...)
	require.GreaterOrEqual(t, len(targets), 400)
	var cases []*rawCase
	for i, zone := range rawZones {
		for _, target := range targets {
			cases = append(cases,
				&rawCase{target: target, zone: zone, from: allowedAddr, answer: map[string]string{}},
				&rawCase{target: target, zone: zone, from: deniedAddr(i), denied: true, answer: map[string]string{}})
		}
	}
	askAll(t, servers, cases)

	served := map[string]int{}
	differ := map[string]int{}
	for _, c := range cases {
		for _, s := range servers {
			require.Empty(t, c.leaks(s.name), "%s: %s: %s", s.name, c, c.answer[s.name])
			if len(c.got(s.name)) > 0 {
				served[s.name]++
			}
		}
		ours := c.got("tplkit")
		switch {
		case len(ours) == 0:
		case !c.target.Serves:
			t.Errorf("%s: tplkit serves what is no proper name: %v", c, ours)
		default:
			require.Equal(t, []string{c.zone + "/" + rawFile}, ours, c)
		}
		if c.target.Serves && !c.denied {
			require.NotEmpty(t, ours, "%s: tplkit serves no proper name: %s", c, c.answer["tplkit"])
		}
		for _, other := range []string{"nginx", "httpd"} {
			theirs := c.got(other)
			switch {
			case slices.Equal(ours, theirs):
			case len(ours) == 0:
				t.Errorf("%s: %s serves %v with %s, and tplkit answers %s", c, other, theirs, c.status(other), c.status("tplkit"))
			default:
				require.Empty(t, theirs, "%s: %s serves another file", c, other)
				differ[fmt.Sprintf("%q: tplkit serves it, %s answers %s", c.target.Raw, other, c.status(other))]++
			}
		}
	}
	t.Logf("%d targets, %d requests to each; files served: %v", len(targets), len(cases), served)
	for _, line := range slices.Sorted(maps.Keys(differ)) {
		t.Log(line)
	}
	for _, s := range servers {
		require.Greater(t, served[s.name], len(rawZones), "%s serves next to nothing: it is not set up as it should be", s.name)
	}
}

// askAll fills in the answers.
func askAll(t *testing.T, servers []rawServer, cases []*rawCase) {
	t.Helper()
	work := make(chan *rawCase)
	errs := make(chan error, parallels)
	var all sync.WaitGroup
	for range parallels {
		all.Go(func() {
			for c := range work {
				for _, s := range servers {
					answer, err := s.ask(c.from, c.raw())
					if err != nil {
						select {
						case errs <- fmt.Errorf("%s: %s: %w", s.name, c, err):
						default:
						}
					}
					c.answer[s.name] = answer
				}
			}
		})
	}
	for _, c := range cases {
		work <- c
	}
	close(work)
	all.Wait()
	close(errs)
	for err := range errs {
		t.Error(err)
	}
}

// The usual set-up of nginx leaks what lies behind a link, and the comparison
// finds that.
func TestRawTargetsFindLeaks(t *testing.T) {
	root := rawTree(t)
	usual := livetest.StartNginx(t, os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1", func(listen string) []byte {
		return fmt.Appendf(nil, "server { listen %s; root %s; location /kubevirt/ { allow 127.0.0.1; deny all; } }", listen, root)
	})
	var found []string
	for _, target := range append(corpus.Targets(), ownTargets...) {
		c := &rawCase{target: target, zone: "kubevirt", from: deniedAddr(1), denied: true, answer: map[string]string{}}
		answer, err := rawServer{"nginx", usual.Addr, usual.Dial}.ask(c.from, c.raw())
		require.NoError(t, err)
		c.answer["nginx"] = answer
		if leak := c.leaks("nginx"); leak != "" {
			found = append(found, target.Raw+": "+leak)
		}
	}
	require.Contains(t, found, "/{other}/link/{zone}/{file}: a file of a denied zone: kubevirt/"+rawFile)
	require.Contains(t, found, "/{other}/linked.img: a file of a denied zone: kubevirt/"+rawFile)
	require.Contains(t, found, "/{file}: a file that is never served: "+rawFile)
}
