package frontend

import (
	"net/netip"

	"github.com/tplkit/tplkit/templates/webserve/acl"
)

// nginxRules are the allow and deny of one place, in order: the first that
// matches counts. Neighbours of one kind are joined.
type nginxRules struct {
	list []nginxRule
}

type nginxRule struct {
	allow    bool
	all      bool
	prefixes []netip.Prefix
}

// mostTurns is how often allow and deny may take turns, each of which costs as
// much as there are prefixes.
const mostTurns = 1000

// rule reads allow or deny.
func (r *nginxReader) rule(rules *nginxRules, d *directive) error {
	if d.block || len(d.args) != 1 {
		return r.err(d, "%s: expected one address or all", d.show())
	}
	n := len(rules.list)
	if allow := d.name == "allow"; n == 0 || rules.list[n-1].allow != allow {
		if n == mostTurns {
			return r.err(d, "allow and deny take turns more than %d times; put those of one kind together", mostTurns)
		}
		rules.list = append(rules.list, nginxRule{allow: allow})
		n++
	}
	last := &rules.list[n-1]
	if d.args[0] == "all" {
		last.all = true
		return nil
	}
	p, err := r.prefix(d, d.args[0])
	if err != nil {
		return err
	}
	last.prefixes = append(last.prefixes, p)
	return nil
}

// set is who may read. Nginx allows whom no rule matches.
func (rules nginxRules) set() acl.Set {
	rest := acl.Everyone()
	var allowed acl.Set
	for _, rule := range rules.list {
		s := acl.NewSet(rule.prefixes...)
		if rule.all {
			s = acl.Everyone()
		}
		if rule.allow {
			allowed = allowed.Union(intersection(s, rest))
		}
		rest = rest.Minus(s)
	}
	return allowed.Union(rest)
}
