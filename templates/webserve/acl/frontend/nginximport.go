package frontend

import (
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// nginxReader reads the configuration of nginx.
type nginxReader struct {
	reader
	servers   int
	outer     nginxRules // of http
	outerAt   int        // a line outside of a server that must stand in one if there is one
	rules     nginxRules // of the server
	locations []nginxLocation
	elsewhere *directive // the check for zones that Export writes
	denied    int        // the line that makes refusals a 404
	named     map[string]int
	realIP    map[string]int
	geo       int // the line of the list of proxies that are denied as a client
	proxyIf   int // the line that denies them
}

// nginxLocation is a location with a prefix.
type nginxLocation struct {
	d      directive
	prefix string
	rules  nginxRules
}

func importNginx(name, text, root string) (*acl.Policy, error) {
	list, err := parseNginx(name, text)
	if err != nil {
		return nil, err
	}
	r := &nginxReader{reader: reader{name: name, root: root}, named: map[string]int{}, realIP: map[string]int{}}
	if err := r.top(list); err != nil {
		return nil, err
	}
	p := &acl.Policy{Denied: 403}
	if p.Zones, err = r.zones(); err != nil {
		return nil, err
	}
	if r.denied != 0 {
		p.Denied = 404
	}
	if err := r.checkNamed(); err != nil {
		return nil, err
	}
	p.TrustedProxies, err = r.checkProxies()
	return p, err
}

// top reads what stands in http, or in a file that is included there or in a
// server.
func (r *nginxReader) top(list []directive) error {
	for i := range list {
		d := &list[i]
		var err error
		switch {
		case d.name == "allow" || d.name == "deny":
			err = r.rule(&r.outer, d)
		case d.name == "http" && d.block && len(list) == 1 && len(d.args) == 0:
			return r.top(d.body)
		case d.name == "server" && d.block && len(d.args) == 0:
			if r.servers++; r.servers > 1 {
				return r.err(d, "a second server; give the importer a file with one")
			}
			for i := range d.body {
				if err := r.inServer(&d.body[i]); err != nil {
					return err
				}
			}
		case d.name == "geo" && d.block:
			err = r.proxyList(d)
		default:
			r.outerAt = d.line
			err = r.inServer(d)
		}
		if err != nil {
			return err
		}
	}
	if r.servers > 0 && r.outerAt != 0 {
		return errorAt(r.name, r.outerAt, "this stands outside of the server; put it there, so that what it is for is clear")
	}
	return nil
}

func (r *nginxReader) inServer(d *directive) error {
	switch d.name {
	case "location":
		return r.location(d)
	case "allow", "deny":
		return r.rule(&r.rules, d)
	case "root":
		return r.setRoot(d)
	case "if":
		return r.condition(d)
	case "error_page":
		return r.errorPage(d)
	case "set_real_ip_from", "real_ip_header", "real_ip_recursive":
		return r.proxyHeader(d)
	}
	return r.harmless(d)
}

// location reads a location.
func (r *nginxReader) location(d *directive) error {
	if !d.block {
		return r.unknown(d)
	}
	if len(d.args) == 1 && strings.HasPrefix(d.args[0], "@") {
		return r.namedLocation(d)
	}
	args := d.args
	if len(args) == 2 && args[0] == "^~" {
		args = args[1:]
	}
	if len(args) != 1 || !strings.HasPrefix(args[0], "/") {
		return r.err(d, "%s: only locations with a prefix are known here, as location ^~ /kubevirt/", d.show())
	}
	l := nginxLocation{d: *d, prefix: args[0]}
	for i := range d.body {
		in := &d.body[i]
		var err error
		switch in.name {
		case "allow", "deny":
			err = r.rule(&l.rules, in)
		case "location":
			err = r.inner(in)
		case "root":
			err = r.setRoot(in)
		default:
			err = r.harmless(in)
		}
		if err != nil {
			return err
		}
	}
	for _, other := range r.locations {
		if other.prefix == l.prefix {
			return r.err(d, "location %s stands in line %d already", quote(l.prefix), other.d.line)
		}
	}
	r.locations = append(r.locations, l)
	return nil
}

// inner reads a location in a location. It has the rules of the one around it as
// long as it has none of its own, so it may hold types and nothing else.
func (r *nginxReader) inner(d *directive) error {
	for i := range d.body {
		if in := &d.body[i]; in.name != "default_type" && in.name != "types" {
			return r.unknown(in)
		}
	}
	if !d.block || len(d.args) == 0 {
		return r.unknown(d)
	}
	return nil
}

// zones finds for each zone the location with the longest prefix, as nginx does.
func (r *nginxReader) zones() ([]acl.Zone, error) {
	names := map[string]bool{}
	for _, l := range r.locations {
		switch name := strings.TrimSuffix(l.prefix[1:], "/"); {
		case name == "" && l.prefix == "/":
		case strings.Contains(name, "/"):
			return nil, r.err(&l.d, "location %s: a rule for a part of a zone; a zone has one list of addresses", quote(l.prefix))
		default:
			if err := acl.CheckZoneName(name); err != nil {
				return nil, &acl.ParseError{File: r.name, Line: l.d.line, Err: err}
			}
			names[name] = true
		}
	}
	if d := r.elsewhere; d != nil {
		var zones []acl.Zone
		for name := range names {
			zones = append(zones, acl.Zone{Name: name})
		}
		slices.SortFunc(zones, func(a, b acl.Zone) int { return strings.Compare(a.Name, b.Name) })
		if len(zones) == 0 || !isCondition(d, nginxElsewhere(zones)) {
			return nil, r.err(d, "%s: names other zones than the locations do", d.show())
		}
	} else {
		for _, name := range knownZones {
			if !names[name] {
				names[name] = false
			}
		}
	}
	var out []acl.Zone
	for name, named := range names {
		set, ok, err := r.zone(name)
		if err != nil {
			return nil, err
		}
		if ok && (named || !set.IsEmpty()) {
			out = append(out, acl.Zone{Name: name, Allow: set})
		}
	}
	return out, nil
}

// zone is who may read one zone; not ok means that the file does not say.
func (r *nginxReader) zone(name string) (set acl.Set, ok bool, err error) {
	var best *nginxLocation
	for i := range r.locations {
		if l := &r.locations[i]; strings.HasPrefix("/"+name+"/", l.prefix) && (best == nil || len(l.prefix) > len(best.prefix)) {
			best = l
		}
	}
	rules := r.rules // which replace those of http, if there are any
	if len(rules.list) == 0 {
		rules = r.outer
	}
	if best != nil && len(best.rules.list) > 0 {
		rules = best.rules
	}
	switch {
	case len(rules.list) > 0:
		return rules.set(), true, nil
	case r.servers > 0:
		return acl.Everyone(), true, nil
	case best != nil:
		return set, false, r.err(&best.d, "location %s has neither allow nor deny, and what it takes over from its server is not in this file; add allow all if that is meant", quote(best.prefix))
	}
	return set, false, nil
}
