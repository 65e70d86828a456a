package webserve_test

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
	"github.com/tplkit/tplkit/templates/webserve/acl"
	"github.com/tplkit/tplkit/templates/webserve/internal/corpus"
)

const secretFile = "secret.img"

// secretOf is the content that must not come out of a zone.
func secretOf(zone string) string { return "the secret of " + zone }

// TestCorpus sends every target for every zone, to a server that denies the zone
// and to one that allows it. Denied, nothing differs between a file that exists
// and one that does not; allowed, only the proper names of the file bring it.
func TestCorpus(t *testing.T) {
	root := newTree(t)
	for _, z := range zones {
		for _, name := range []string{secretFile, ".hidden/" + secretFile, ".tplkit/" + secretFile, "." + secretFile, secretFile + ".lock", secretFile + ".tmp"} {
			write(t, root, z+"/"+name, secretOf(z))
		}
		require.NoError(t, linkTop(root, z))
	}
	write(t, root, ".hidden/repo/"+secretFile, secretOf("top"))
	write(t, root, secretFile, secretOf("top"))

	const missing = "misses.img" // as long as secretFile
	targets := corpus.Targets()
	require.GreaterOrEqual(t, len(targets), 400)
	asked := 0
	for _, zone := range zones {
		var others []string
		for _, z := range zones {
			if z != zone {
				others = append(others, z)
			}
		}
		for _, status := range []int{403, 404} {
			denied := start(t, newHandler(t, root, webserve.Options{Policy: policyFor(status, others...)})).Listener.Addr().String()
			for _, target := range targets {
				asked++
				there := ask(t, denied, "GET", target.For(zone, secretFile))
				require.NotContains(t, there.body, secretOf(zone), "%q", target.Raw)
				require.NotContains(t, there.body, secretOf("top"), "%q", target.Raw)
				gone := ask(t, denied, "GET", target.For(zone, missing))
				there.header.Del("Location")
				gone.header.Del("Location")
				if there.status == 200 { // the list of the zones, which says nothing of the zone
					require.NotContains(t, there.body, zone+"/", "%q", target.Raw)
					require.NotContains(t, there.body, secretFile, "%q", target.Raw)
					continue
				}
				require.Equal(t, gone.same(), there.same(), "%q", target.Raw)
				if target.Serves {
					require.Equal(t, status, there.status, "%q", target.Raw)
				}
			}
		}
		allowed := start(t, newHandler(t, root, webserve.Options{Policy: policyFor(403, zones...)})).Listener.Addr().String()
		for _, target := range targets {
			asked++
			got := ask(t, allowed, "GET", target.For(zone, secretFile))
			if target.Serves {
				require.Equal(t, 200, got.status, "%q", target.Raw)
				require.Equal(t, secretOf(zone), got.body, "%q", target.Raw)
			} else {
				require.NotContains(t, got.body, secretOf(""), "%q", target.Raw)
			}
		}
	}
	t.Log(len(targets), "targets,", asked, "requests")
}

// TestDeniedLooksTheSame: whatever conditions and ranges are asked with, and
// however the file is named, a refusal tells nothing.
func TestDeniedLooksTheSame(t *testing.T) {
	root := newTree(t)
	write(t, root, "kubevirt/there.img", "secret")
	write(t, root, "kubevirt/dir/x", "secret")
	for _, status := range []int{403, 404} {
		addr := start(t, newHandler(t, root, webserve.Options{Policy: policyFor(status, "repo")})).Listener.Addr().String()
		for _, method := range []string{"GET", "HEAD", "POST"} {
			for _, header := range []string{"X: y", "Range: bytes=0-0", "Range: bytes=900-", "If-None-Match: *", "If-Match: *", "If-Modified-Since: Sun, 01 Mar 2037 12:30:00 GMT", "Accept: application/json"} {
				want := ask(t, addr, method, "/kubevirt/none", header)
				for _, target := range []string{"/kubevirt/there.img", "/kubevirt", "/kubevirt/", "/kubevirt/dir", "/kubevirt/dir/", "/kubevirt//there.img", "/kubevirt/.tplkit/x", "/kubevirt/there.img/", "/kubevirt/?C=M&O=D"} {
					require.Equal(t, want.same(), ask(t, addr, method, target, header).same(), "%s %s %s", method, target, header)
				}
			}
		}
		if status == 404 { // then it looks like a zone that nobody has
			require.Equal(t, ask(t, addr, "GET", "/nozone/x").same(), ask(t, addr, "GET", "/kubevirt/there.img").same())
		}
	}
}

