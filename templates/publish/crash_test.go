//go:build unix

package publish_test

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tplkit/tplkit/templates/publish"
)

// publisher is this test binary as a process that plays a role.
func publisher(t *testing.T, role, dir, arg string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), roleEnv+"="+role, dirEnv+"="+dir, argEnv+"="+arg)
	var out strings.Builder
	cmd.Stderr = &out
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: %s", role, &out)
		}
	})
	return cmd
}

// killed tells whether the process ended by SIGKILL; any other failure fails the test.
func killed(t *testing.T, err error) bool {
	t.Helper()
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	status := exit.Sys().(syscall.WaitStatus)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "the publisher failed: %v: %v", err, status)
	return true
}

// quickDir is a directory in memory where there is one: a killed process is not a lost page cache, and a
// thousand syncs of a disk take their time.
func quickDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "tplkit-publish-*")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return dir
}

// checkVisible looks at a tree as a reader would: every file is whole, and none is of a later generation
// than one that was to be published before it.
func checkVisible(t *testing.T, dir string) (generations []int) {
	t.Helper()
	// The index first, and then what it names: that is how clients read, while a publisher may be at work.
	for _, name := range slices.Backward(generationNames) {
		generation := 0
		text, err := os.ReadFile(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			require.NoError(t, err)
			generation, err = generationOf(name, string(text))
			require.NoError(t, err)
		}
		generations = append(generations, generation)
	}
	slices.Reverse(generations)
	for i := 1; i < len(generations); i++ {
		require.LessOrEqual(t, generations[i], generations[i-1], "%v of %v", generations, generationNames)
	}
	return generations
}

// checkSettled opens the tree, which has to settle what a killed publisher left, and closes it.
func checkSettled(t *testing.T, dir string) (generation int, told []string) {
	t.Helper()
	d, err := publish.Open(context.Background(), dir, small)
	require.NoError(t, err)
	told = d.Recovered()
	require.NoError(t, d.Close())
	generations := checkVisible(t, dir)
	want := map[string]string{}
	if generation = generations[0]; generation > 0 {
		for _, name := range append(generationNames, marker(generation)) {
			for i := range name {
				if name[i] == '/' {
					want[name[:i+1]] = ""
				}
			}
			want[name] = ""
			if name != marker(generation) {
				want[name] = generationText(name, generation)
			}
		}
	}
	require.Equal(t, want, tree(t, dir), "all of generation %d and nothing else: %v", generation, told)
	return generation, told
}

func TestKilledAtEveryStep(t *testing.T) {
	for _, start := range []int{0, 1} {
		completed, dropped := 0, 0
		for n := 1; ; n++ {
			dir := quickDir(t)
			for range start {
				require.NoError(t, publishGeneration(dir, replacing()))
			}
			alive := !killed(t, publisher(t, "step", dir, strconv.Itoa(n)).Run())
			before := checkVisible(t, dir)
			generation, told := checkSettled(t, dir)
			if before[0] > start {
				require.Equal(t, start+1, generation, "a set that has begun to come out is completed")
			}
			if generation > start && len(told) > 0 {
				completed++
				require.Contains(t, told[0], `"test set"`)
				require.Contains(t, told[0], "completed")
			}
			if generation == start {
				dropped++
				require.Empty(t, told)
			}
			require.NoError(t, publishGeneration(dir, replacing()), "and the next run goes on")
			next, _ := checkSettled(t, dir)
			require.Equal(t, generation+1, next)
			if alive {
				require.Equal(t, start+1, generation)
				t.Logf("killed at %d steps: %d times completed, %d times nothing published", n-1, completed, dropped)
				break
			}
		}
		require.Greater(t, completed, 10)
		require.Greater(t, dropped, 10)
	}
}

func TestKilledAtRandom(t *testing.T) {
	dir := quickDir(t)
	random := rand.New(rand.NewPCG(1, 2))
	last, partly := 0, 0
	for range 60 {
		cmd := publisher(t, "loop", dir, "")
		require.NoError(t, cmd.Start())
		for end := time.Now().Add(time.Duration(20+random.IntN(80)) * time.Millisecond); time.Now().Before(end); {
			checkVisible(t, dir)
			time.Sleep(time.Millisecond)
		}
		require.NoError(t, cmd.Process.Kill())
		require.True(t, killed(t, cmd.Wait()))
		before := checkVisible(t, dir)
		if before[0] != before[len(before)-1] {
			partly++
		}
		generation, _ := checkSettled(t, dir)
		require.GreaterOrEqual(t, generation, max(last, before[0]))
		last = generation
	}
	require.Greater(t, last, 10, "the publishers came to publish something")
	t.Logf("%d generations, %d of 60 kills left a set half out", last, partly)
}

func TestWriteFileKilledAtEveryStep(t *testing.T) {
	for n := 1; ; n++ {
		dir := quickDir(t)
		path := filepath.Join(dir, "out.xz")
		require.NoError(t, os.WriteFile(path, []byte("old"), 0o644))
		alive := !killed(t, publisher(t, "write", path, strconv.Itoa(n)).Run())
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Contains(t, []string{"old", "new"}, string(text))
		// The next run in that directory, for whatever file, sweeps what this one left.
		require.NoError(t, publish.WriteFile(context.Background(), filepath.Join(dir, "other"), publish.FileOptions{}, writeText("other")))
		require.Equal(t, map[string]string{"out.xz": string(text), "other": "other"}, tree(t, dir))
		if alive {
			require.Equal(t, "new", string(text))
			require.Greater(t, n, 5)
			break
		}
	}
}

// A killed undo is continued as an undo, wherever it was killed.
func TestUndoKilledAtEveryStep(t *testing.T) {
	for n := 1; ; n++ {
		dir := quickDir(t)
		require.NoError(t, publishGeneration(dir, replacing()))
		left := n
		fail := false
		broken := errors.New("pulled")
		step := func(op, name string) error {
			if name == "index" && op == "rename" {
				fail = true // the last file cannot be renamed: everything before it has to come back
				return broken
			}
			if fail {
				if left--; left <= 0 {
					return broken // nothing works any more, as after a kill
				}
			}
			return nil
		}
		err := publishGeneration(dir, publish.WithStep(replacing(), step))
		require.ErrorIs(t, err, broken)
		generation, told := checkSettled(t, dir)
		if errors.Is(err, publish.ErrUnfinished) {
			for _, what := range told {
				if generation == 1 {
					require.Contains(t, what, "taken back")
				} else {
					require.Contains(t, what, "completed")
				}
			}
		} else {
			require.Equal(t, 1, generation)
		}
		if left > 0 {
			require.NotErrorIs(t, err, publish.ErrUnfinished)
			require.Greater(t, n, 8)
			break
		}
	}
}
