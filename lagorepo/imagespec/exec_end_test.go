//go:build unix

package imagespec_test

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/lagorepo/imagespec"
)

var errStop = errors.New("stopped by the test")

// stubborn is a tool that ignores SIGTERM, with a child that does so too and
// holds the output. Both numbers are in the file pids when it runs.
const stubborn = `trap '' TERM
sleep 1000 &
echo $$ $! >pids.new
mv pids.new pids
wait
wait`

// pidsIn waits for a file of process numbers.
func pidsIn(t *testing.T, dir string) []int {
	t.Helper()
	var text []byte
	require.Eventually(t, func() (ok bool) {
		var err error
		text, err = os.ReadFile(filepath.Join(dir, "pids"))
		return err == nil
	}, 20*time.Second, 2*time.Millisecond)
	var pids []int
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// requireGone checks that processes are not running; they may wait to be taken
// notice of.
func requireGone(t *testing.T, pids []int) {
	t.Helper()
	require.NotEmpty(t, pids)
	for _, pid := range pids {
		require.True(t, gone(pid), "process %d still runs", pid)
	}
}

func gone(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	return err == nil && strings.Contains(string(text), ") Z ") || errors.Is(err, os.ErrNotExist) && runtime.GOOS == "linux"
}

func TestExecEndsEverythingOnCancel(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	result := make(chan error, 1)
	var ended time.Time
	go func() {
		err := imagespec.Exec{Grace: 300 * time.Millisecond}.Run(ctx, imagespec.Command{
			Tool: script(t, "stubborn", stubborn), Dir: dir, Log: io.Discard,
		})
		ended = time.Now()
		result <- err
	}()
	pids := pidsIn(t, dir)
	began := time.Now()
	cancel(errStop)
	require.ErrorIs(t, <-result, errStop)
	require.GreaterOrEqual(t, ended.Sub(began), 300*time.Millisecond, "the grace")
	require.Less(t, ended.Sub(began), 3*time.Second)
	requireGone(t, pids)
}

func TestExecEndsEverythingAtTheTimeLimit(t *testing.T) {
	dir := t.TempDir()
	err := toolError(t, imagespec.Exec{Grace: 100 * time.Millisecond}, imagespec.Command{
		Tool: script(t, "stubborn", stubborn), Dir: dir, Log: io.Discard, Timeout: 700 * time.Millisecond,
	})
	require.ErrorIs(t, err, imagespec.ErrTimeout)
	require.Equal(t, 700*time.Millisecond, err.Timeout)
	require.Equal(t, -1, err.ExitCode)
	require.ErrorContains(t, err, "700ms")
	requireGone(t, pidsIn(t, dir))
}

// A tool that listens to SIGTERM is given the time to clean up.
func TestExecAllowsATidyEnd(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	result := make(chan error, 1)
	go func() {
		result <- imagespec.Exec{Grace: 20 * time.Second}.Run(ctx, imagespec.Command{Dir: dir, Tool: script(t, "tidy",
			"trap 'sleep 0.2; echo >tidied; kill $!; exit 0' TERM\nsleep 1000 &\necho $$ $! >pids.new\nmv pids.new pids\nwait")})
	}()
	pids := pidsIn(t, dir)
	cancel(errStop)
	require.ErrorIs(t, <-result, errStop)
	requireGone(t, pids)
	require.FileExists(t, filepath.Join(dir, "tidied"))
}

// Whatever a tool leaves behind ends with it.
func TestExecEndsWhatIsLeftBehind(t *testing.T) {
	for name, text := range map[string]string{
		"quiet":          "sleep 1000 >/dev/null 2>&1 &\necho $! >pids",
		"with output":    "sleep 1000 &\necho $! >pids",
		"stubborn":       "trap '' TERM\nsleep 1000 >/dev/null 2>&1 &\necho $! >pids",
		"of a failure":   "sleep 1000 >/dev/null 2>&1 &\necho $! >pids\nexit 1",
		"of one killed":  "sleep 1000 >/dev/null 2>&1 &\necho $! >pids\nkill -9 $$",
		"a great-nephew": "(sh -c 'sleep 1000 >/dev/null 2>&1 & echo $! >pids')",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			err := imagespec.Exec{Grace: 200 * time.Millisecond}.Run(t.Context(), imagespec.Command{
				Tool: script(t, "leaves", text), Dir: dir, Log: io.Discard,
			})
			if strings.HasPrefix(name, "of ") {
				require.Error(t, err)
			} else {
				require.NoError(t, err)
			}
			requireGone(t, pidsIn(t, dir))
		})
	}
}

func TestExecStartsNothingWhenCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errStop)
	err := imagespec.Exec{}.Run(ctx, imagespec.Command{Tool: script(t, "makes", "echo >made"), Dir: dir})
	require.ErrorIs(t, err, errStop)
	require.NoFileExists(t, filepath.Join(dir, "made"))
}

const killedEnv = "TPLKIT_TEST_KILLED_RUNNER"

// A runner that is killed takes its tools along. This test runs itself as the
// process that is killed.
func TestExecToolsDieWithTheProcess(t *testing.T) {
	if path := os.Getenv(killedEnv); path != "" {
		err := imagespec.Exec{}.Run(t.Context(), imagespec.Command{
			Tool: imagespec.Tool{Name: "waits", Path: path}, Dir: filepath.Dir(path),
		})
		t.Fatal("the tool ended by itself: ", err)
	}
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child about its parent's death")
	}
	tool := script(t, "waits", "echo $$ >pids.new\nmv pids.new pids\nexec sleep 1000")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestExecToolsDieWithTheProcess$")
	cmd.Env = append(os.Environ(), killedEnv+"="+tool.Path)
	require.NoError(t, cmd.Start())
	pids := pidsIn(t, filepath.Dir(tool.Path))
	require.False(t, gone(pids[0]))
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	require.Eventually(t, func() bool { return gone(pids[0]) }, 10*time.Second, 5*time.Millisecond)
}
