package acl

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Explanation says why a client may or may not read a path.
type Explanation struct {
	Client netip.Addr // in the form that is compared
	Path   string
	Zone   string // "" if the path is in none
	Decision
	// Rules are those of the zone that speak of the client, in the order of the
	// files. Where nobody is denied by a rule, there may be none.
	Rules []Rule
	// Note says what else there is to know: what is wrong with the path, or which
	// zones there are.
	Note string
}

// Explain answers as [Policy.Decide] does and says which rules were the reason.
// The path is that of a URL without its escapes, as "/repo/el8.xz"; what no
// file of the tree can be named, "." and ".." and the like, is in no zone. "/"
// is the list of the zones that a client may read, which everybody may read.
// Only the policy is asked: whether there is such a file, and whether the server
// hides it, is another matter.
func (p *Policy) Explain(client netip.Addr, path string) Explanation {
	e := Explanation{Client: normalAddr(client), Path: path}
	var fault string
	e.Zone, fault = zoneOf(path)
	e.Decision = p.Decide(e.Zone, client)
	switch z := p.zone(e.Zone); {
	case fault != "":
		e.Note = fault
	case e.Zone == "":
		e.Decision = Decision{Allowed: true, Reason: ReasonAllowed}
		e.Note = p.visible(client)
	case z == nil:
		e.Note = "what the policy does not name is denied"
	default:
		e.Rules = z.speaking(e.Client)
	}
	return e
}

// zoneOf is the zone of a path, or what is wrong with the path. What is escaped
// is not decoded here: the server does that, in one place.
func zoneOf(path string) (zone, fault string) {
	if strings.ContainsAny(path, `%\#?`) {
		return "", `the path holds one of % \ # ?: give it without escapes and query; what is left of them the server refuses`
	}
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		return "", "the path is not UTF-8 or holds control characters: the server refuses it"
	}
	for name := range strings.SplitSeq(path, "/") {
		if name == "" {
			continue // the server takes a run of "/" for one
		}
		if name[0] == '.' || strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
			return "", "a name in the path begins with a dot, or ends with a dot or blank: the server refuses it"
		}
		if zone == "" {
			zone = name
		}
	}
	return zone, ""
}

// visible says what the list of zones shows to a client.
func (p *Policy) visible(client netip.Addr) string {
	var names []string
	if p != nil {
		for _, z := range p.Zones {
			if z.Allow.Contains(client) {
				names = append(names, z.Name)
			}
		}
	}
	if len(names) == 0 {
		return "the list of zones, of which the client sees none"
	}
	return "the list of zones, of which the client sees " + strings.Join(names, ", ")
}

// speaking are the rules that hold a client, or the prefix of the set where it
// is not known what it was made of.
func (z *Zone) speaking(client netip.Addr) []Rule {
	rules := z.Rules
	if rules == nil && z.Allow.Contains(client) {
		for _, p := range z.Allow.Prefixes() {
			rules = append(rules, Rule{Prefix: p})
		}
	}
	var out []Rule
	for _, r := range rules {
		if client.IsValid() && (r.All || normal(r.Prefix).Contains(client)) {
			out = append(out, r)
		}
	}
	return out
}

// String is the rule as it is written in a policy, without its place.
func (r Rule) String() string {
	word, what := allow, all
	if r.Deny {
		word = deny
	}
	if !r.All {
		what = r.Prefix.String()
	}
	return word + " " + what
}

// Place is "FILE:LINE", or "" for a rule that was not read from a file.
func (r Rule) Place() string {
	if r.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", r.File, r.Line)
}

// String tells the explanation in a few lines, without a newline at the end.
func (e Explanation) String() string {
	var b strings.Builder
	who, verb := "a client of unknown address", "may not read"
	if e.Client.IsValid() {
		who = e.Client.String()
	}
	if e.Allowed {
		verb = "may read"
	}
	fmt.Fprintf(&b, "%s %s %s: %s", who, verb, quote(e.Path), e.Reason)
	if e.Zone != "" {
		fmt.Fprintf(&b, "\n  zone %s", quote(e.Zone))
	}
	for _, r := range e.Rules {
		fmt.Fprintf(&b, "\n  %s", r)
		if place := r.Place(); place != "" {
			fmt.Fprintf(&b, "   %s", place)
		}
		if r.Comment != "" {
			fmt.Fprintf(&b, "   # %s", r.Comment)
		}
	}
	if e.Note != "" {
		fmt.Fprintf(&b, "\n  %s", e.Note)
	}
	return b.String()
}
