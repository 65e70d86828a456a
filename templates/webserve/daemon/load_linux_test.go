package daemon_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// spawnFailing runs this test binary as a server that does not start, and gives what it says.
func spawnFailing(t *testing.T, files []*os.File, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), roleEnv+"=serve", idleEnv+"=1m", adoptEnv+"=1"), env...)
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	var ee *exec.ExitError
	require.ErrorAs(t, err, &ee, "it must fail; it said %s", out)
	return string(out)
}

// Files go out by sendfile through all that is around the connection: hardly a byte of them passes the program.
func TestSendfileIsKept(t *testing.T) {
	strace := tool(t, "strace", "strace")
	const size = 16 << 20
	log := filepath.Join(t.TempDir(), "trace")
	c := spawn(t, 3, []string{strace, "-f", "-o", log, "-e", "trace=sendfile,write,read,pread64,splice,sendto"}, nil,
		fileEnv+"="+fileOf(t, size), idleEnv+"=1m", listenEnv+"=127.0.0.1:0")
	for range 3 {
		n, err := discard(c.lines[0])
		require.NoError(t, err)
		require.EqualValues(t, size, n)
	}
	pid, err := strconv.Atoi(c.lines[2]) // strace keeps signals to itself
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(pid, syscall.SIGTERM))
	require.NoError(t, c.cmd.Wait())
	trace, err := os.ReadFile(log)
	require.NoError(t, err)
	var sent, written, calls int64
	call := regexp.MustCompile(`(sendfile|write|sendto|splice)(?:\(| resumed>).* = (\d+)\b`)
	for line := range strings.Lines(string(trace)) {
		m := call.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		n, err := strconv.ParseInt(m[2], 10, 64)
		require.NoError(t, err)
		if m[1] == "sendfile" {
			sent += n
			calls++
		} else {
			written += n
		}
	}
	t.Logf("%d bytes in %d sendfile calls, %d otherwise", sent, calls, written)
	require.Greater(t, sent, int64(3*size-16<<10))
	require.Less(t, written, int64(200<<10))
	require.GreaterOrEqual(t, calls, int64(3*size>>20))
}

// Many clients that ask for an image and take nothing: they cost little, are all gone soon after the idle time,
// and one that reads beside them has half of its rate or more.
func TestStalledClients(t *testing.T) {
	n := *stalledClients
	const size = 64 << 20
	idle := 10 * time.Second
	if n > 1000 {
		idle = time.Minute // the default
	}
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	if limit.Cur < uint64(2*n+200) {
		t.Fatalf("%d descriptors are not enough for %d clients and a server beside them: ulimit -n %d", limit.Cur, n, 2*n+200)
	}
	// Without ExtraFiles the child has the limit of this process.
	c := spawn(t, 2, nil, nil, fileEnv+"="+fileOf(t, size), idleEnv+"="+idle.String(), listenEnv+"=127.0.0.1:0")
	url, admin := c.lines[0], c.lines[1]
	alone := rate(t, url, 8, size)

	type stalled struct {
		c     net.Conn
		asked time.Time
	}
	clients := make([]stalled, n)
	begun := time.Now()
	for i := range clients {
		nc, err := net.Dial("tcp", host(url))
		require.NoError(t, err)
		t.Cleanup(func() { nc.Close() })
		_, err = io.WriteString(nc, request)
		require.NoError(t, err)
		clients[i] = stalled{nc, time.Now()}
	}
	connected := time.Since(begun)
	var rss, open float64
	var measuring sync.WaitGroup
	var over atomic.Bool
	measuring.Go(func() {
		for !over.Load() {
			rss = max(rss, metric(t, admin, "process_resident_memory_bytes"))
			open = max(open, metric(t, admin, "tplkit_connections_open"))
			time.Sleep(50 * time.Millisecond)
		}
	})
	beside := rate(t, url, 8, size)
	require.Less(t, time.Since(clients[0].asked), idle, "the healthy client must be measured while all are stalled")

	// Each is cut in time: seen from here by a reset, which needs no reading.
	require.Eventually(t, func() bool { return metric(t, admin, "tplkit_connections_open") <= 1 }, idle*3, 100*time.Millisecond)
	last := time.Since(clients[n-1].asked)
	over.Store(true)
	measuring.Wait()
	cut := metric(t, admin, `tplkit_connections_cut_total{reason="idle"}`)
	t.Logf("%d stalled clients (connected in %v): at most %.0f MiB resident, %.0f open; all cut within %v of the last request (idle time %v); "+
		"a healthy client %.0f MiB/s alone, %.0f MiB/s beside them", n, connected.Round(time.Millisecond), rss/(1<<20), open, last.Round(time.Millisecond), idle, alone, beside)
	require.EqualValues(t, n, cut)
	require.GreaterOrEqual(t, open, float64(n))
	require.Less(t, rss, 256e6)
	require.Less(t, last, idle*5/4+2*time.Second)
	require.Greater(t, beside, alone/2)
	c.end(t)
	for _, s := range clients {
		require.NoError(t, s.c.SetReadDeadline(time.Now().Add(10*time.Second)))
		got, err := io.Copy(io.Discard, s.c)
		require.Error(t, err, "a reset, after %d bytes", got)
		require.Less(t, got, int64(size))
	}
}

// rate is what a client that reads as fast as it can gets at best, in MiB/s: other work on the machine only slows it.
func rate(t *testing.T, url string, times int, size int64) (best float64) {
	t.Helper()
	for range times {
		begun := time.Now()
		n, err := discard(url)
		require.NoError(t, err)
		require.EqualValues(t, size, n)
		best = max(best, float64(size)/(1<<20)/time.Since(begun).Seconds())
	}
	return best
}
