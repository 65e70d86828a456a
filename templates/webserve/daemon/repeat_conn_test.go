//go:build linux

package daemon_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// TestRepeatedPipelined: requests that come together are answered one after the other, whatever is remembered.
func TestRepeatedPipelined(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	r.put(t, "repo/a", "A")
	r.put(t, "repo/b", "B")
	time.Sleep(settle)
	one, two := header("/repo/a"), header("/repo/b")
	a := r.dial(t)
	for range 4 {
		a.requireOne(one, "A")
		a.requireOne(two, "B")
	}
	require.Positive(t, r.repeated(t))
	for _, parts := range [][]string{
		{one + two + one},
		{one, two, one}, // sent one by one, and not waited for
		{one[:20], one[20:] + two, one},
		{two + one[:7], one[7:], two, one},
	} {
		b := r.dial(t)
		b.requireOne(one, "A")
		b.requireOne(one, "A")
		for _, p := range parts {
			b.send(p)
			time.Sleep(20 * time.Millisecond)
		}
		want := strings.ReplaceAll(strings.ReplaceAll(strings.Join(parts, ""), one, "A"), two, "B")
		for _, w := range want {
			_, body := b.answer()
			require.Equal(t, string(w), body, "%q", parts)
		}
	}
}

// TestRepeatedKeepAlive: a connection is kept from its last request on, of whichever kind, and a header has its own time.
func TestRepeatedKeepAlive(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{KeepAlive: 1500 * time.Millisecond, HeaderTimeout: 500 * time.Millisecond})
	r.put(t, "repo/index", "index")
	time.Sleep(settle)
	ask := header("/repo/index")
	a := r.dial(t)
	began := time.Now()
	for time.Since(began) < 3*time.Second {
		a.requireOne(ask, "index")
		time.Sleep(300 * time.Millisecond)
	}
	require.Positive(t, r.repeated(t))
	a.requireOne(ask, "index")
	began = time.Now()
	_, err := a.in.ReadByte()
	require.ErrorIs(t, err, io.EOF)
	require.Greater(t, time.Since(began), time.Second)
	require.Less(t, time.Since(began), 10*time.Second)

	b := r.dial(t)
	for range 3 {
		b.requireOne(ask, "index")
	}
	b.send(ask[:10])
	began = time.Now()
	_, err = io.ReadAll(b.in)
	require.NoError(t, err)
	require.Less(t, time.Since(began), 1300*time.Millisecond, "it has the time of a header, not of a pause")
}

// TestRepeatedUntilTheEnd: a server that stops cuts no answer off.
func TestRepeatedUntilTheEnd(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	content := strings.Repeat("0123456789abcdef", 1<<11)
	r.put(t, "repo/index", content)
	time.Sleep(settle)
	ask := header("/repo/index")
	var clients sync.WaitGroup
	var whole atomic.Int64
	for range 8 {
		a := r.dial(t)
		clients.Go(func() {
			for {
				body, err := a.try(ask)
				if errors.Is(err, errEnded) {
					return
				}
				if err != nil || body != content {
					t.Errorf("%d bytes of %d: %v", len(body), len(content), err)
					return
				}
				whole.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return r.repeated(t) > 1000 }, 20*time.Second, time.Millisecond)
	r.stop()
	require.NoError(t, r.wait(t))
	clients.Wait()
	require.Greater(t, whole.Load(), int64(1000))
}

// TestRepeatedWhileReplaced: no answer is a mixture, or older than what had been published when it was asked for.
func TestRepeatedWhileReplaced(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	const versions = 3
	content := func(v int) string { return strings.Repeat(fmt.Sprintf("version %d\n", v), 400) }
	var published atomic.Int64
	r.put(t, "repo/index", content(0))
	done := make(chan struct{})
	var clients sync.WaitGroup
	for range 4 {
		a := r.dial(t)
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				least := int(published.Load())
				body, err := a.try(header("/repo/index"))
				if err != nil {
					t.Error(err)
					return
				}
				v := -1
				_, _ = fmt.Sscanf(body, "version %d", &v)
				if v < least || body != content(v) {
					t.Errorf("version %d, %d bytes, when %d had been published", v, len(body), least)
					return
				}
			}
		})
	}
	for v := 1; v <= versions; v++ {
		time.Sleep(settle + 300*time.Millisecond)
		require.Positive(t, r.repeated(t))
		r.put(t, "repo/index", content(v))
		published.Store(int64(v))
	}
	close(done)
	clients.Wait()
}

// TestManyRepeated: what is remembered is bounded, and what goes for its sake is asked for anew.
func TestManyRepeated(t *testing.T) {
	t.Parallel()
	r := startRepeating(t, parsePolicy(t, everyone), daemon.Options{})
	content := strings.Repeat("x", 30<<10)
	r.put(t, "repo/index", content)
	time.Sleep(settle)
	a := r.dial(t)
	for i := range 500 {
		a.requireOne(header("/repo/index", fmt.Sprintf("X: %d", i)), content)
	}
	remembered, _ := r.Repeats()
	require.Zero(t, remembered, "each came once")
	for i := range 500 { // 15 MiB in all
		for range 2 {
			a.requireOne(header("/repo/index", fmt.Sprintf("X: %d", i)), content)
		}
	}
	remembered, size := r.Repeats()
	require.Less(t, size, 4<<20+1)
	require.Greater(t, remembered, 100)
	for i := range 500 {
		a.requireOne(header("/repo/index", fmt.Sprintf("X: %d", i)), content)
	}
	require.Positive(t, r.repeated(t))
}
