//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParse(t *testing.T) {
	c, err := parse([]string{"-quick"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 1, c.runs)
	require.Equal(t, 100_000, c.prefixes)
	c, err = parse([]string{"-soak", "30m"}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, 30*time.Minute, c.soak)
	for _, args := range [][]string{{"-runs", "0"}, {"-seconds", "0"}, {"-soak", "-1s"}, {"more"}, {"-such"}} {
		_, err := parse(args, io.Discard)
		require.Error(t, err, args)
	}
}

func TestBounds(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out, log: io.Discard}
	b.atLeast(0.9, 0.95, "fast")
	b.atMost(1.15, 1.15, "%.2f ×", "flat")
	require.NoError(t, b.tellBounds())
	b.atLeast(0.9, 0.89, "slow")
	require.ErrorIs(t, b.tellBounds(), errMissed)
	require.Contains(t, out.String(), "**no**")
	require.Equal(t, 2.0, median([]float64{3, 1, 2}))
	require.Equal(t, 2.0, median([]float64{3, 1, 2, 4}))
	require.Zero(t, median(nil))
}

func TestLoad(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/missing" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Length", "300000")
		_, _ = io.CopyN(w, endless{}, 300000)
	}))
	defer server.Close()
	l := load{Address: server.Listener.Addr().String(), Path: "/x", Clients: 3, For: 200 * time.Millisecond}
	order, err := json.Marshal(l)
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, loadMain(t.Context(), []string{string(order)}, &out))
	var r result
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	for _, l.Lean = range []bool{false, true} {
		l.Path = "/x"
		r, err = l.run(t.Context())
		require.NoError(t, err)
		require.Positive(t, r.Requests)
		require.GreaterOrEqual(t, r.Bytes, r.Requests*300000)
		require.Positive(t, r.perSecond())
		require.Positive(t, r.gib())

		l.Path = "/missing"
		_, err = l.run(t.Context())
		require.ErrorContains(t, err, "expected 200")
	}
	for _, bad := range []string{"", "{", `{"clients":0}`} {
		require.Error(t, loadMain(t.Context(), []string{bad}, io.Discard))
	}
	require.Error(t, loadMain(t.Context(), nil, io.Discard))
	_, err = lengthOf("HTTP/1.1 200 OK\r\nA: b")
	require.ErrorContains(t, err, "without Content-Length")
}

func TestMixedBytesAreFound(t *testing.T) {
	whole := bytes.Repeat([]byte("abcdefgh"), 10)
	for from := range 20 {
		_, err := checkBytes(whole[from:], int64(from))
		require.NoError(t, err, from)
	}
	first, err := checkBytes(whole, 0)
	require.NoError(t, err)
	later, err := checkBytes(whole[13:], 13)
	require.NoError(t, err)
	require.Equal(t, first, later)
	_, err = checkBytes(append(bytes.Clone(whole), bytes.Repeat([]byte("abcdefgi"), 3)...), 0)
	require.ErrorContains(t, err, "mixed bytes")
	_, err = checkBytes(whole[3:], 0)
	require.NoError(t, err, "a whole other word: the caller compares")
	_, err = checkBytes(whole[:5], 0)
	require.NoError(t, err)
}

func TestSoakIsTold(t *testing.T) {
	var out bytes.Buffer
	b := &bench{out: &out, log: io.Discard}
	var flat, growing []sample
	for i := range 40 {
		flat = append(flat, sample{20 + float64(i%3), 30, 40})
		growing = append(growing, sample{20 + float64(i), 30, 40})
	}
	f := &files{}
	require.NoError(t, b.tellSoak(t.Context(), flat, sample{10, 12, 30}, sample{11, 12, 38}, f))
	require.NoError(t, b.tellBounds())
	require.NoError(t, b.tellSoak(t.Context(), growing, sample{10, 12, 30}, sample{11, 16, 38}, f))
	require.ErrorIs(t, b.tellBounds(), errMissed)
	require.ErrorContains(t, b.tellSoak(t.Context(), nil, sample{}, sample{}, f), "longer")
}

func TestFigure(t *testing.T) {
	got, err := figure("# HELP go_goroutines Goroutines.\ngo_goroutines 17\n", "go_goroutines ")
	require.NoError(t, err)
	require.Equal(t, 17.0, got)
	_, err = figure("x 1", "y")
	require.Error(t, err)
}

func TestPolicy(t *testing.T) {
	b := &bench{config: config{dir: t.TempDir()}}
	path, err := b.writePolicy("p", 70_000, "192.0.2.1")
	require.NoError(t, err)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	seen := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		include, ok := strings.CutPrefix(strings.TrimSpace(line), "include ")
		if !ok {
			continue
		}
		list, err := os.ReadFile(filepath.Join(b.dir, include))
		require.NoError(t, err)
		require.Less(t, len(list), 1<<20)
		for prefix := range strings.Lines(string(list)) {
			require.False(t, seen[prefix], prefix)
			seen[prefix] = true
		}
	}
	require.Len(t, seen, 69_999)
}

// TestRuns runs all of it as shortly as it can be.
func TestRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dir := t.TempDir()
	self := filepath.Join(dir, "loadserve")
	out, err := exec.Command("go", "build", "-o", self, ".").CombinedOutput()
	require.NoError(t, err, "%s", out)
	tree := filepath.Join("/var/tmp", fmt.Sprintf("tplkit-loadserve-test-%d", os.Getpid()))
	require.NoError(t, os.Mkdir(tree, 0o755))
	defer os.RemoveAll(tree)

	t.Run("soak", func(t *testing.T) {
		out, err := exec.Command(self, "-soak", "10s", "-quick", "-dir", tree).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "| idle after ")
	})
	t.Run("beside nginx", func(t *testing.T) {
		if _, err := exec.LookPath("/usr/sbin/nginx"); err != nil {
			if os.Getenv("TPLKIT_REQUIRE_CLIENTS") == "1" {
				t.Fatal("needs nginx (Debian: nginx-light)")
			}
			t.Skip("needs nginx (Debian: nginx-light)")
		}
		out, err := exec.Command(self, "-quick", "-dir", tree).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "## A long allow-list")
	})
}
