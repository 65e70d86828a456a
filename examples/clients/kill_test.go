//go:build unix

package clients_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/examples/internal/sample"
	"github.com/tplkit/tplkit/templates"
)

// kills is how often the command is killed.
func kills(t *testing.T) int {
	t.Helper()
	if text := os.Getenv("TPLKIT_KILLS"); text != "" {
		n, err := strconv.Atoi(text)
		require.NoError(t, err, "TPLKIT_KILLS")
		return n
	}
	if required {
		return 200
	}
	return 25
}

// TestRecoverIsKilled kills a recovery with SIGKILL at random moments. Whatever
// the moment, what stands under a final name is whole and what an index names is
// there, for a reader that looks all the time too; and the next run goes on.
func TestRecoverIsKilled(t *testing.T) {
	program := command(t)
	store, cache := t.TempDir(), t.TempDir()
	require.NoError(t, sample.LagoStore(store, sample.SmallDisk))
	require.NoError(t, sample.KubeVirtCache(cache, sample.SmallDisk))
	before := []map[string]state{fingerprint(t, store), fingerprint(t, cache)}

	recovery := func(tree string) *exec.Cmd {
		return exec.Command(program, "recover", store, cache, "--tree", tree, "--repo-name", "phx",
			"--base-url", "http://templates.example/repo", "--name", "windows2016=win_16.img", "--json")
	}
	begin := time.Now()
	finish(t, recovery(filepath.Join(t.TempDir(), "tree")))
	whole := time.Since(begin)

	wanted, killed, finished := kills(t), 0, 0
	random := rand.New(rand.NewPCG(1, 2))
	for deadline := time.Now().Add(10 * time.Minute); killed < wanted; {
		require.True(t, time.Now().Before(deadline), "only %d kills in time", killed)
		tree := filepath.Join(t.TempDir(), "tree")
		stop := readAllTheTime(t, tree)
		// A tree is killed until a run gets through before its time; later runs
		// have less to do, so they are given less time.
		complete := false
		for n := 1; killed < wanted && !complete; n++ {
			limit := time.Duration(random.Int64N(int64(whole)/int64(min(n, 4)) + 1))
			if complete = !killAfter(t, recovery(tree), limit); !complete {
				killed++
				checkTree(t, tree)
			}
		}
		// The last run completes, and the one after it finds nothing to do.
		if complete {
			finished++
		} else {
			finish(t, recovery(tree))
		}
		checkTree(t, tree)
		done := fingerprint(t, tree)
		require.Contains(t, done, filepath.Join(tree, "repo", "index"))
		require.Contains(t, done, filepath.Join(tree, "kubevirt", "win_16.img.sha1"))
		report := finish(t, recovery(tree))
		for _, item := range report.Items {
			require.Contains(t, []templates.State{templates.Unchanged, templates.Skipped}, item.State, "%+v", item)
		}
		require.Equal(t, done, fingerprint(t, tree), "the second run wrote something again")
		require.Positive(t, stop(), "nobody read while the tree was written")
		require.NoError(t, os.RemoveAll(tree))
	}
	require.Equal(t, before, []map[string]state{fingerprint(t, store), fingerprint(t, cache)}, "the sources were changed")
	t.Logf("%d runs killed, %d got through before their time; a whole run takes %v", killed, finished, whole)
}

// killAfter starts the command, kills it after a while, and says whether that
// came before its end.
func killAfter(t *testing.T, cmd *exec.Cmd, limit time.Duration) bool {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	timer := time.AfterFunc(limit, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	timer.Stop()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			return true
		}
	}
	require.NoError(t, err, "after a kill: %s", stderr.String())
	return false
}

// finish runs the command to its end and gives its report.
func finish(t *testing.T, cmd *exec.Cmd) templates.Report {
	t.Helper()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s\n%s%s", cmd, out, stderr.String())
	var report templates.Report
	require.NoError(t, json.Unmarshal(out, &report))
	require.False(t, report.Failed(), "%s", out)
	require.NotEmpty(t, report.Items)
	return report
}
