package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLines(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1000, 0)
	l := &lines{w: &out, every: 10 * time.Second, now: func() time.Time { return now }}

	l.Update("a\nb", 0, 400<<20)
	now = now.Add(5 * time.Second)
	l.Update("a\nb", 50<<20, 400<<20)
	require.Empty(t, out.String(), "nothing before the interval is over")

	now = now.Add(5 * time.Second)
	l.Update("c", 0, 0)
	l.Update("a\nb", 100<<20, 400<<20)
	require.Equal(t, "\"a\\nb\": 12% of 400.0 MiB, 5.0 MiB/s, 1m10s left\n\"c\": 0 B\n", out.String())

	out.Reset()
	now = now.Add(10 * time.Second)
	l.Update("a\nb", 400<<20, 400<<20)
	require.Empty(t, out.String(), "what is finished is the report's to tell")
	l.Update("c", 3<<10, 0)
	require.Equal(t, "\"c\": 3.0 KiB, 307 B/s\n", out.String())
	l.Close()
}

func TestBarsDrawAndGo(t *testing.T) {
	var out bytes.Buffer
	b := newBars(&out)
	b.Update("already finished", 10, 10)
	for i := range int64(10) {
		b.Update("disk", i<<20, 20<<20)
	}
	b.Update("other", 1, 2)
	b.Update("other", 2, 2)
	b.Close()
	require.NotContains(t, out.String(), "already finished")
}

func TestMeterKind(t *testing.T) {
	var w bytes.Buffer
	require.IsType(t, silent{}, (&session{globals: globals{Quiet: true}, stderr: &w}).newMeter())
	require.IsType(t, &lines{}, (&session{stderr: &w}).newMeter())
}

func TestText(t *testing.T) {
	require.Equal(t, `"a\x1b[2Jb"`, quote("a\x1b[2Jb"))
	long := quote(strings.Repeat("é", 300))
	require.LessOrEqual(t, len(long), 210)
	require.Contains(t, long, "…")
	require.Equal(t, "…cdef", shorten("abcdef", 5))
	require.Equal(t, "abcdef", shorten("abcdef", 6))
	for n, want := range map[int64]string{
		0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", 6 << 30: "6.0 GiB", 5 << 40: "5.0 TiB", 5 << 50: "5120.0 TiB",
	} {
		require.Equal(t, want, bytesText(n))
	}
	require.Equal(t, "a; b�[K", oneLine("a\nb\x1b[K\n"))
}
