package templates_test

import (
	"fmt"
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates"
)

func TestReadSmall(t *testing.T) {
	tree := fstest.MapFS{"ten": {Data: []byte("0123456789")}, "none": {}}
	for name, c := range map[string]struct {
		limit int64
		want  string
	}{"ten": {10, "0123456789"}, "none": {0, ""}} {
		got, err := templates.ReadSmall(tree, name, c.limit)
		require.NoError(t, err)
		require.Equal(t, c.want, string(got))
	}
	_, err := templates.ReadSmall(tree, "ten", 9)
	require.ErrorContains(t, err, `"ten": must be at most 9 bytes long`)
	_, err = templates.ReadSmall(tree, "absent", 9)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func ExampleReadSmall() {
	tree := fstest.MapFS{"el8.hash": {Data: []byte("2fd4e1c6")}}
	text, err := templates.ReadSmall(tree, "el8.hash", 100)
	fmt.Println(string(text), err)
	// Output: 2fd4e1c6 <nil>
}
