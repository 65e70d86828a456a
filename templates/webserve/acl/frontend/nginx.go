package frontend

import (
	"fmt"
	"net/netip"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// The variable that says whether a request seems to come from a trusted proxy
// itself, after the header was looked at.
const nginxProxyVar = "$tplkit_proxy"

// nginxNoIndex stands where nginx wants the name of an index file. It is never
// served; but with a name to look for, nginx opens the directory with its check
// for symbolic links, which its listing does not have.
const nginxNoIndex = ".no-index"

// The named locations.
const (
	nginxDeniedLocation = "@tplkit_denied"
	nginxMethodLocation = "@tplkit_method"
)

const nginxMethods = `^(?:GET|HEAD)$`

// exportNginx writes one server. Each zone is a "location ^~", which no regular
// expression in another location can take over. Its prefix has no slash at the
// end, so that the zone without one is the same location; a check above keeps
// names away that only begin like a zone.
func exportNginx(p *acl.Policy, opt ExportOptions) []byte {
	w := new(writer)
	w.head(Nginx, "nginx", opt.Root)
	w.f("")
	proxies := p.TrustedProxies.Prefixes()
	if len(proxies) > 0 {
		w.block("geo $remote_addr "+nginxProxyVar+" {", "}", func() {
			w.f("default 0;")
			for _, p := range proxies {
				w.f("%s 1;", p)
			}
		})
		w.f("")
	}
	w.block("server {", "}", func() {
		nginxListen(w, opt)
		nginxServer(w, p, opt, proxies)
		for _, z := range p.Zones {
			nginxZone(w, z, opt)
		}
		w.f("")
		w.block("location / {", "}", func() { w.f("deny all;") })
		w.block("location "+nginxMethodLocation+" {", "}", func() {
			w.f("add_header Allow \"GET, HEAD\" always;")
			w.f("return 405;")
		})
		if status(p) == 404 {
			w.block("location "+nginxDeniedLocation+" {", "}", func() { w.f("return 404;") })
		}
	})
	return w.Bytes()
}

func nginxListen(w *writer, opt ExportOptions) {
	addr, port, err := splitListen(opt.Listen)
	if err != nil { // there is none
		port = 80
	}
	if addr.IsValid() {
		w.f("listen %s;", netip.AddrPortFrom(addr, port))
	} else {
		w.f("listen %d;", port)
		w.f("listen [::]:%d;", port)
	}
	name := opt.ServerName
	if name == "" {
		name = "_"
	}
	w.f("server_name %s;", name)
}

// nginxServer writes what holds for every request.
func nginxServer(w *writer, p *acl.Policy, opt ExportOptions, proxies []netip.Prefix) {
	w.f("root \"%s\";", opt.Root)
	w.f("disable_symlinks on from=$document_root;")
	w.f("merge_slashes on;")
	w.f("index %s;", nginxNoIndex)
	w.f("autoindex off;")
	w.f("satisfy all;")
	w.f("expires off;")
	w.f("gzip off;")
	w.f("gzip_static off;")
	w.f("max_ranges 200;")
	w.f("default_type %s;", octetStream)
	w.block("types {", "}", func() {
		for _, t := range contentTypes {
			w.f("\"%s\" %s;", t.typ, join(t.exts))
		}
	})
	for _, p := range proxies {
		w.f("set_real_ip_from %s;", p)
	}
	if len(proxies) > 0 {
		w.f("real_ip_header X-Forwarded-For;")
		w.f("real_ip_recursive on;")
	}
	w.f("error_page 405 %s;", nginxMethodLocation)
	if status(p) == 404 {
		w.f("error_page 403 = %s;", nginxDeniedLocation)
	}
	w.f("")
	refuse := func(condition string, status int) {
		w.block("if ("+condition+") {", "}", func() { w.f("return %d;", status) })
	}
	refuse(nginxOtherMethod, 405)
	refuse(nginxBlanks, 400)
	refuse(nginxOdd, 400)
	refuse(nginxHidden, 404)
	if len(p.Zones) > 0 {
		refuse(nginxElsewhere(p.Zones), status(p))
	}
	if len(proxies) > 0 {
		// An address in the header that cannot be read leaves the request with
		// that of the proxy.
		refuse(nginxForwarded, status(p))
		refuse(nginxMalformed, status(p))
		refuse(nginxProxyVar, status(p))
	}
}

// The conditions that refuse what tplkit refuses.
var (
	nginxOtherMethod = `$request_method !~ "` + nginxMethods + `"`
	nginxBlanks      = `$request !~ "^[A-Z]+ [^ ]+ HTTP/[0-9.]+$"` // nginx lets more of them stand around the target
	nginxOdd         = `$request_uri ~ "` + oddURI + `"`
	nginxHidden      = `$uri ~* "` + hiddenName + `"`
	nginxForwarded   = `$http_forwarded != ""`

	// What nginx takes for a list of addresses, and tplkit does not: empty items,
	// blanks between addresses, leading zeros.
	nginxMalformed = `$http_x_forwarded_for ~ ",[ \x09]*(?:,|$)|^[ \x09]*,|[^, \x09][ \x09]+[^, \x09]|(?:^|[, .\x09])0[0-9]"`
)

// nginxElsewhere is true for what lies in no zone.
func nginxElsewhere(zones []acl.Zone) string {
	return `$uri !~ "` + zonesPattern(zones) + `"`
}

// nginxIndexFile is virt-builder's index, which has no extension to go by.
const nginxIndexFile = `location ~ "/index$" {`

func nginxZone(w *writer, z acl.Zone, opt ExportOptions) {
	w.f("")
	w.block(fmt.Sprintf("location ^~ /%s {", z.Name), "}", func() {
		if !opt.NoListing {
			w.f("autoindex on;")
		}
		w.f("add_header X-Content-Type-Options nosniff;")
		w.f("add_header Cache-Control \"%s\";", cacheControl(z))
		if z.Allow.IsEveryone() {
			w.f("allow all;")
		} else {
			for _, p := range z.Allow.Prefixes() {
				w.f("allow %s;", p)
			}
			w.f("deny all;")
		}
		w.block(nginxIndexFile, "}", func() { w.f("default_type \"%s\";", plainType) })
	})
}
