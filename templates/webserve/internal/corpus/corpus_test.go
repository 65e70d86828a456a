package corpus_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/internal/corpus"
)

func TestTargets(t *testing.T) {
	all := corpus.Targets()
	require.GreaterOrEqual(t, len(all), 400)
	groups := map[string]int{}
	for _, target := range all {
		groups[target.Group]++
		for _, zone := range []string{"repo", "kubevirt"} {
			raw := target.For(zone, "secret.img")
			require.False(t, strings.ContainsAny(raw, "\r\n"), "%q", raw)
			require.NotContains(t, raw, "{zone}")
			require.NotContains(t, raw, "{other}")
		}
	}
	require.Len(t, groups, 6)
	t.Log(len(all), groups)
	require.Equal(t, all, corpus.Targets())
	require.Equal(t, "/%72epo/secret.img", corpus.Target{Raw: "/{%z}/{file}"}.For("repo", "secret.img"))
	require.Equal(t, "/bundles/../repo/%2573", corpus.Target{Raw: "/{other}/../{zone}/{%%file}"}.For("repo", "s"))
}
