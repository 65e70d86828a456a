package recent_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/internal/recent"
)

func requireSize[V any](t *testing.T, m *recent.Map[V], n, bytes int) {
	t.Helper()
	gotN, gotBytes := m.Size()
	require.Equal(t, []int{n, bytes}, []int{gotN, gotBytes})
}

func TestMap(t *testing.T) {
	m := recent.Map[string]{Limit: 100}
	require.Nil(t, m.Get("a"))
	a, b := "A", "B"
	m.Put("a", &a, 60)
	require.Same(t, &a, m.Get("a"))
	require.Same(t, &a, m.GetBytes([]byte("a")))
	requireSize(t, &m, 1, 60)

	m.Put("a", &b, 100) // in a's place
	require.Same(t, &b, m.Get("a"))
	requireSize(t, &m, 1, 100)

	m.Drop("a", &a) // is not there any more
	require.Same(t, &b, m.Get("a"))
	m.Drop("b", &b)
	requireSize(t, &m, 1, 100)
	m.Drop("a", &b)
	require.Nil(t, m.Get("a"))
	requireSize(t, &m, 0, 0)

	m.Put("a", &a, 100)
	m.Put("b", &b, 1)
	require.Nil(t, m.Get("a"), "went for b's sake")
	requireSize(t, &m, 1, 1)
	m.Put("b", &a, 101)
	require.Nil(t, m.Get("b"), "neither the former, nor what is too large")
	requireSize(t, &m, 0, 0)
}

// TestMapIsBounded: whatever comes from how many sides, the bound holds, and a key has its own value.
func TestMapIsBounded(t *testing.T) {
	m := recent.Map[int]{Limit: 1000}
	var sides sync.WaitGroup
	for side := range 4 {
		sides.Go(func() {
			for i := range 2000 {
				v := i * 7 % 100
				key := fmt.Sprint(v)
				m.Put(key, &v, 1+v)
				if got := m.Get(key); got != nil && *got != v {
					t.Errorf("%d for %d", *got, v)
				}
				if i%3 == side%3 {
					m.Drop(key, &v)
				}
				if _, bytes := m.Size(); bytes > 1000 {
					t.Errorf("%d bytes", bytes)
				}
			}
		})
	}
	sides.Wait()
	n, bytes := m.Size()
	require.Positive(t, n)
	require.LessOrEqual(t, bytes, 1000)
	sum := 0
	for v := range 100 {
		if m.Get(fmt.Sprint(v)) != nil {
			sum += 1 + v
		}
	}
	require.Equal(t, bytes, sum)
}

func TestGetBytesMakesNoString(t *testing.T) {
	m := recent.Map[int]{Limit: 1000}
	key := []byte("a key that is longer than what could lie on the stack as a string")
	v := 1
	m.Put(string(key), &v, 1)
	require.Zero(t, testing.AllocsPerRun(100, func() { m.GetBytes(key) }))
}
