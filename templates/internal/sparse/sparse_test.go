package sparse_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/internal/sparse"
)

func ExampleData() {
	for e, err := range sparse.Data(strings.NewReader("no holes"), 8) {
		fmt.Println(e.Off, e.Len, err)
	}
	// Output: 0 8 <nil>
}

func ExampleIsZero() {
	fmt.Println(sparse.IsZero(make([]byte, 10)), sparse.IsZero([]byte{0, 1}))
	// Output: true false
}

func TestIsZero(t *testing.T) {
	for _, n := range []int{0, 1, 4095, 4096, 4097, 3*4096 + 5} {
		p := make([]byte, n)
		require.True(t, sparse.IsZero(p), "%d zeros", n)
		for _, at := range []int{0, n / 2, n - 1} {
			if n == 0 {
				continue
			}
			p[at] = 1
			require.False(t, sparse.IsZero(p), "%d bytes, a 1 at %d", n, at)
			p[at] = 0
		}
	}
}

func collect(t *testing.T, r any, size int64) []sparse.Extent {
	t.Helper()
	var all []sparse.Extent
	for e, err := range sparse.Data(r, size) {
		require.NoError(t, err)
		all = append(all, e)
	}
	return all
}

// holey makes a file of size bytes with data at the given extents.
func holey(t *testing.T, size int64, data ...sparse.Extent) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "holey"))
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	require.NoError(t, f.Truncate(size))
	for _, e := range data {
		_, err := f.WriteAt([]byte(strings.Repeat("x", int(e.Len))), e.Off)
		require.NoError(t, err)
	}
	return f
}

func TestDataWithoutHoles(t *testing.T) {
	require.Empty(t, collect(t, strings.NewReader(""), 0))
	require.Equal(t, []sparse.Extent{{0, 3}}, collect(t, strings.NewReader("abc"), 3))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	defer w.Close()
	require.Equal(t, []sparse.Extent{{0, 7}}, collect(t, r, 7), "a pipe cannot be asked")
	f := holey(t, 5, sparse.Extent{Off: 0, Len: 5})
	require.Equal(t, []sparse.Extent{{0, 5}}, collect(t, f, 5))
}

func TestDataOfClosedFile(t *testing.T) {
	f := holey(t, 5)
	require.NoError(t, f.Close())
	n := 0
	for _, err := range sparse.Data(f, 5) {
		require.ErrorContains(t, err, "closed")
		n++
	}
	require.Equal(t, 1, n)
}

func TestDataStopsWhenAsked(t *testing.T) {
	f := holey(t, 8<<20, sparse.Extent{Off: 0, Len: 10}, sparse.Extent{Off: 4 << 20, Len: 10})
	n := 0
	for range sparse.Data(f, 8<<20) {
		n++
		break
	}
	require.Equal(t, 1, n)
}

func TestDataKeepsTheOffset(t *testing.T) {
	f := holey(t, 8<<20, sparse.Extent{Off: 4 << 20, Len: 10})
	_, err := f.Seek(1234, io.SeekStart)
	require.NoError(t, err)
	collect(t, f, 8<<20)
	off, err := f.Seek(0, io.SeekCurrent)
	require.NoError(t, err)
	require.Equal(t, int64(1234), off)
}
