package browser_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// axeSource reads axe-core.
func axeSource(t *testing.T) string {
	t.Helper()
	path := os.Getenv("TPLKIT_AXE")
	if path == "" {
		missing(t, "needs axe-core: npm pack axe-core@4.14.1, unpack it, and TPLKIT_AXE=…/package/axe.min.js")
	}
	source, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(source)
}

func TestAxeFindsNothing(t *testing.T) {
	source := axeSource(t)
	base, p := site(t), newPage(t)
	for name, path := range pages {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int{1200, 360} {
				p.size(width, 800)
				p.media(scheme, "screen")
				p.open(base + path)
				if name == "templates" {
					p.becomes(`document.querySelectorAll('.do button').length > 0`)
				}
				noViolations(t, p, source, fmt.Sprintf("%s, %s, %d wide", name, scheme, width))
			}
		}
	}
	p.forget() // "none" is a 404
}

// noViolations lets axe-core look at the page that is open.
func noViolations(t *testing.T, p *page, source, what string) {
	t.Helper()
	var r struct {
		Violations, Incomplete []struct {
			ID, Help string
			Nodes    []struct{ HTML, FailureSummary string }
		}
		Passes []struct{ ID string }
	}
	p.eval(source, nil)
	// Also a rule that is off by default: the targets' size.
	p.eval(`axe.run(document, {rules: {'target-size': {enabled: true}}}).then(r => ({violations: r.violations, incomplete: r.incomplete, passes: r.passes}))`, &r)
	for _, v := range r.Violations {
		for _, n := range v.Nodes {
			t.Errorf("%s: %s: %s\n%s\n%s", what, v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
	var passed []string
	for _, rule := range r.Passes {
		passed = append(passed, rule.ID)
	}
	require.Contains(t, passed, "color-contrast", "axe looked at nothing")
	for _, v := range r.Incomplete {
		t.Logf("%s: to be looked at by people: %s in %d places, as %s", what, v.ID, len(v.Nodes), strings.TrimSpace(v.Nodes[0].HTML))
	}
}
