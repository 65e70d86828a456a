package lagorepo_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo"
)

// Whatever lies in a repository, its catalogue is a list that a page can show.
func FuzzCatalogue(f *testing.F) {
	f.Add(lagoOf, `{"arch": "x86_64"}`, sum1, virtOf("size=100\ncompressed_size=6\nchecksum[sha512]="+sum512))
	f.Add("", "", "", "")
	f.Add("{", "[]", "\x00", "[a]\nfile=.\n\n[b]\nfile=el8.xz/\n")
	f.Add(strings.ReplaceAll(lagoOf, "el8", `</script>\"`), `{"osinfo": 5, "size": -1}`, strings.ToUpper(sum1), "[el8]\nname=<b>\n")
	f.Fuzz(func(t *testing.T, repo, metadata, hash, index string) {
		m := fstest.MapFS{"el8.xz": file("packed")}
		for name, text := range map[string]string{"repo.metadata": repo, "el8.metadata": metadata, "el8.hash": hash, "index": index} {
			if text != "" {
				m[name] = file(text)
			}
		}
		list, err := lagorepo.Catalogue(t.Context(), m)
		if err != nil {
			require.Less(t, len(err.Error()), 100_000)
		}
		for i, p := range list {
			require.NotEmpty(t, p.Name)
			require.True(t, p.File == "" || m[p.File] != nil, p.File)
			require.GreaterOrEqual(t, p.VirtualSize, int64(0))
			require.Contains(t, []int{0, 40}, len(p.SHA1))
			require.Contains(t, []int{0, 128}, len(p.SHA512))
			require.True(t, utf8.ValidString(p.Notes), "%q", p.Notes)
			require.Equal(t, i == 0 || list[i-1].Name != p.Name, p.Latest)
		}
	})
}
