package frontend

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// exportCaddy writes a site whose handlers stand in a route, which keeps them in
// the order in which they are written. Paths are compared by path_regexp: the
// matcher path ignores letter case.
func exportCaddy(p *acl.Policy, opt ExportOptions) []byte {
	w := new(writer)
	w.head(Caddy, "Caddy 2", opt.Root)
	w.f("#")
	w.f("# CADDY FOLLOWS SYMBOLIC LINKS, and cannot be told not to: a link in one zone to a")
	w.f("# file of another gives it to everyone who may read the first. Let nobody make")
	w.f("# links in the tree whom you do not trust with all of it.")
	proxies := p.TrustedProxies.Prefixes()
	matcher := "remote_ip"
	if len(proxies) > 0 {
		// Only with strict reading, from right to left, can the client not choose its
		// own address; and only client_ip looks at what was read.
		matcher = "client_ip"
		w.f("# It needs Caddy 2.8 for trusted_proxies_strict, and must be the whole Caddyfile.")
		w.f("")
		w.block("{", "}", func() {
			w.block("servers {", "}", func() {
				w.f("trusted_proxies static %s", join(proxies))
				w.f("trusted_proxies_strict")
				w.f("client_ip_headers X-Forwarded-For")
			})
		})
	}
	w.f("")
	w.block(caddySite(opt)+" {", "}", func() {
		if addr, _, err := splitListen(opt.Listen); err == nil && addr.IsValid() {
			w.f("bind %s", addr.Unmap())
		}
		w.block("route {", "}", func() {
			caddyRefusals(w, p, proxies)
			for i, z := range p.Zones {
				caddyZone(w, z, i, matcher, status(p), opt)
			}
			w.f("respond %d", status(p))
		})
	})
	return w.Bytes()
}

// caddySite is the address of the site. Without a scheme Caddy would ask for
// certificates by itself.
func caddySite(opt ExportOptions) string {
	port := uint16(80)
	if _, n, err := splitListen(opt.Listen); err == nil {
		port = n
	}
	return fmt.Sprintf("http://%s:%d", opt.ServerName, port)
}

// caddyAddresses is a list of addresses, with ports or without: Caddy skips what
// it cannot read in the header, where tplkit denies.
const caddyAddresses = `^[ \t]*` + caddyAddress + `(?:[ \t]*,[ \t]*` + caddyAddress + `)*[ \t]*$`

const caddyAddress = `(?:(?:[1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])(?:\.(?:[1-9]?[0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])){3}(?::[0-9]+)?|[0-9A-Fa-f:]*:[0-9A-Fa-f:]*|\[[0-9A-Fa-f:]*:[0-9A-Fa-f:]*\](?::[0-9]+)?)`

// caddyRefusals writes what is refused wherever it leads.
func caddyRefusals(w *writer, p *acl.Policy, proxies []netip.Prefix) {
	w.f("@method not method GET HEAD")
	w.block("route @method {", "}", func() {
		w.f("header Allow \"GET, HEAD\"")
		w.f("respond 405")
	})
	w.f("@odd vars_regexp {http.request.orig_uri} `%s`", oddURI)
	w.f("respond @odd 400")
	w.f("@hidden path_regexp `(?i)%s`", hiddenName)
	w.f("respond @hidden 404")
	if len(proxies) > 0 {
		w.block("@malformed {", "}", func() {
			w.f("header X-Forwarded-For *")
			w.f("not vars_regexp {http.request.header.X-Forwarded-For} `%s`", caddyAddresses)
		})
		w.f("respond @malformed %d", status(p))
		w.f("@forwarded header Forwarded *")
		w.f("respond @forwarded %d", status(p))
		w.f("@proxy client_ip %s", join(proxies))
		w.f("respond @proxy %d", status(p))
	}
}

func caddyZone(w *writer, z acl.Zone, number int, matcher string, status int, opt ExportOptions) {
	id := strconv.Itoa(number)
	w.f("@zone%s path_regexp `%s`", id, zonesPattern([]acl.Zone{z}))
	w.block("route @zone"+id+" {", "}", func() {
		list := z.Allow.Prefixes()
		switch {
		case z.Allow.IsEveryone():
		case len(list) == 0:
			w.f("respond %d", status)
			return
		default:
			w.block("@stranger"+id+" not {", "}", func() { caddyList(w, matcher, list) })
			w.f("respond @stranger%s %d", id, status)
		}
		w.f("header X-Content-Type-Options nosniff")
		w.f("header Cache-Control \"%s\"", cacheControl(z))
		caddyType(w, "bytes"+id, `[^/]$`, octetStream)
		for i, t := range contentTypes {
			caddyType(w, fmt.Sprintf("type%s%c", id, 'a'+i), t.files, t.typ)
		}
		w.f("root * \"%s\"", opt.Root)
		w.block("file_server {", "}", func() {
			w.f("index .no-index")
			w.f("hide .* *.lock *.tmp")
			if !opt.NoListing {
				w.f("browse")
			}
		})
	})
}

func caddyType(w *writer, name, files, typ string) {
	w.f("@%s path_regexp `%s`", name, files)
	w.f("header @%s Content-Type \"%s\"", name, typ)
}

// caddyList writes a matcher with many prefixes in several lines, which count as
// one.
func caddyList(w *writer, matcher string, list []netip.Prefix) {
	for len(list) > 0 {
		n := min(perRequire, len(list))
		w.f("%s %s", matcher, join(list[:n]))
		list = list[n:]
	}
}

// join puts blanks between the words.
func join[T any](words []T) string {
	s := make([]string, len(words))
	for i, word := range words {
		s[i] = fmt.Sprint(word)
	}
	return strings.Join(s, " ")
}
