package frontend

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// httpdReader reads the configuration of httpd.
type httpdReader struct {
	reader
	dirs, urls []*httpdSection
	fromPath   string         // the directory in which proxies are denied as a client
	hosts      int            // how many <VirtualHost> there are
	seen       map[string]int // the lines of directives that only have a meaning together
	require    int            // a line with Require, 0 if there is none
	compat     int            // a line with Order, Allow or Deny
}

// httpdSection is a <Directory> or <Location> that says something about access.
type httpdSection struct {
	d      directive
	path   string
	access access
}

// access is what sections say about access. The zero value says nothing.
type access struct {
	says  bool // by Require, else allow and deny are what counts
	allow acl.Set
	merge string // "and", "or" or "", by which it is joined to what the sections before say
	open  bool   // what it is to be joined to is not known
	line  int
}

// join is what holds after another section. Its own way of joining is the last
// section's: httpd joins all <Location> first, and the outcome to <Directory>.
func (a access) join(next access) access {
	switch {
	case !next.says:
		return a
	case next.merge == "":
	case !a.says:
		next.open = true
	case next.merge == "and":
		next.allow, next.open = intersection(a.allow, next.allow), a.open
	default:
		next.allow, next.open = a.allow.Union(next.allow), a.open
	}
	return next
}

func importHTTPD(name, text, root string) (*acl.Policy, error) {
	list, err := parseHTTPD(name, text)
	if err != nil {
		return nil, err
	}
	r := &httpdReader{reader: reader{name: name, root: root}, seen: map[string]int{}}
	if err := r.host(list, false); err != nil {
		return nil, err
	}
	if r.root == "" {
		r.root = DefaultRoot
	}
	if r.require != 0 && r.compat != 0 {
		return nil, errorAt(name, r.compat, "Order, Allow and Deny beside Require (line %d): how both together decide depends on the modules; write Require alone", r.require)
	}
	p := &acl.Policy{Denied: 403}
	if p.Zones, err = r.zones(); err != nil {
		return nil, err
	}
	if err := r.together(p, "rewriteengine", "rewritecond", "rewriterule"); err != nil {
		return nil, err
	}
	if p.TrustedProxies, err = r.trusted(); err != nil {
		return nil, err
	}
	if r.fromAt != 0 && r.fromPath != r.root {
		return nil, errorAt(name, r.fromAt, "this denies clients in a part of the tree only; expected it in <Directory %s>", quote(r.root))
	}
	if at := r.proxyAt; at != 0 && r.seen["remoteipheader"] == 0 {
		return nil, errorAt(name, at, "trusted proxies without RemoteIPHeader X-Forwarded-For have no effect; write both or neither")
	}
	return p, nil
}

// together demands that the directives that answer 404 are all there or none.
func (r *httpdReader) together(p *acl.Policy, names ...string) error {
	at := 0
	for _, n := range names {
		at = cmp.Or(at, r.seen[n])
	}
	if at == 0 {
		return nil
	}
	for _, n := range names {
		if r.seen[n] == 0 {
			return errorAt(r.name, at, "a part of what answers 404 to refused requests is missing: RewriteEngine On, RewriteCond %s, RewriteRule %s", rewriteCond, rewriteRule)
		}
	}
	p.Denied = 404
	return nil
}

// host reads what stands at the top or in a <VirtualHost>. What stands at the
// top counts first, wherever it is.
func (r *httpdReader) host(list []directive, inHost bool) error {
	for i := range list {
		d := &list[i]
		var err error
		switch {
		case d.name == "virtualhost" && d.block && !inHost:
		case d.name == "directory" && d.block:
			err = r.directory(d)
		case d.name == "location" && d.block:
			err = r.location(d)
		case d.name == "documentroot" && !d.block:
			err = r.setRoot(d)
		case strings.HasPrefix(d.name, "rewrite") && !d.block:
			err = r.rewrite(d)
		case strings.HasPrefix(d.name, "remoteip") && !d.block:
			err = r.remoteIP(d)
		default:
			err = r.harmless(d)
		}
		if err != nil {
			return err
		}
	}
	for i := range list {
		d := &list[i]
		if d.name != "virtualhost" || inHost {
			continue
		}
		if r.hosts++; r.hosts > 1 {
			return r.err(d, "a second <VirtualHost>; give the importer a file with one")
		}
		if err := r.host(d.body, true); err != nil {
			return err
		}
	}
	return nil
}

func (r *httpdReader) rewrite(d *directive) error {
	want, ok := map[string][]string{
		"rewriteengine": {"On"},
		"rewritecond":   {"%{REQUEST_URI}", "!-U"},
		"rewriterule":   {"^", "-", "[NS,R=404,L]"},
	}[d.name]
	if !ok || !d.is(want...) {
		return r.unknown(d)
	}
	r.seen[d.name] = d.line
	return nil
}

func (r *httpdReader) remoteIP(d *directive) error {
	switch d.name {
	case "remoteipheader":
		if len(d.args) != 1 || !strings.EqualFold(d.args[0], "X-Forwarded-For") {
			return r.err(d, "%s: tplkit reads X-Forwarded-For and Forwarded, nothing else", d.show())
		}
		r.seen[d.name] = d.line
		return nil
	case "remoteipinternalproxy":
		list, err := r.prefixes(d, d.args)
		r.proxies = append(r.proxies, list...)
		r.proxyAt = d.line
		return err
	}
	return r.unknown(d)
}

