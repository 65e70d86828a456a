package encode

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestThreads: however many look for matches, the same comes out.
func TestThreads(t *testing.T) {
	text := bytes.Join([][]byte{dense(1, 300_000), make([]byte, 1000), random(1, 70_000), bytes.Repeat(dense(2, 999), 300)}, nil)
	for _, p := range []Params{Best, Balanced, Fast} {
		e := New(p)
		want, err := e.Encode(context.Background(), nil, text, false)
		require.NoError(t, err)
		for _, threads := range []int{-1, 2, 3, 4, 100} {
			e.SetThreads(threads)
			got, err := e.Encode(context.Background(), nil, text, false)
			require.NoError(t, err)
			require.True(t, bytes.Equal(want, got), "%d threads", threads)
		}
	}
}

// TestBeside: an error of one is that of all, and a panic can be recovered from.
func TestBeside(t *testing.T) {
	for n := 1; n < 5; n++ {
		seen := make([]bool, n)
		require.NoError(t, beside(n, func(i int) error { seen[i] = true; return nil }))
		require.NotContains(t, seen, false)
		err := errors.New("enough")
		require.ErrorIs(t, beside(n, func(i int) error {
			if i == n-1 {
				return err
			}
			return nil
		}), err)
		require.PanicsWithValue(t, "index out of range", func() {
			_ = beside(n, func(i int) error {
				if i == n-1 {
					panic("index out of range")
				}
				return nil
			})
		})
	}
}
