package webserve_test

import (
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve"
)

// httpCase is a request and what must come back. Header values of want: "" for
// absent, "*" for anything, else exactly that.
type httpCase struct {
	name   string
	method string // "" is GET, and HEAD beside it
	target string // "" is /repo/ten.img
	header []string
	status int
	body   string   // "*" for anything
	parts  []string // of a multipart body, in its place
	want   map[string]string
}

const ten = "0123456789"

// httpTree is the tree of the table.
func httpTree(t testing.TB) string {
	root := newTree(t)
	write(t, root, "repo/ten.img", ten)
	write(t, root, "repo/empty.img", "")
	write(t, root, "repo/big.raw", strings.Repeat(ten, 1000))
	write(t, root, "repo/sub/x.img", "x")
	write(t, root, "repo/.tplkit/x", "staged")
	write(t, root, "repo/x.lock", "")
	write(t, root, "repo/a b+é.img", "odd")
	write(t, root, "kubevirt/rhel8.qcow2", "kube")
	write(t, root, "bundles/b.tar.xz", "bundle")
	write(t, root, "yum/repodata/repomd.xml", "<repomd/>")
	write(t, root, "stray.img", "at the top")
	for name := range typeRows {
		write(t, root, "repo/"+name, name)
	}
	return root
}

func TestHTTP(t *testing.T) {
	h := newHandler(t, httpTree(t), webserve.Options{Policy: policyFor(403, "repo", "bundles", "kubevirt")})
	h.SetClock(later)
	addr := start(t, h).Listener.Addr().String()
	first := ask(t, addr, "GET", "/repo/ten.img")
	tag, date := first.header.Get("Etag"), first.header.Get("Last-Modified")
	require.Regexp(t, `^"[A-Za-z0-9_-]{20}"$`, tag)
	require.Equal(t, "Sun, 01 Mar 2020 12:30:00 GMT", date)

	cases := 0
	for _, rows := range [][]httpCase{plainRows(), rangeRows(), conditionRows(tag, date), methodRows(), typeCases(), cacheRows(), pathRows()} {
		for _, c := range rows {
			cases++
			t.Run(c.name, func(t *testing.T) {
				method, target := c.method, c.target
				if method == "" {
					method = http.MethodGet
				}
				if target == "" {
					target = "/repo/ten.img"
				}
				got := ask(t, addr, method, target, c.header...)
				checkCase(t, c, got)
				if c.method != "" {
					return
				}
				head := ask(t, addr, http.MethodHead, target, c.header...)
				require.Empty(t, head.body)
				if len(c.parts) > 0 { // the boundary is random
					got.header.Del("Content-Type")
					head.header.Del("Content-Type")
				}
				got.header.Del("Date")
				head.header.Del("Date")
				require.Equal(t, got.status, head.status)
				require.Equal(t, got.header, head.header, "HEAD differs from GET")
			})
		}
	}
	t.Log(cases, "cases")
	require.GreaterOrEqual(t, cases, 165)
}

func checkCase(t *testing.T, c httpCase, got response) {
	t.Helper()
	require.NoError(t, got.err)
	require.Equal(t, c.status, got.status)
	require.Empty(t, got.header.Get("Content-Encoding"))
	require.Empty(t, got.header["Transfer-Encoding"], "chunked")
	require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
	if got.status != http.StatusNotModified && c.method != http.MethodHead {
		require.Equal(t, len(got.body), atoi(t, got.header.Get("Content-Length")))
	}
	for name, want := range c.want {
		switch have, ok := got.header[http.CanonicalHeaderKey(name)]; want {
		case "":
			require.False(t, ok, "%s: %q", name, have)
		case "*":
			require.True(t, ok, name)
		default:
			require.Equal(t, []string{want}, have, name)
		}
	}
	switch {
	case got.status >= 400:
		for _, name := range []string{"Etag", "Last-Modified", "Cache-Control", "Repr-Digest"} {
			require.Empty(t, got.header.Get(name), name)
		}
		if got.body != "" {
			require.Equal(t, "text/plain; charset=utf-8", got.header.Get("Content-Type"))
		}
	case got.status == http.StatusOK || got.status == http.StatusPartialContent:
		require.NotEmpty(t, got.header.Get("Cache-Control"))
	}
	if len(c.parts) > 0 {
		kind, params, err := mime.ParseMediaType(got.header.Get("Content-Type"))
		require.NoError(t, err)
		require.Equal(t, "multipart/byteranges", kind)
		r := multipart.NewReader(strings.NewReader(got.body), params["boundary"])
		for _, want := range c.parts {
			if want == "*" {
				return
			}
			part, err := r.NextPart()
			require.NoError(t, err)
			b, err := io.ReadAll(part)
			require.NoError(t, err)
			require.Equal(t, want, part.Header.Get("Content-Range")+" "+string(b))
		}
		return
	}
	if c.body != "*" {
		require.Equal(t, c.body, got.body)
	}
}

func atoi(t *testing.T, s string) int {
	t.Helper()
	n, err := strconv.Atoi(s)
	require.NoError(t, err)
	return n
}