// directory reads a section for a directory. It counts for the zones that lie in
// the directory or are it.
func (r *httpdReader) directory(d *directive) error {
	if len(d.args) != 1 || strings.ContainsAny(d.args[0], "*?[~") {
		return r.err(d, "<Directory %s>: patterns are not known here; write a section for each directory", strings.Join(d.args, " "))
	}
	p := d.args[0]
	if !path.IsAbs(p) || strings.TrimRight(p, "/") != strings.TrimRight(path.Clean(p), "/") {
		return r.err(d, "<Directory %s>: expected an absolute path in its shortest form", quote(p))
	}
	s := &httpdSection{d: *d, path: path.Clean(p)}
	r.dirs = append(r.dirs, s)
	return r.section(s)
}

// location reads a section for a URL path.
func (r *httpdReader) location(d *directive) error {
	if len(d.args) != 1 || strings.ContainsAny(d.args[0], "*?[~") {
		return r.err(d, "<Location %s>: patterns are not known here; write a section for each zone", strings.Join(d.args, " "))
	}
	p := d.args[0]
	if !path.IsAbs(p) || path.Clean(p) != p && path.Clean(p)+"/" != p || strings.ContainsAny(p, "%\\") {
		return r.err(d, "<Location %s>: expected a path as /kubevirt, without escapes", quote(p))
	}
	s := &httpdSection{d: *d, path: path.Clean(p)}
	r.urls = append(r.urls, s)
	return r.section(s)
}

// zones puts the sections together as httpd does for a request: <Directory> from
// the shortest path to the longest, <Location> in the order of the file, and then
// these to those.
func (r *httpdReader) zones() ([]acl.Zone, error) {
	slices.SortStableFunc(r.dirs, func(a, b *httpdSection) int {
		return cmp.Compare(elements(a.path), elements(b.path))
	})
	dirs, err := r.fold(r.dirs, false)
	if err != nil {
		return nil, err
	}
	urls, err := r.fold(r.urls, true)
	if err != nil {
		return nil, err
	}
	named := map[string]bool{}
	for _, name := range knownZones {
		named[name] = false
	}
	for _, f := range []folded{dirs, urls} {
		for name := range f.named {
			named[name] = true
		}
	}
	var out []acl.Zone
	for name, named := range named {
		a := dirs.zone(name).join(urls.zone(name))
		if a.open {
			return nil, errorAt(r.name, a.line, "AuthMerging in the first section for the zone %s: what it is to be joined to is not in this file; add a <Directory> that says it", name)
		}
		if a.says && (named || !a.allow.IsEmpty()) {
			out = append(out, acl.Zone{Name: name, Allow: a.allow})
		}
	}
	return out, nil
}

// folded is what a list of sections says together.
type folded struct {
	whole access            // about the tree
	named map[string]access // about zones that have sections
}

func (f folded) zone(name string) access {
	if a, ok := f.named[name]; ok {
		return a
	}
	return f.whole
}

func (r *httpdReader) fold(list []*httpdSection, url bool) (folded, error) {
	f := folded{named: map[string]access{}}
	for _, s := range list {
		zone, whole, err := r.place(s, url)
		switch {
		case err != nil:
			return f, err
		case whole:
			f.whole = f.whole.join(s.access)
			for name, a := range f.named {
				f.named[name] = a.join(s.access)
			}
		case zone != "":
			f.named[zone] = f.zone(zone).join(s.access)
		}
	}
	return f, nil
}

func elements(p string) int { return strings.Count(strings.TrimRight(p, "/"), "/") }

// place tells which zone a section is for, or that it is for the whole tree.
// Sections without access rules may be anywhere.
func (r *httpdReader) place(s *httpdSection, url bool) (zone string, whole bool, err error) {
	root, what := r.root, "Directory"
	if url {
		root, what = "", "Location"
	}
	rest, below := strings.CutPrefix(s.path, root+"/")
	switch {
	case url && s.path == "/", !url && (s.path == "/" || s.path == root || strings.HasPrefix(root, s.path+"/")):
		return "", true, nil
	case !s.access.says:
		return "", false, nil
	case below && !strings.Contains(rest, "/"):
		if err := acl.CheckZoneName(rest); err != nil {
			return "", false, &acl.ParseError{File: r.name, Line: s.d.line, Err: err}
		}
		return rest, false, nil
	case below:
		return "", false, r.err(&s.d, "<%s %s>: a rule for a part of the zone %s; a zone has one list of addresses", what, quote(s.path), quote(rest[:strings.IndexByte(rest, '/')]))
	}
	return "", false, r.err(&s.d, "<%s %s> is not in the root %s; name the root, or take the section out", what, quote(s.path), quote(root))
}

// refusals are the expressions that Export writes, which deny what tplkit denies.
var refusals = []string{httpdOdd, httpdHidden, httpdForwarded}

// condition reads <If>, of which only what Export writes is known.
func (r *httpdReader) condition(d *directive, s *httpdSection) error {
	if len(d.args) != 1 || len(d.body) != 1 || d.body[0].name != "require" || !d.body[0].is("all", "denied") {
		return r.unknown(d)
	}
	expr := d.args[0]
	if slices.Contains(refusals, expr) {
		return nil
	}
	from, ok := strings.CutPrefix(expr, "-R '")
	if from, closed := strings.CutSuffix(from, "'"); ok && closed && s.d.name == "directory" {
		p, err := r.prefix(d, from)
		if err != nil {
			return err
		}
		if r.fromAt != 0 && r.fromPath != s.path {
			return r.unknown(d)
		}
		r.fromProxies, r.fromAt, r.fromPath = append(r.fromProxies, p), d.line, s.path
		return nil
	}
	return r.unknown(d)
}
