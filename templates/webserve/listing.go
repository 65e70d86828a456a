package webserve

import (
	"net"
	"net/http"
	"path"
	"strings"

	"github.com/tplkit/tplkit/templates"
	"github.com/tplkit/tplkit/templates/webserve/internal/browse"
	"github.com/tplkit/tplkit/templates/webserve/internal/tree"
	"github.com/tplkit/tplkit/templates/webserve/internal/webpath"
)

// maxEntries is how many entries a directory may have to be listed.
const maxEntries = 100_000

// listed says whether a listing may name an entry: it can be asked for under
// that name, and would be served.
func listed(name string) bool {
	return !webpath.Hidden(name) && webpath.CheckElement(name) == nil
}

// listZones answers for the top: the zones that the client may read and that
// are there.
func (x *exchange) listZones() {
	x.w.cache = cacheTop
	if to := x.mounted(); to != "" {
		x.moved(to)
		return
	}
	if x.h.opt.NoListing {
		x.refuse(http.StatusForbidden, RefusedListing)
		return
	}
	var entries []browse.Entry
	for _, rule := range x.policy.acl.Zones {
		if !x.policy.acl.Decide(rule.Name, x.ev.Client).Allowed {
			continue
		}
		f, err := x.h.open(x.policy.zones[rule.Name].dir, "", true)
		if err != nil {
			if kind := tree.KindOf(err); kind == tree.Busy || kind == tree.Broken {
				x.failed(err) // rather than a list that lacks a zone
				return
			}
			continue
		}
		entries = append(entries, entry(rule.Name, f.Info()))
		_ = f.Close()
	}
	browse.Serve(&x.w, x.r, browse.Page{Path: "/", Entries: entries, BaseURL: x.baseURL()})
}

// list answers for a directory in a zone.
func (x *exchange) list(z *zone, p webpath.Path, rest string, f *tree.File) {
	if x.h.opt.NoListing {
		x.refuse(http.StatusForbidden, RefusedListing)
		return
	}
	found, err := f.List(maxEntries, listed)
	if err != nil {
		x.failed(err)
		return
	}
	entries := make([]browse.Entry, len(found))
	for i, e := range found {
		entries[i] = entry(e.Name, e.Info)
	}
	page := browse.Page{Path: p.Decoded(), Entries: entries, BaseURL: x.baseURL()}
	if z.name == templates.RepoDir && rest == "" && x.h.catalogue != nil {
		page.Catalogue = func() ([]templates.Published, error) { return x.h.catalogue.list(x.r.Context()) }
	}
	browse.Serve(&x.w, x.r, page)
}

func entry(name string, info tree.Info) browse.Entry {
	return browse.Entry{Name: name, Dir: info.Mode.IsDir(), Size: info.Size, ModTime: info.ModTime, Mode: info.Mode}
}

// baseURL is the address of the tree's top as the visitor sees it.
func (x *exchange) baseURL() string {
	if x.h.opt.PublicURL != "" {
		return x.h.opt.PublicURL
	}
	scheme := "http://"
	if x.r.TLS != nil || x.policy.acl.TrustedProxies.Contains(x.ev.Peer) && strings.EqualFold(x.r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https://"
	}
	return scheme + x.host() + x.mount()
}

// host is the host that was asked for. What cannot be one, or is missing as in
// HTTP/1.0, gives way to the address that the connection came to.
func (x *exchange) host() string {
	odd := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune(".-_:[]", c)
	}
	if host := x.r.Host; host != "" && !strings.ContainsFunc(host, odd) {
		return host
	}
	if a, ok := x.r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		return a.String()
	}
	return "localhost"
}

// mounted is where the top is, as a relative address, if the request names it
// without the slash at the end that the addresses on its page need: only below a
// path of somebody else's can it be named so. It is "" otherwise.
func (x *exchange) mounted() string {
	asked, _, _ := strings.Cut(x.r.RequestURI, "?")
	if x.r.URL.Path != "" || !strings.HasPrefix(asked, "/") || strings.HasSuffix(asked, "/") {
		return ""
	}
	return "./" + path.Base(asked) + "/"
}

// mount is the part of the path that was taken off before the request came
// here, without a slash at its end.
func (x *exchange) mount() string {
	asked, _, _ := strings.Cut(x.r.RequestURI, "?")
	prefix, ok := strings.CutSuffix(asked, x.r.URL.EscapedPath())
	if !ok || !strings.HasPrefix(prefix, "/") {
		return ""
	}
	return "/" + strings.Trim(prefix, "/")
}