func TestBodiesAreRefused(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", "x")
	var seen watch
	addr := start(t, newHandler(t, root, webserve.Options{Observe: seen.observe})).Listener.Addr().String()
	const head = " /repo/x HTTP/1.1\r\nHost: h\r\n"
	for _, method := range []string{"GET", "HEAD"} {
		r := send(t, addr, method, method+head+"Content-Length: 5\r\n\r\nhello")
		require.Equal(t, 413, r.status)
		require.True(t, r.closes)
		r = send(t, addr, method, method+head+"Content-Length: 100000000000\r\nExpect: 100-continue\r\n\r\n")
		require.Equal(t, 413, r.status)
		r = send(t, addr, method, method+head+"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
		require.Equal(t, 400, r.status)
	}
	require.Equal(t, 200, send(t, addr, "GET", "GET"+head+"Content-Length: 0\r\nConnection: close\r\n\r\n").status)
	for _, e := range seen.wait(t, 7)[:6] {
		require.Equal(t, webserve.RefusedBody, e.Refused)
	}
}

// TestWhoAsks derives the client in every way and decides by it.
func TestWhoAsks(t *testing.T) {
	root := newTree(t)
	write(t, root, "kubevirt/x", "secret")
	p := policyFor(403, "repo")
	p.Zones[1].Allow = acl.NewSet(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::/32"))
	p.TrustedProxies = acl.NewSet(netip.MustParsePrefix("10.0.0.1/32"))
	var seen watch
	h := newHandler(t, root, webserve.Options{Policy: p, Observe: seen.observe})
	for i, c := range []struct {
		remote, xff string
		status      int
		client      string
	}{
		{"192.0.2.7:1", "", 200, "192.0.2.7"},
		{"192.0.3.7:1", "", 403, "192.0.3.7"},
		{"[::ffff:192.0.2.7]:1", "", 200, "192.0.2.7"},
		{"[2001:db8::1]:1", "", 200, "2001:db8::1"},
		{"[fe80::1%eth0]:1", "", 403, "fe80::1"},
		{"[2001:db8::1%eth0]:1", "", 200, "2001:db8::1"},
		{"192.0.2.7", "", 200, "192.0.2.7"},
		{"192.0.3.7:1", "192.0.2.7", 403, "192.0.3.7"},
		{"192.0.2.7:1", "192.0.3.7", 200, "192.0.2.7"},
		{"10.0.0.1:1", "192.0.2.7", 200, "192.0.2.7"},
		{"10.0.0.1:1", "192.0.2.7, 192.0.3.7", 403, "192.0.3.7"},
		{"10.0.0.1:1", "192.0.3.7, 192.0.2.7", 200, "192.0.2.7"},
		{"10.0.0.1:1", "unknown", 403, ""},
		{"10.0.0.1:1", "", 403, ""},
		{"@", "", 403, ""},
		{"", "", 403, ""},
		{"nonsense", "", 403, ""},
	} {
		r := httptest.NewRequest("GET", "/kubevirt/x", nil)
		r.RemoteAddr = c.remote
		if c.xff != "" {
			r.Header.Set("X-Forwarded-For", c.xff)
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, c.status, w.Code, "%+v", c)
		e := seen.wait(t, i+1)[i]
		require.Equal(t, c.status, e.Status)
		require.Equal(t, "kubevirt", e.Zone)
		if c.client == "" {
			require.False(t, e.Client.IsValid())
			require.Equal(t, acl.ReasonUnknownClient, e.Refused)
		} else {
			require.Equal(t, c.client, e.Client.String())
		}
	}
}

func TestNewRefuses(t *testing.T) {
	root := newTree(t)
	write(t, root, "file", "x")
	for name, c := range map[string]struct {
		root string
		opt  webserve.Options
		want string
	}{
		"no root":         {root: root + "/none", want: "tree to serve"},
		"a file":          {root: root + "/file", want: "is no directory"},
		"a public path":   {root: root, opt: webserve.Options{PublicURL: "templates.example.org"}, want: "public URL"},
		"a query":         {root: root, opt: webserve.Options{PublicURL: "https://h/?x"}, want: "public URL"},
		"a user":          {root: root, opt: webserve.Options{PublicURL: "https://u:p@h/"}, want: "public URL"},
		"a bad zone":      {root: root, opt: webserve.Options{Policy: &acl.Policy{Zones: []acl.Zone{{Name: "../x"}}}}, want: "zone"},
		"a hidden zone":   {root: root, opt: webserve.Options{Policy: &acl.Policy{Zones: []acl.Zone{{Name: "x.tmp"}}}}, want: "never served"},
		"zones unordered": {root: root, opt: webserve.Options{Policy: &acl.Policy{Zones: []acl.Zone{{Name: "b"}, {Name: "a"}}}}, want: "sorted"},
		"a status":        {root: root, opt: webserve.Options{Policy: &acl.Policy{Denied: 200}}, want: "403 or 404"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := webserve.New(c.root, c.opt)
			require.ErrorContains(t, err, c.want)
		})
	}
}

func TestSetPolicy(t *testing.T) {
	root := newTree(t)
	write(t, root, "kubevirt/x", "secret")
	h := newHandler(t, root, webserve.Options{})
	status := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, from("192.0.2.7", "GET", "/kubevirt/x"))
		return w.Code
	}
	require.Equal(t, 403, status(), "nobody may read it by default")
	open := acl.Default(netip.MustParsePrefix("192.0.2.0/24"))
	require.NoError(t, h.SetPolicy(open))
	require.Same(t, open, h.Policy())
	require.Equal(t, 200, status())
	require.Error(t, h.SetPolicy(nil))
	require.Error(t, h.SetPolicy(&acl.Policy{Denied: 500}))
	require.Same(t, open, h.Policy())
	require.Equal(t, 200, status())
	require.NoError(t, h.SetPolicy(&acl.Policy{Denied: 404}))
	require.Equal(t, 404, status())
}

func TestClosed(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", "x")
	h, err := webserve.New(root, webserve.Options{})
	require.NoError(t, err)
	require.NoError(t, h.Close())
	w := httptest.NewRecorder()
	h.ServeHTTP(w, from("192.0.2.7", "GET", "/repo/x"))
	require.Equal(t, 503, w.Code)
}

// TestManyRanges is answered at once, with the whole file.
func TestManyRanges(t *testing.T) {
	root := newTree(t)
	write(t, root, "repo/x", strings.Repeat("x", 1<<20))
	h := newHandler(t, root, webserve.Options{})
	s := httptest.NewUnstartedServer(h)
	s.Config.MaxHeaderBytes = 8 << 20
	s.Start()
	defer s.Close()
	ranges := "Range: bytes=" + strings.Repeat("0-0,", 200_000) + "0-0"
	begin := time.Now()
	r := ask(t, s.Listener.Addr().String(), "GET", "/repo/x", ranges)
	require.Equal(t, 200, r.status)
	require.Len(t, r.body, 1<<20)
	require.Less(t, time.Since(begin).Seconds(), 2.0)
}
