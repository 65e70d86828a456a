package frontend

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// nginxHarmless are directives that change nothing about who may read which
// file, whatever they say.
var nginxHarmless = []string{
	"access_log", "autoindex", "autoindex_exact_size", "autoindex_format", "autoindex_localtime", "charset", "client_header_timeout",
	"default_type", "disable_symlinks", "error_log", "etag", "keepalive_requests", "keepalive_timeout", "log_not_found", "max_ranges",
	"send_timeout", "sendfile", "sendfile_max_chunk", "server_name", "server_tokens", "ssl_certificate", "ssl_certificate_key",
	"tcp_nodelay", "tcp_nopush",
}

// nginxHarmlessAs are directives that are harmless with these arguments.
var nginxHarmlessAs = map[string]string{
	"expires":       "off",
	"gzip":          "off",
	"gzip_static":   "off",
	"index":         nginxNoIndex,
	"merge_slashes": "on",
	"satisfy":       "all",
}

// nginxListenWords may stand in listen after the address.
var nginxListenWords = []string{"default_server", "ssl", "http2", "reuseport", "ipv6only=on"}

// harmless refuses everything else.
func (r *nginxReader) harmless(d *directive) error {
	switch {
	case d.block && d.name != "types":
	case d.name == "types":
		for i := range d.body {
			if in := &d.body[i]; in.block || in.name == "include" {
				return r.unknown(in)
			}
		}
		return nil
	case slices.Contains(nginxHarmless, d.name):
		return nil
	case d.name == "listen" && len(d.args) > 0 && !strings.HasPrefix(d.args[0], "unix:"):
		for _, word := range d.args[1:] {
			if !slices.Contains(nginxListenWords, word) {
				return r.unknown(d)
			}
		}
		return nil
	case d.name == "add_header" && len(d.args) >= 2:
		if h := strings.ToLower(d.args[0]); h == "cache-control" || h == "x-content-type-options" {
			return nil
		}
	default:
		if want, ok := nginxHarmlessAs[d.name]; ok && d.is(want) {
			return nil
		}
	}
	return r.unknown(d)
}

// isCondition compares an if with a condition that Export writes.
func isCondition(d *directive, condition string) bool {
	words, err := parseNginx("", "if ("+condition+");")
	return err == nil && d.is(words[0].args...)
}

// condition reads an if, of which only those that Export writes are known.
func (r *nginxReader) condition(d *directive) error {
	if !d.block || len(d.body) != 1 || d.body[0].name != "return" || len(d.body[0].args) != 1 ||
		!slices.Contains([]string{"400", "403", "404", "405"}, d.body[0].args[0]) {
		return r.unknown(d)
	}
	switch {
	case isCondition(d, nginxOtherMethod), isCondition(d, nginxBlanks), isCondition(d, nginxOdd), isCondition(d, nginxHidden), isCondition(d, nginxForwarded), isCondition(d, nginxMalformed):
		return nil
	case isCondition(d, nginxProxyVar):
		r.proxyIf = d.line
		return nil
	case len(d.args) == 4 && d.args[0] == "($uri" && d.args[1] == "!~" && r.elsewhere == nil:
		r.elsewhere = d // looked at when the zones are known
		return nil
	}
	return r.unknown(d)
}

func (r *nginxReader) errorPage(d *directive) error {
	switch {
	case d.is("405", nginxMethodLocation):
	case d.is("403", "=", nginxDeniedLocation):
		r.denied = d.line
	default:
		return r.unknown(d)
	}
	return nil
}

// namedLocation reads a location that Export writes for errors.
func (r *nginxReader) namedLocation(d *directive) error {
	name := d.args[0]
	for i := range d.body {
		in := &d.body[i]
		switch {
		case name == nginxDeniedLocation && in.name == "return" && in.is("404"):
		case name == nginxMethodLocation && in.name == "return" && in.is("405"):
		case name == nginxMethodLocation && in.name == "add_header" && in.is("Allow", "GET, HEAD", "always"):
		default:
			return r.unknown(in)
		}
	}
	if len(d.body) == 0 || r.named[name] != 0 {
		return r.unknown(d)
	}
	r.named[name] = d.line
	return nil
}

// checkNamed demands the error page and the location that answer 404, both or
// neither.
func (r *nginxReader) checkNamed() error {
	if at := r.named[nginxDeniedLocation]; (at != 0) != (r.denied != 0) {
		return errorAt(r.name, max(at, r.denied), "error_page 403 = %s and the location go together; write both or neither", nginxDeniedLocation)
	}
	return nil
}

// proxyHeader reads the directives of the realip module.
func (r *nginxReader) proxyHeader(d *directive) error {
	switch {
	case d.name == "set_real_ip_from" && len(d.args) == 1:
		p, err := r.prefix(d, d.args[0])
		r.proxies, r.proxyAt = append(r.proxies, p), d.line
		return err
	case d.name == "real_ip_header" && len(d.args) == 1 && strings.EqualFold(d.args[0], "X-Forwarded-For"), d.name == "real_ip_recursive" && d.is("on"):
		r.realIP[d.name] = d.line
		return nil
	}
	return r.err(d, "%s: tplkit reads X-Forwarded-For from right to left, which nginx does with real_ip_header X-Forwarded-For and real_ip_recursive on", d.show())
}

// proxyList reads the list of proxies that Export writes.
func (r *nginxReader) proxyList(d *directive) error {
	if !d.is("$remote_addr", nginxProxyVar) || r.geo != 0 {
		return r.unknown(d)
	}
	r.geo, r.fromAt = d.line, d.line
	for i := range d.body {
		in := &d.body[i]
		switch {
		case in.block:
			return r.unknown(in)
		case in.name == "default" && in.is("0"):
		case in.is("1"):
			var p netip.Prefix
			p, err := r.prefix(in, in.name)
			if err != nil {
				return err
			}
			r.fromProxies = append(r.fromProxies, p)
		default:
			return r.unknown(in)
		}
	}
	return nil
}

// checkProxies is the set of the trusted proxies.
func (r *nginxReader) checkProxies() (acl.Set, error) {
	s, err := r.trusted()
	switch {
	case err != nil:
		return s, err
	case (r.geo != 0) != (r.proxyIf != 0):
		return s, errorAt(r.name, max(r.geo, r.proxyIf), "geo and if with %s go together; write both or neither", nginxProxyVar)
	case r.proxyAt != 0 && (r.realIP["real_ip_header"] == 0 || r.realIP["real_ip_recursive"] == 0):
		return s, errorAt(r.name, r.proxyAt, "set_real_ip_from without real_ip_header X-Forwarded-For and real_ip_recursive on is not what tplkit does")
	}
	return s, nil
}
