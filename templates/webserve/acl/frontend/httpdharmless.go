package frontend

import (
	"slices"
	"strings"
)

// httpdHarmless are directives that change nothing about who may read which
// file, whatever they say: names, addresses, certificates, logs, timeouts, the
// look of listings, types.
var httpdHarmless = []string{
	"acceptpathinfo", "customlog", "enablemmap", "enablesendfile", "errorlog", "fileetag", "forcetype", "indexignore", "indexoptions",
	"indexorderdefault", "keepalive", "keepalivetimeout", "listen", "logformat", "loglevel", "maxkeepaliverequests", "maxranges",
	"removeencoding", "serveradmin", "serveralias", "servername", "serversignature", "sslcertificatechainfile", "sslcertificatefile",
	"sslcertificatekeyfile", "sslengine", "timeout", "transferlog",
}

// httpdHarmlessAs are directives that are harmless with these arguments.
var httpdHarmlessAs = map[string][]string{
	"allowencodedslashes": {"off"},
	"allowmethods":        {"get head", "get"},
	"allowoverride":       {"none"},
	"allowoverridelist":   {"none"},
	"directoryindex":      {"disabled"},
	"directoryslash":      {"on"},
	"fallbackresource":    {"disabled"},
	"mergeslashes":        {"on"},
	"sethandler":          {"default-handler"},
	"setenv":              {"no-gzip 1", "no-brotli 1"},
	"traceenable":         {"off"},
}

// harmless refuses everything else.
func (r *httpdReader) harmless(d *directive) error {
	args := strings.ToLower(strings.Join(d.args, " "))
	switch {
	case d.block:
		return r.unknown(d)
	case slices.Contains(httpdHarmless, d.name), slices.Contains(httpdHarmlessAs[d.name], args):
		return nil
	case d.name == "options":
		return r.options(d)
	case d.name == "header" && len(d.args) == 3 && strings.EqualFold(d.args[0], "set"):
		if h := strings.ToLower(d.args[1]); h == "cache-control" || h == "x-content-type-options" {
			return nil
		}
	case d.name == "header" && d.is("always", "set", "Allow", "GET, HEAD", "expr=%{REQUEST_STATUS} == 405"):
		return nil
	}
	return r.unknown(d)
}

// options takes those that tplkit is as strict about, or stricter. The others
// run programs or choose another file than the one that was asked for.
func (r *httpdReader) options(d *directive) error {
	for _, o := range d.args {
		switch o = strings.ToLower(o); strings.TrimPrefix(o, "+") {
		case "none", "indexes", "followsymlinks", "symlinksifownermatch":
		default:
			if o[:min(1, len(o))] != "-" {
				return r.err(d, "%s: tplkit runs no programs and serves the file that was asked for; only Indexes, FollowSymLinks, SymLinksIfOwnerMatch and None are known here", d.show())
			}
		}
	}
	return nil
}
