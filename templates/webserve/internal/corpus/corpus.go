// Package corpus holds request targets that have got past the access rules of
// web servers, or look as if they could: for tests of this server and for
// comparing it with others that are given the same policy.
package corpus

import (
	"fmt"
	"strings"
)

// Target is one request target with places for the names of a tree.
type Target struct {
	// Group says what is tried: "plain", "dots", "separators", "names", "forms"
	// or "history".
	Group string
	// Raw is the target as it goes over the wire, between the method and the
	// version, with {zone} for the zone that is asked for, {file} for a file in
	// it and {other} for another zone. It may hold any byte but CR and LF.
	Raw string
	// Serves says that this is a proper name of the file: who may read the zone
	// gets it. All other targets must never bring its bytes.
	Serves bool
}

// For puts names into the target.
func (t Target) For(zone, file string) string {
	other := "repo"
	if zone == other {
		other = "bundles"
	}
	return strings.NewReplacer(
		"{zone}", zone, "{file}", file, "{other}", other,
		"{ZONE}", strings.ToUpper(zone), "{FILE}", strings.ToUpper(file),
		"{Zone}", strings.ToUpper(zone[:1])+zone[1:],
		"{%zone}", escape(zone, "%%%02x"), "{%file}", escape(file, "%%%02x"),
		"{%ZONE}", escape(zone, "%%%02X"), "{%FILE}", escape(file, "%%%02X"),
		"{%%file}", escape(file, "%%25%02x"), "{%%zone}", escape(zone, "%%25%02x"),
		"{%z}", escape(zone[:1], "%%%02x")+zone[1:],
	).Replace(t.Raw)
}

func escape(s, format string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, format, s[i])
	}
	return b.String()
}

// Targets are all targets, each once, always in the same order.
func Targets() []Target {
	var all []Target
	seen := make(map[string]bool)
	add := func(group string, serves bool, raw ...string) {
		for _, r := range raw {
			if !seen[r] {
				seen[r] = true
				all = append(all, Target{Group: group, Raw: r, Serves: serves})
			}
		}
	}
	add("plain", true, plain...)
	for _, dots := range dotSegments {
		for _, place := range dotPlaces {
			add("dots", false, strings.ReplaceAll(place, "{dots}", dots))
		}
	}
	for _, sep := range separators {
		for _, place := range separatorPlaces {
			add("separators", false, strings.ReplaceAll(place, "{sep}", sep))
		}
	}
	for _, ending := range endings {
		add("names", false, "/{zone}/{file}"+ending, "/{zone}"+ending+"/{file}")
	}
	add("names", false, names...)
	add("forms", false, forms...)
	add("history", false, history...)
	return all
}
