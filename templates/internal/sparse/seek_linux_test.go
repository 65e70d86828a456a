package sparse_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/internal/sparse"
)

func TestDataBetweenHoles(t *testing.T) {
	const mib = 1 << 20
	for _, tc := range []struct {
		name string
		size int64
		ask  int64
		data []sparse.Extent
	}{
		{"all hole", 8 * mib, 8 * mib, nil},
		{"data first", 8 * mib, 8 * mib, []sparse.Extent{{0, mib}}},
		{"data last", 8 * mib, 8 * mib, []sparse.Extent{{7 * mib, mib}}},
		{"twice", 8 * mib, 8 * mib, []sparse.Extent{{mib, mib}, {4 * mib, 2 * mib}}},
		{"asked for less", 8 * mib, 5 * mib, []sparse.Extent{{4 * mib, 2 * mib}}},
		{"less than where data begins", 8 * mib, 2 * mib, []sparse.Extent{{4 * mib, 2 * mib}}},
		{"asked for more", 2 * mib, 5 * mib, []sparse.Extent{{mib, mib}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := holey(t, tc.size, tc.data...)
			found := collect(t, f, tc.ask)
			if len(tc.data) != 1 || tc.data[0] != (sparse.Extent{Off: 0, Len: tc.size}) {
				if len(found) == 1 && found[0].Off == 0 && found[0].Len >= min(tc.ask, tc.size) {
					t.Skip("this file system does not report holes")
				}
			}
			var want []sparse.Extent
			for _, e := range tc.data {
				if e.Off < tc.ask {
					want = append(want, sparse.Extent{Off: e.Off, Len: min(e.End(), tc.ask) - e.Off})
				}
			}
			require.Equal(t, want, found)
		})
	}
}
