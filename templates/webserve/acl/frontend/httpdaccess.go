package frontend

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// section reads the body of a <Directory> or <Location>.
func (r *httpdReader) section(s *httpdSection) error {
	var require []directive
	var old compat
	merging := 0
	for i := range s.d.body {
		d := &s.d.body[i]
		var err error
		switch d.name {
		case "require", "requireall", "requireany":
			if d.block != (d.name != "require") {
				return r.unknown(d)
			}
			require = append(require, *d)
			r.require = d.line
		case "order", "allow", "deny":
			r.compat = d.line
			err = r.old(&old, d)
		case "authmerging":
			merging = d.line
			err = r.merging(&s.access, d)
		case "if":
			err = r.condition(d, s)
		case "filesmatch", "files":
			err = r.files(d)
		default:
			err = r.harmless(d)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case merging != 0 && len(require) == 0:
		return errorAt(r.name, merging, "AuthMerging without Require changes what other sections say in ways that differ between releases; take it out")
	case len(require) > 0:
		set, negative, err := r.any(require)
		if err != nil {
			return err
		}
		if negative {
			return errorAt(r.name, require[0].line, "Require not grants nothing by itself; put it into <RequireAll> with what is granted")
		}
		s.access.says, s.access.allow, s.access.line = true, set, require[0].line
	case old.at != 0:
		s.access.says, s.access.allow, s.access.line = true, old.set(), old.at
	}
	return nil
}

func (r *httpdReader) merging(a *access, d *directive) error {
	if len(d.args) != 1 {
		return r.unknown(d)
	}
	switch a.merge = strings.ToLower(d.args[0]); a.merge {
	case "off":
		a.merge = ""
	case "and", "or":
	default:
		return r.unknown(d)
	}
	return nil
}

// files reads <Files> and <FilesMatch>, which may set types and nothing else.
func (r *httpdReader) files(d *directive) error {
	for i := range d.body {
		if in := &d.body[i]; in.block || in.name != "forcetype" && in.name != "sethandler" {
			return r.unknown(in)
		} else if err := r.harmless(in); err != nil {
			return err
		}
	}
	if !d.block {
		return r.unknown(d)
	}
	return nil
}

// any is the set that a list of requirements grants of which one is enough.
// Negative says that it is one "Require not", which only <RequireAll> can hold.
func (r *httpdReader) any(list []directive) (set acl.Set, negative bool, err error) {
	var grants []netip.Prefix // joined at the end: there may be very many
	for i := range list {
		d := &list[i]
		if d.block {
			one, err := r.container(d)
			if err != nil {
				return acl.Set{}, false, err
			}
			grants = append(grants, one.Prefixes()...)
			continue
		}
		not, all, prefixes, err := r.requirement(d)
		switch {
		case err != nil:
			return acl.Set{}, false, err
		case not:
			return acl.Set{}, true, nil
		case all:
			set = acl.Everyone()
		}
		grants = append(grants, prefixes...)
	}
	return set.Union(acl.NewSet(grants...)), false, nil
}

// container is the set that a <RequireAny> or <RequireAll> grants.
func (r *httpdReader) container(d *directive) (acl.Set, error) {
	if len(d.args) > 0 {
		return acl.Set{}, r.unknown(d)
	}
	if len(d.body) == 0 {
		return acl.Set{}, r.err(d, "<%s> is empty", d.name)
	}
	if i := slices.IndexFunc(d.body, func(in directive) bool {
		return in.block && in.name != "requireall" && in.name != "requireany" || !in.block && in.name != "require"
	}); i >= 0 {
		return acl.Set{}, r.unknown(&d.body[i])
	}
	if d.name == "requireall" {
		return r.all(d)
	}
	set, negative, err := r.any(d.body)
	if err == nil && negative {
		err = r.err(d, "Require not has no effect in <RequireAny>, and httpd does not take it there; use <RequireAll>")
	}
	return set, err
}

// all is the set that a <RequireAll> grants.
func (r *httpdReader) all(d *directive) (acl.Set, error) {
	set, positive := acl.Everyone(), false
	var denied []netip.Prefix
	for i := range d.body {
		in := &d.body[i]
		if in.block {
			one, err := r.container(in)
			if err != nil {
				return acl.Set{}, err
			}
			set, positive = intersection(set, one), true
			continue
		}
		not, all, prefixes, err := r.requirement(in)
		switch {
		case err != nil:
			return acl.Set{}, err
		case not:
			denied = append(denied, prefixes...)
			continue
		case !all:
			set = intersection(set, acl.NewSet(prefixes...))
		}
		positive = true
	}
	if !positive {
		return acl.Set{}, r.err(d, "<RequireAll> holds nothing but Require not, which grants nothing; add Require all granted if that is meant")
	}
	return set.Minus(acl.NewSet(denied...)), nil
}

// requirement reads Require. Neither all nor prefixes is Require all denied.
func (r *httpdReader) requirement(d *directive) (not, all bool, prefixes []netip.Prefix, err error) {
	args := d.args
	if len(args) > 1 && strings.EqualFold(args[0], "not") {
		not, args = true, args[1:]
	}
	switch {
	case len(args) > 1 && args[0] == "ip":
		prefixes, err = r.prefixes(d, args[1:])
		return not, false, prefixes, err
	case !not && len(args) == 2 && args[0] == "all" && strings.EqualFold(args[1], "granted"):
		return false, true, nil, nil
	case !not && len(args) == 2 && args[0] == "all" && strings.EqualFold(args[1], "denied"):
		return false, false, nil, nil
	}
	return false, false, nil, r.err(d, "%s is not known here; expected Require ip, Require not ip, Require all granted or Require all denied", d.show())
}

// compat is what Order, Allow and Deny of one section say together. What a
// section before says of them is of no consequence.
type compat struct {
	at          int
	allowFirst  bool // Order allow,deny; else deny,allow, which is the default
	allow, deny []netip.Prefix
	allowAll    bool
	denyAll     bool
}

func (r *httpdReader) old(c *compat, d *directive) error {
	c.at = d.line
	if d.name == "order" {
		switch order := strings.ToLower(strings.Join(d.args, " ")); order {
		case "allow,deny", "deny,allow":
			c.allowFirst = order == "allow,deny"
			return nil
		}
		return r.err(d, "%s: expected Order allow,deny or Order deny,allow, without a blank", d.show())
	}
	if d.block || len(d.args) < 2 || !strings.EqualFold(d.args[0], "from") {
		return r.err(d, "%s: expected %s from all, or from addresses", d.show(), d.name)
	}
	all, list := &c.allowAll, &c.allow
	if d.name == "deny" {
		all, list = &c.denyAll, &c.deny
	}
	for _, s := range d.args[1:] {
		if strings.EqualFold(s, "all") {
			*all = true
			continue
		}
		p, err := r.prefix(d, s)
		if err != nil {
			return err
		}
		*list = append(*list, p)
	}
	return nil
}

// set is who may read. With deny,allow it is everybody but those that are denied
// and not allowed; with allow,deny those that are allowed and not denied.
func (c *compat) set() acl.Set {
	allow, deny := acl.NewSet(c.allow...), acl.NewSet(c.deny...)
	if c.allowAll {
		allow = acl.Everyone()
	}
	if c.denyAll {
		deny = acl.Everyone()
	}
	if c.allowFirst {
		return allow.Minus(deny)
	}
	return acl.Everyone().Minus(deny).Union(allow)
}
