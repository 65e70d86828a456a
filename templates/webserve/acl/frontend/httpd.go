package frontend

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// The expressions of <If> that refuse what tplkit refuses.
var (
	httpdOdd       = `%{THE_REQUEST} =~ m#` + oddRequest + `#`
	httpdHidden    = `%{REQUEST_URI} =~ m#` + hiddenName + `#i`
	httpdForwarded = `%{HTTP:Forwarded} != ''`
)

// What makes a refusal a 404: what a subrequest may not have is not found. The
// rule is for the request itself, not for the subrequest (NS), and grants
// nothing: access is decided after it as without it.
const (
	rewriteCond = `"%{REQUEST_URI}" "!-U"`
	rewriteRule = `"^" "-" [NS,R=404,L]`
)

// httpdAllow names the methods in a 405, as HTTP demands and AllowMethods does
// not.
const httpdAllow = `always set Allow "GET, HEAD" "expr=%{REQUEST_STATUS} == 405"`

// perRequire is how many prefixes stand in one line: httpd takes time with the
// square of the number of lines.
const perRequire = 16

// exportHTTPD writes <Directory> sections, which decide by where a file lies,
// whatever URL led there, and <Location> sections for the restricted zones: these
// hold where another URL path or another <Location> would have granted it.
func exportHTTPD(p *acl.Policy, opt ExportOptions) []byte {
	w := new(writer)
	w.head(HTTPD, "Apache httpd 2.4", opt.Root)
	modules := []string{"allowmethods", "authz_core", "authz_host", "dir", "env", "headers", "mime"}
	if !opt.NoListing {
		modules = append(modules, "autoindex")
	}
	if !p.TrustedProxies.IsEmpty() {
		modules = append(modules, "remoteip")
	}
	if status(p) == 404 {
		modules = append(modules, "rewrite")
	}
	w.f("# It needs the modules %s.", strings.Join(modules, ", "))
	if opt.ServerName == "" && opt.Listen == "" {
		if status(p) == 404 {
			w.f("# A <VirtualHost> elsewhere answers 403 instead of 404, unless it says RewriteOptions Inherit.")
		}
		w.f("")
		httpdHost(w, p, opt)
		return w.Bytes()
	}
	address := "*:80"
	if opt.Listen != "" {
		addr, port, _ := splitListen(opt.Listen)
		address = fmt.Sprintf("*:%d", port)
		if addr.IsValid() {
			address = netip.AddrPortFrom(addr, port).String()
		}
		w.f("")
		w.f("Listen %s", strings.TrimPrefix(address, "*:"))
	}
	w.f("")
	w.block("<VirtualHost "+address+">", "</VirtualHost>", func() {
		if opt.ServerName != "" {
			w.f("ServerName %s", opt.ServerName)
		}
		httpdHost(w, p, opt)
	})
	return w.Bytes()
}

// httpdHost writes what stands in a <VirtualHost> or by itself.
func httpdHost(w *writer, p *acl.Policy, opt ExportOptions) {
	w.f("DocumentRoot \"%s\"", opt.Root)
	w.f("AllowEncodedSlashes Off")
	w.f("TraceEnable Off")
	proxies := p.TrustedProxies.Prefixes()
	if len(proxies) > 0 {
		w.f("RemoteIPHeader X-Forwarded-For")
		httpdList(w, "RemoteIPInternalProxy", proxies)
	}
	if status(p) == 404 {
		w.f("RewriteEngine On")
		w.f("RewriteCond %s", rewriteCond)
		w.f("RewriteRule %s", rewriteRule)
	}
	w.f("")
	w.block(fmt.Sprintf("<Directory \"%s\">", opt.Root), "</Directory>", func() {
		httpdRoot(w, opt)
		refuse := func(expr string) {
			w.block(`<If "`+expr+`">`, "</If>", func() { w.f("Require all denied") })
		}
		refuse(httpdOdd)
		refuse(httpdHidden)
		if len(proxies) > 0 {
			// An address in the header that cannot be read leaves the request with
			// that of the proxy.
			refuse(httpdForwarded)
			for _, p := range proxies {
				refuse(httpdFrom(p))
			}
		}
		w.f("Require all denied")
	})
	for _, z := range p.Zones {
		httpdZone(w, z, opt)
	}
}

// httpdFrom is true for requests from p.
func httpdFrom(p netip.Prefix) string { return fmt.Sprintf("-R '%s'", p) }

// httpdRoot writes what holds for every file.
func httpdRoot(w *writer, opt ExportOptions) {
	w.f("Options None")
	w.f("AllowOverride None")
	w.f("AllowMethods GET HEAD")
	w.f("AcceptPathInfo Off")
	w.f("DirectoryIndex disabled")
	w.f("FallbackResource disabled")
	w.f("DirectorySlash On")
	w.f("MaxRanges 200")
	if !opt.NoListing {
		w.f("IndexOptions Charset=UTF-8")
	}
	w.f("SetEnv no-gzip 1")
	w.f("SetEnv no-brotli 1")
	w.f("RemoveEncoding .br .bz2 .gz .lzma .svgz .tgz .xz .z .zst")
	w.f("Header set X-Content-Type-Options nosniff")
	w.f("Header %s", httpdAllow)
	httpdType(w, ".", octetStream)
	for _, t := range contentTypes {
		httpdType(w, t.files, t.typ)
	}
}

func httpdType(w *writer, files, typ string) {
	w.block(`<FilesMatch "`+files+`">`, "</FilesMatch>", func() {
		w.f("SetHandler default-handler")
		w.f("ForceType \"%s\"", typ)
	})
}

func httpdZone(w *writer, z acl.Zone, opt ExportOptions) {
	w.block(fmt.Sprintf("<Directory \"%s/%s\">", opt.Root, z.Name), "</Directory>", func() {
		// Not only above: a <Directory> elsewhere may say something else of the root.
		if opt.NoListing {
			w.f("Options None")
		} else {
			w.f("Options Indexes")
		}
		w.f("AllowOverride None")
		w.f("Header set Cache-Control \"%s\"", cacheControl(z))
		httpdRequire(w, z.Allow)
	})
	if z.Allow.IsEveryone() {
		return
	}
	w.block(fmt.Sprintf("<Location \"/%s\">", z.Name), "</Location>", func() {
		w.f("AuthMerging And")
		httpdRequire(w, z.Allow)
	})
}

func httpdRequire(w *writer, s acl.Set) {
	list := s.Prefixes()
	switch {
	case s.IsEveryone():
		w.f("Require all granted")
	case len(list) == 0:
		w.f("Require all denied")
	default:
		httpdList(w, "Require ip", list)
	}
}

// httpdList writes prefixes in lines that begin with a directive. For httpd a
// prefix of length 0 is an error, so it becomes its two halves.
func httpdList(w *writer, directive string, list []netip.Prefix) {
	var words []string
	for _, p := range list {
		if p.Bits() == 0 {
			low := netip.PrefixFrom(p.Addr(), 1)
			high := p.Addr().AsSlice()
			high[0] = 0x80
			a, _ := netip.AddrFromSlice(high)
			words = append(words, low.String(), netip.PrefixFrom(a, 1).String())
			continue
		}
		words = append(words, p.String())
	}
	for len(words) > 0 {
		n := min(perRequire, len(words))
		w.f("%s %s", directive, strings.Join(words[:n], " "))
		words = words[n:]
	}
}
