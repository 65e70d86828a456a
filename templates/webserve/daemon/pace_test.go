package daemon_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/webserve/daemon"
)

// A client's minute is looked at each five seconds. step is what the kernel takes in that time, and queued what it
// then holds.
func TestPace(t *testing.T) {
	const tick = 5 * time.Second
	for name, c := range map[string]struct {
		least int64
		step  func(i int) (sent, queued int64)
		want  string
		after time.Duration // at most
	}{
		"takes nothing": {0, func(i int) (int64, int64) { return 0, 1000 }, "idle", time.Minute},
		"a full buffer": {0, func(i int) (int64, int64) {
			if i == 0 {
				return 4 << 20, 4 << 20
			}
			return 0, 4 << 20
		}, "idle", time.Minute + tick},
		"buffer unknown":       {0, func(i int) (int64, int64) { return 0, -1 }, "idle", time.Minute},
		"trickles, no rate":    {0, func(i int) (int64, int64) { return 1, 0 }, "", 0},
		"trickles":             {60 << 10, func(i int) (int64, int64) { return 1, 0 }, "rate", time.Minute},
		"just enough":          {60 << 10, func(i int) (int64, int64) { return 5 << 10, 0 }, "", 0},
		"a bit too little":     {60 << 10, func(i int) (int64, int64) { return 4 << 10, 0 }, "rate", time.Minute},
		"once in 55 s":         {60 << 10, everyNth(11, 60<<10), "", 0},
		"drains a full buffer": {60 << 10, func(i int) (int64, int64) { return 0, int64(4<<20 - i*(8<<10)) }, "", 0},
		"fills, then trickles": {60 << 10, func(i int) (int64, int64) { return 1, max(0, 100<<10-int64(i)*(50<<10)) }, "rate", 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1e9, 0)
			p := daemon.NewPace(time.Minute, c.least)
			p.Begin(now)
			if c.step(0); name == "drains a full buffer" {
				p.Sent(4 << 20)
			}
			for i := range 360 {
				sent, queued := c.step(i)
				p.Sent(sent)
				now = now.Add(tick)
				if why := p.Look(now, queued); why != "" {
					require.Equal(t, c.want, why, "after %v", now.Sub(time.Unix(1e9, 0)))
					require.LessOrEqual(t, now.Sub(time.Unix(1e9, 0)), c.after)
					return
				}
			}
			require.Empty(t, c.want, "still there after half an hour")
		})
	}
}

func everyNth(n int, size int64) func(int) (int64, int64) {
	return func(i int) (int64, int64) {
		if i%n == 0 {
			return size, 0
		}
		return 0, 0
	}
}

// The time in which there is nothing to send is not the client's.
func TestPaceWaits(t *testing.T) {
	now := time.Unix(1e9, 0)
	p := daemon.NewPace(time.Minute, 60<<10)
	for range 50 {
		p.Begin(now)
		p.Sent(2000)
		now = now.Add(time.Second)
		p.End(now)
		now = now.Add(time.Hour)
	}
	p.Begin(now)
	require.Empty(t, p.Look(now.Add(20*time.Second), 0))
	require.Empty(t, p.Look(now.Add(79*time.Second), 0))
	require.Equal(t, "idle", p.Look(now.Add(80*time.Second), 0))
}

func TestCensus(t *testing.T) {
	c := daemon.NewCensus(4, 2)
	a, sameHouse, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::ffff"), netip.MustParseAddr("2001:db8:0:1::1")
	v4, mapped := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("::ffff:192.0.2.1")
	for range 4 {
		require.True(t, c.Enter())
	}
	require.False(t, c.Enter(), "full")
	require.True(t, c.Claim(a) && c.Claim(sameHouse))
	require.False(t, c.Claim(a), "a /64 is one client")
	require.True(t, c.Claim(other) && c.Claim(v4) && c.Claim(mapped))
	require.False(t, c.Claim(v4), "a mapped address is the same client")
	require.False(t, c.Claim(mapped))
	for range 5 {
		require.True(t, c.Claim(netip.Addr{}), "no address is no client")
	}
	c.Leave(sameHouse)
	require.True(t, c.Claim(a))
	for _, x := range []netip.Addr{a, a, {}} {
		c.Leave(x)
	}
	require.Equal(t, 0, c.Open())
	c.Leave(other)
	c.Leave(v4)
	c.Leave(mapped)
	require.Zero(t, c.Clients(), "nobody is remembered who has gone")

	// A connection of nobody who is counted, as a trusted proxy's, may be the first that ends.
	trusted := daemon.NewCensus(1, 1)
	require.True(t, trusted.Enter())
	trusted.Leave(netip.Addr{})
	require.Zero(t, trusted.Open())
	require.Zero(t, trusted.Clients())

	free := daemon.NewCensus(-1, -1)
	for range 10_000 {
		require.True(t, free.Enter() && free.Claim(v4))
	}
}

func TestDefaultConns(t *testing.T) {
	require.Equal(t, 8192, daemon.DefaultConns(0, false))
	require.Equal(t, 8192, daemon.DefaultConns(1<<20, true))
	require.Equal(t, 448, daemon.DefaultConns(1024, true))
	require.Equal(t, 1, daemon.DefaultConns(20, true))
}
